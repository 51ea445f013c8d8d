using System.Globalization;
using System.Text.Json;
using Lethe.Runs.Results;

namespace Lethe.Benchmarks.SelectiveAmnesiaVae;

/// <summary>Runs the peer's loops, benchmarks/peer/selective_amnesia_vae.py, each setting in a process of its own.</summary>
internal static class PeerLoops
{
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
        var measured = Peer.Run("selective_amnesia_vae.py", threads, policy, [
            "--threads", Number(threads), "--weights", options.Model("vae"), "--fisher", options.Model("fisher"),
            "--images", Path.Combine(options.Mnist, "train-images-idx3-ubyte.gz"), "--labels", Path.Combine(options.Mnist, "train-labels-idx1-ubyte.gz"),
            "--fisher-samples", Number(options.PeerFisherSamples), "--steps", Number(options.PeerSteps), "--loader-steps", Number(options.PeerLoaderSteps),
            "--warm-up", Number(options.PeerWarmUp), "--limit", Number(options.PeerLimit)]);
        return measured.Deserialize<PeerSetting>(ResultJson.Options)! with { WaitPolicy = policy };
    }

    private static PeerBest Best(IEnumerable<PeerSetting> settings, Func<PeerSetting, Rate> rate, long wholeSteps)
    {
        var best = settings.MinBy(setting => rate(setting).Seconds)!;
        return new PeerBest(rate(best).Seconds, rate(best).Steps, best.Threads, best.WaitPolicy, wholeSteps);
    }
}
