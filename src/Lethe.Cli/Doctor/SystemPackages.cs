using System.Diagnostics;
using Lethe.Torch;

namespace Lethe.Cli.Doctor;

/// <summary>The packages of the operating system that tensors and demo data come from; eng/packages.sh knows them, for this program and for <c>./test</c>.</summary>
/// <param name="home">The checkout.</param>
public sealed class SystemPackages(string home)
{
    private readonly string script = Path.Combine(home, "eng", "packages.sh");

    /// <summary>What is missing, and the command that installs it.</summary>
    public async Task<Finding> Check(CancellationToken stop)
    {
        var missing = (await Run("missing", _ => { }, stop)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (missing.Length == 0)
            return new("packages", FindingState.Ok, "all there");
        var command = (await Run("command", _ => { }, stop)).Trim();
        return new("packages", FindingState.Missing, $"missing: {string.Join(", ", missing)}", $"./lethe doctor --install, or: {command}");
    }

    /// <summary>Installs what is missing where this user may.</summary>
    /// <param name="say">Takes lines of progress.</param>
    /// <param name="stop">Kills the installation.</param>
    /// <exception cref="UsageException">It may not be installed, or could not be; says what to do.</exception>
    public async Task Install(Action<string> say, CancellationToken stop) => await Run("install", say, stop);

    private async Task<string> Run(string word, Action<string> say, CancellationToken stop)
    {
        var start = new ProcessStartInfo("/bin/sh", [script, word]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var process = Process.Start(start) ?? throw new RunFailedException($"{script} could not be started.");
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(stop);
            var errors = new List<string>();
            while (await process.StandardError.ReadLineAsync(stop) is { } line)
            {
                if (line.StartsWith("lethe: ", StringComparison.Ordinal))
                    say(line);
                else
                    errors.Add(line);
            }
            await process.WaitForExitAsync(stop);
            return process.ExitCode == 0
                ? await output
                : throw new UsageException(string.Join('\n', errors).Replace("error: ", "", StringComparison.Ordinal).Trim());
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
