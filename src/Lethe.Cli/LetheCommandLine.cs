using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using Lethe.Cli.Frame;
using Lethe.Cli.Verbs;
using Lethe.Runs;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Cli;

/// <summary>The command line: finds the verb, runs it, prints what it returns, and turns every error into one sentence and an exit code.</summary>
public static class LetheCommandLine
{
    private const string Description =
        "Lethe makes trained models forget: it removes one thing, keeps the rest, measures what was removed and what was not, and writes a report.";

    private static readonly Example[] Examples =
    [
        new("quickstart", "from training to report in a few minutes"),
        new("doctor", "is everything here that Lethe needs?"),
    ];

    /// <summary>The verbs, in the order in which help lists them.</summary>
    public static IReadOnlyList<Verb> Verbs { get; } = [new QuickstartVerb(), new TrainVerb(), new UnlearnVerb(), new SweepVerb(), new CompareVerb(), new EvaluateVerb(), new InspectVerb(), new GenerateVerb(), new ActivationsVerb(), new ReportVerb(), new DoctorVerb(), new SaeVerb(), new GuardrailVerb(), new DataVerb()];

    /// <summary>Runs a command line in this process, its streams taken for files rather than terminals.</summary>
    /// <param name="args">What follows <c>./lethe</c>.</param>
    /// <param name="output">Stands for stdout.</param>
    /// <param name="error">Stands for stderr.</param>
    /// <param name="stop">Stands for Ctrl-C.</param>
    /// <returns>The exit code.</returns>
    public static Task<int> Invoke(IReadOnlyList<string> args, TextWriter output, TextWriter error, CancellationToken stop = default) =>
        Invoke(args, new Terminal(output, error), stop);

    /// <summary>Runs a command line in this process.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> Invoke(IReadOnlyList<string> args, Terminal terminal, CancellationToken stop)
    {
        var global = new GlobalOptions();
        var commands = new Dictionary<Command, Verb>();
        var parsed = MakeRoot(global, commands).Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        var verb = commands.GetValueOrDefault(parsed.CommandResult.Command);
        // Asked of the words themselves: where they do not parse, an error still has to be JSON.
        var json = args.Contains(global.Json.Name);

        if (parsed.GetValue(global.Help))
        {
            await terminal.Output.WriteAsync(Help(verb, parsed.CommandResult, global, terminal));
            return ExitCodes.Ok;
        }
        if (args.Count == 0)
        {
            await terminal.Error.WriteAsync(Help(verb, parsed.CommandResult, global, terminal));
            return ExitCodes.Usage;
        }
        if (ParseProblem.Of(parsed) is { } problem)
            return Fail(terminal, json, problem, ExitCodes.Usage);

        try
        {
            var outcome = await verb!.Run(new Call(parsed, global.Read(parsed), terminal, $"./lethe {Quoted(args)}", stop));
            Print(terminal, json, outcome);
            return outcome.ExitCode;
        }
        catch (LetheException e)
        {
            return Fail(terminal, json, e.Message, e.ExitCode);
        }
        catch (OperationCanceledException e) when (stop.IsCancellationRequested)
        {
            // A run says what it has saved and how to go on; nothing else has anything to save.
            return Fail(terminal, json, e is RunCancelledException ? e.Message : "Stopped.", ExitCodes.Cancelled);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Not an error that anybody foresaw: whoever mends it needs all of it.
            await terminal.Error.WriteLineAsync(e.ToString());
            return Fail(terminal, json, $"Unexpected {e.GetType().Name}: {e.Message}", ExitCodes.Unexpected);
        }
    }

    private static Command MakeRoot(GlobalOptions global, Dictionary<Command, Verb> commands)
    {
        var root = new Command("lethe", Description);
        foreach (var option in global.All)
        {
            option.Recursive = true;
            root.Add(option);
        }
        foreach (var verb in Verbs)
            root.Add(MakeCommand(verb, commands));
        return root;
    }

    private static Command MakeCommand(Verb verb, Dictionary<Command, Verb> commands)
    {
        var command = new Command(verb.Name, verb.Summary);
        commands.Add(command, verb);
        foreach (var argument in verb.Arguments)
            command.Add(argument);
        foreach (var option in verb.Options)
            command.Add(option);
        foreach (var below in verb.Verbs)
            command.Add(MakeCommand(below, commands));
        return command;
    }

    private static string Help(Verb? verb, CommandResult called, GlobalOptions global, Terminal terminal) => verb is null
        ? HelpText.OfProgram(Verbs, Examples, Description, global, terminal.Width)
        : HelpText.OfVerb(ParseProblem.CalledName(called), verb, global, terminal.Width);

    private static void Print(Terminal terminal, bool json, Outcome outcome)
    {
        if (json)
            terminal.Output.WriteLine(JsonSerializer.Serialize(outcome.Document, ResultJson.Options));
        else
            outcome.Show(terminal.OutputConsole());
    }

    private static int Fail(Terminal terminal, bool json, string message, int exitCode)
    {
        if (json)
            terminal.Output.WriteLine(JsonSerializer.Serialize(new { error = new { message, exit_code = exitCode } }, ResultJson.Options));
        terminal.Error.WriteLine($"error: {message}");
        return exitCode;
    }

    private static string Quoted(IEnumerable<string> args) =>
        string.Join(' ', args.Select(arg => arg.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':' or '=' or ',') && arg.Length > 0 ? arg : $"'{arg.Replace("'", "'\\''", StringComparison.Ordinal)}'"));
}
