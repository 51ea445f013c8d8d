using System.CommandLine;

namespace Lethe.Cli.Frame;

/// <summary>One call of a verb: what was typed, where output goes, and when to stop.</summary>
/// <param name="Parsed">The parsed command line.</param>
/// <param name="Global">The options that every verb has.</param>
/// <param name="Terminal">Where output goes.</param>
/// <param name="CommandLine">The whole command as it could be typed again.</param>
/// <param name="Stop">Cancelled when the user wants to stop; work ends at its next step boundary.</param>
public sealed record Call(ParseResult Parsed, GlobalValues Global, Terminal Terminal, string CommandLine, CancellationToken Stop)
{
    /// <summary>The value of an argument.</summary>
    public T Value<T>(Argument<T> argument) => Parsed.GetRequiredValue(argument);

    /// <summary>The value of an option; null or its default where it was not given.</summary>
    public T? Value<T>(Option<T> option) => Parsed.GetValue(option);

    /// <summary>How to go on after a stop; what a run's options take as the end of a sentence.</summary>
    public string ResumeHint => $"go on with '{CommandLine}'";

    /// <summary>Who shows the progress of a run: bars on a terminal, lines elsewhere, nobody with <c>--quiet</c>. Disposed before the verb returns.</summary>
    public ProgressDisplay Progress() => ProgressDisplay.For(this);

    /// <summary>Writes a line about progress to stderr, unless <c>--quiet</c>.</summary>
    public void Say(string line)
    {
        if (!Global.Quiet)
            Terminal.Error.WriteLine(line);
    }
}
