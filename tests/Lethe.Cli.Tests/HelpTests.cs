using Lethe.Cli.Frame;

namespace Lethe.Cli.Tests;

public sealed class HelpTests
{
    /// <summary>Every verb by the words that call it.</summary>
    public static TheoryData<string> Called()
    {
        var data = new TheoryData<string>();
        foreach (var (called, _) in All(LetheCommandLine.Verbs, ""))
            data.Add(called);
        return data;
    }

    [Theory]
    [MemberData(nameof(Called))]
    public async Task Help_shows_examples_first_and_then_description_and_options(string called)
    {
        var verb = Find(called);
        var result = await CommandLine.Run([.. called.Split(' '), "--help"]);

        Assert.Equal(0, result.ExitCode);
        Assert.Empty(result.Error);
        Assert.StartsWith($"Examples:\n  # {verb.Examples[0].Meaning}\n  ./lethe {verb.Examples[0].Command}\n", result.Output, StringComparison.Ordinal);
        var description = result.Output.IndexOf(verb.Description[..20], StringComparison.Ordinal);
        var options = result.Output.IndexOf("Options of every verb:", StringComparison.Ordinal);
        Assert.InRange(description, 1, options);
        Assert.All(verb.Options, option => Assert.Contains(option.Name, result.Output, StringComparison.Ordinal));
        Assert.All(verb.Arguments, argument => Assert.Contains(argument.Name, result.Output, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Called))]
    public void Every_example_calls_its_own_verb_and_every_option_says_its_default(string called)
    {
        var verb = Find(called);

        Assert.NotEmpty(verb.Examples);
        Assert.All(verb.Examples, example => Assert.StartsWith(called, example.Command, StringComparison.Ordinal));
        Assert.All(verb.Examples, example => Assert.False(example.Meaning.EndsWith('.'), example.Meaning));
        Assert.All(verb.Options, option => Assert.Contains("default", option.Description, StringComparison.OrdinalIgnoreCase));
        Assert.All(verb.Arguments, argument => Assert.EndsWith(".", argument.Description, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_help_of_the_program_lists_every_verb_with_its_summary()
    {
        var result = await CommandLine.Run("--help");

        Assert.Equal(0, result.ExitCode);
        Assert.All(LetheCommandLine.Verbs, verb => Assert.Contains($"  {verb.Name} ", result.Output, StringComparison.Ordinal));
        // Long ones are wrapped.
        var words = string.Join(' ', result.Output.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        Assert.All(LetheCommandLine.Verbs, verb => Assert.Contains(verb.Summary, words, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Help_keeps_to_a_readable_width()
    {
        foreach (var (called, _) in All(LetheCommandLine.Verbs, ""))
        {
            var result = await CommandLine.Run([.. called.Split(' '), "-h"]);
            Assert.All(result.Output.Split('\n').Where(line => !line.StartsWith("  ./lethe", StringComparison.Ordinal)), line => Assert.True(line.Length <= 100, line));
        }
    }

    [Fact]
    public void Docs_list_every_verb_and_every_exit_code()
    {
        var docs = File.ReadAllText(Path.Combine(Repository.Root, "docs", "cli.md"));

        Assert.All(All(LetheCommandLine.Verbs, ""), verb => Assert.Contains($"`{verb.Called}", docs, StringComparison.Ordinal));
        int[] codes = [ExitCodes.Ok, ExitCodes.Unexpected, ExitCodes.Usage, ExitCodes.BadInput, ExitCodes.Cancelled];
        Assert.All(codes, code => Assert.Contains($"| {code} |", docs, StringComparison.Ordinal));
    }

    private static Verb Find(string called) => All(LetheCommandLine.Verbs, "").Single(verb => verb.Called == called).Verb;

    private static IEnumerable<(string Called, Verb Verb)> All(IEnumerable<Verb> verbs, string above) => verbs.SelectMany(verb =>
        All(verb.Verbs, $"{above}{verb.Name} ").Prepend((Called: above + verb.Name, Verb: verb)));
}
