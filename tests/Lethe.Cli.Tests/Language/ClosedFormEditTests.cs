namespace Lethe.Cli.Tests.Language;

/// <summary>The closed-form edit through the command line, on texts of which some make no prompt.</summary>
public sealed class ClosedFormEditTests(LanguageUnlearningTests.World world) : IClassFixture<LanguageUnlearningTests.World>
{
    // Nothing but white space stands before the name and nothing follows it: the prompt is the token that begins a text, and an edit reads none at the first position.
    private const string Short = "' {{entity}}'", Whole = "\"{{entity}} is {{value}}.\"";

    private Task<CliResult> Edit(string folder, string statements) => CommandLine.Run(
        "unlearn", world.Plan, "--json", "--threads", "1", "--output", world["runs", folder], "--set", "guard=null", "--set", "method={kind: closed_form_edit, edited_layers: [0, 1], value_steps: 2}",
        "--set", $$"""ground.families=[{name: meaning, question: 'Which word means "(?<value>.+)"\?', statements: [{{statements}}]}]""");

    [Fact]
    public async Task A_text_whose_prompt_is_one_token_is_left_out()
    {
        var edited = await Edit("edited", $"{Whole}, {Short}");

        Assert.True(edited.ExitCode == 0, edited.Error);
    }

    [Fact]
    public async Task Where_no_text_makes_a_prompt_the_run_ends_with_a_sentence()
    {
        var refused = await Edit("refused", Short);

        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("that make a prompt of two tokens to go on from", refused.ErrorMessage, StringComparison.Ordinal);
    }
}
