using System.Text.Json;
using Lethe.Cli;

namespace Lethe.Cli.Tests;

/// <summary>What a call of the real command line in this process printed and returned.</summary>
public sealed record CliResult(int ExitCode, string Output, string Error)
{
    /// <summary>Stdout as the one JSON document that it has to be.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>The message of an error document.</summary>
    public string? ErrorMessage => Json.GetProperty("error").GetProperty("message").GetString();
}

/// <summary>Calls the command line in this process.</summary>
public static class CommandLine
{
    /// <summary>Runs what a user would type after <c>./lethe</c>; every argument is one word.</summary>
    public static async Task<CliResult> Run(params string[] args) => await Run(CancellationToken.None, args);

    /// <summary>Runs it with a token that stands for Ctrl-C.</summary>
    public static async Task<CliResult> Run(CancellationToken stop, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await LetheCommandLine.Invoke(args, output, error, stop);
        return new CliResult(exitCode, output.ToString(), error.ToString());
    }
}
