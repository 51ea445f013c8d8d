using System.CommandLine;
using System.CommandLine.Parsing;
using Lethe.Runs.Plans;

namespace Lethe.Cli.Frame;

/// <summary>Says in one sentence what is wrong with a command line, and names what was probably meant.</summary>
public static class ParseProblem
{
    /// <summary>The first problem; null if there is none.</summary>
    public static string? Of(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var called = CalledName(parsed.CommandResult);
        if (parsed.UnmatchedTokens.FirstOrDefault(token => token.StartsWith('-')) is { } option)
            return $"'{option}' is not an option of {called}{Meant(option, OptionNames(parsed.CommandResult))} See {called} --help.";
        if (parsed.UnmatchedTokens.FirstOrDefault() is { } word)
        {
            return command.Subcommands.Count > 0
                ? $"'{word}' is not a verb of {called}{Meant(word, command.Subcommands.Select(verb => verb.Name))} See {called} --help."
                : $"'{word}' is one argument too many; {called} takes {Takes(command)}. See {called} --help.";
        }
        if (command.Subcommands.Count > 0)
            return $"{called} needs a verb: {string.Join(", ", command.Subcommands.Select(verb => verb.Name))}. See {called} --help.";
        if (Missing(parsed) is { } argument)
            return $"{called} needs {argument.Name}: {Uncapitalised(argument.Description!)} See {called} --help.";
        if (parsed.Errors.FirstOrDefault() is not { } error)
            return null;
        return error.SymbolResult switch
        {
            OptionResult { Tokens.Count: 0 } empty => $"{empty.Option.Name} needs a value: {empty.Option.HelpName}. See {called} --help.",
            OptionResult { Option.Arity.MaximumNumberOfValues: 1, Tokens.Count: > 1 } many => $"{many.Option.Name} was given {many.Tokens.Count} times; give it once.",
            _ => error.Message,
        };
    }

    /// <summary>How the command is called, such as "./lethe data check".</summary>
    public static string CalledName(CommandResult result) => result.Parent is CommandResult parent ? $"{CalledName(parent)} {result.Command.Name}" : "./lethe";

    /// <summary>The command's own options and those that it inherits.</summary>
    private static IEnumerable<string> OptionNames(CommandResult result)
    {
        for (var at = result; at is not null; at = at.Parent as CommandResult)
            foreach (var option in at.Command.Options)
                yield return option.Name;
    }

    private static string Meant(string word, IEnumerable<string> known) => NearestWord.Of(word, known) is { } nearest ? $"; did you mean '{nearest}'?" : ".";

    private static Argument? Missing(ParseResult parsed) =>
        parsed.CommandResult.Command.Arguments.FirstOrDefault(argument => argument.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(argument) is null or { Tokens.Count: 0 });

    private static string Takes(Command command) => command.Arguments.Count == 0 ? "none" : string.Join(" ", command.Arguments.Select(argument => argument.Name));

    private static string Uncapitalised(string sentence) => char.ToLowerInvariant(sentence[0]) + sentence[1..];
}
