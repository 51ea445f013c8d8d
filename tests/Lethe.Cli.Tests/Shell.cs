using System.Diagnostics;

namespace Lethe.Cli.Tests;

/// <summary>What a process printed and returned.</summary>
public sealed record ShellResult(int ExitCode, string Output, string Error);

/// <summary>Runs programs as a user's shell would.</summary>
public static class Shell
{
    /// <summary>Runs a program to its end.</summary>
    /// <param name="program">Path, or name on PATH.</param>
    /// <param name="arguments">Its arguments, one word each.</param>
    /// <param name="folder">Working directory.</param>
    /// <param name="environment">Variables to set; null removes one.</param>
    public static async Task<ShellResult> Run(string program, IEnumerable<string> arguments, string folder, params (string Name, string? Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = folder };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new ShellResult(process.ExitCode, await output, await error);
    }
}

/// <summary>A folder of a test's own, with spaces and letters beyond ASCII in its name, removed at its end.</summary>
public sealed class ScratchFolder : IDisposable
{
    /// <summary>Where it is.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("lethe café ").FullName;

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
