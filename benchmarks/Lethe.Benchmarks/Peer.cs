using System.Diagnostics;
using System.Text.Json;
using Lethe.Torch;

namespace Lethe.Benchmarks;

/// <summary>The other side of a comparison: a Python script in benchmarks/peer, run by the same invocation.</summary>
internal static class Peer
{
    /// <summary>Debian's Python, whose python3-torch is the peer; LETHE_PEER_PYTHON names another.</summary>
    public static string Python => Environment.GetEnvironmentVariable("LETHE_PEER_PYTHON") is { Length: > 0 } named ? named : "/usr/bin/python3";

    /// <summary>The checkout.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Runs a script with a number of threads and reads the JSON document that it prints last.</summary>
    public static JsonElement Run(string script, int threads, params string[] arguments) => Run(script, threads, null, arguments);

    /// <summary>The same with a value of OMP_WAIT_POLICY; null leaves it as it is here.</summary>
    /// <exception cref="RunFailedException">The script failed.</exception>
    public static JsonElement Run(string script, int threads, string? waitPolicy, string[] arguments)
    {
        var start = new ProcessStartInfo(Python, [Path.Combine(Root, "benchmarks", "peer", script), .. arguments]) { RedirectStandardOutput = true };
        start.Environment["OMP_NUM_THREADS"] = threads.ToString();
        if (waitPolicy is not null)
            start.Environment["OMP_WAIT_POLICY"] = waitPolicy;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new RunFailedException($"{Python} {script} ended with {process.ExitCode}; it needs torch and numpy (Debian: python3-torch).");
        return JsonDocument.Parse(output.Trim().Split('\n')[^1]).RootElement;
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Lethe.slnx")))
                return folder.FullName;
        throw new InvalidOperationException("The benchmarks run from a checkout: no folder above them holds Lethe.slnx.");
    }
}
