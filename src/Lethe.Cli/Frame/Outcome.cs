using Spectre.Console;

namespace Lethe.Cli.Frame;

/// <summary>What a verb found or made.</summary>
/// <param name="Document">What <c>--json</c> prints, by <see cref="Runs.Results.ResultJson"/>.</param>
/// <param name="Show">Prints the same for people; not called with <c>--json</c>.</param>
/// <param name="ExitCode">The exit code; not 0 where what was found is itself bad news, such as a damaged data set.</param>
public sealed record Outcome(object Document, Action<IAnsiConsole> Show, int ExitCode = ExitCodes.Ok);
