using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Benchmarks.SelectiveAmnesiaVae;

/// <summary>Runs the peer's loops, benchmarks/peer/selective_amnesia_vae.py, each setting in a process of its own.</summary>
internal static class Peer
{
    // Debian's python3-torch; another Python may carry another PyTorch.
    private const string Python = "/usr/bin/python3";

    /// <exception cref="RunFailedException">The peer failed.</exception>
    public static PeerResult Run(BenchmarkOptions options, Action<string> say)
    {
        var settings = new List<PeerSetting>();
        foreach (var (threads, policy) in options.PeerSettings)
        {
            say($"peer, {threads} thread(s), {policy} waiting");
            settings.Add(Run(options, threads, policy));
        }
        return new PeerResult(settings,
            Best(settings, setting => setting.FisherSample, options.FisherSamples[^1]),
            Best(settings, setting => setting.ForgettingStep, 10_000),
            Best(settings, setting => setting.TrainingStep, 100_000),
            Best(settings, setting => setting.LoaderBatch, 100_000));
    }

    private static PeerSetting Run(BenchmarkOptions options, int threads, string policy)
    {
        string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo(Python, [
            Script(), "--threads", Number(threads), "--weights", options.Model("vae"), "--fisher", options.Model("fisher"),
            "--images", Path.Combine(options.Mnist, "train-images-idx3-ubyte.gz"), "--labels", Path.Combine(options.Mnist, "train-labels-idx1-ubyte.gz"),
            "--fisher-samples", Number(options.PeerFisherSamples), "--steps", Number(options.PeerSteps), "--loader-steps", Number(options.PeerLoaderSteps),
            "--warm-up", Number(options.PeerWarmUp), "--limit", Number(options.PeerLimit)])
        { RedirectStandardOutput = true };
        start.Environment["OMP_WAIT_POLICY"] = policy;
        start.Environment.Remove("OMP_NUM_THREADS");
        using var process = Process.Start(start) ?? throw new RunFailedException($"{Python} did not start.");
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new RunFailedException($"The peer ended with {process.ExitCode}; it needs {Python} with torch and numpy (Debian: python3-torch).");
        return JsonSerializer.Deserialize<PeerSetting>(output, ResultJson.Options)! with { WaitPolicy = policy };
    }

    private static PeerBest Best(IEnumerable<PeerSetting> settings, Func<PeerSetting, Rate> rate, long wholeSteps)
    {
        var best = settings.MinBy(setting => rate(setting).Seconds)!;
        return new PeerBest(rate(best).Seconds, rate(best).Steps, best.Threads, best.WaitPolicy, wholeSteps);
    }

    private static string Script()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Path.Combine(folder.FullName, "benchmarks", "peer", "selective_amnesia_vae.py") is var script && File.Exists(script))
                return script;
        throw new RunFailedException($"{AppContext.BaseDirectory} lies in no checkout: no folder above it holds benchmarks/peer.");
    }
}
