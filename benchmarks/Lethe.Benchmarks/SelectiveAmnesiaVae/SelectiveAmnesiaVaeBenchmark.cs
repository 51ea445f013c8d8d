using System.Diagnostics;
using System.Text.Json;
using Lethe.Runs;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Benchmarks.SelectiveAmnesiaVae;

/// <summary>
/// Selective Amnesia on the paper's VAE: Lethe against a faithful PyTorch version of the published loops, run by the same call. The peer runs
/// first, in processes of its own and with nothing else; then Lethe.
/// </summary>
internal static class SelectiveAmnesiaVaeBenchmark
{
    public static void Run(string[] arguments)
    {
        var options = BenchmarkOptions.Parse(arguments);
        var start = Stopwatch.GetTimestamp();
        void Say(string what) => Console.Error.WriteLine($"[{Stopwatch.GetElapsedTime(start).TotalSeconds,5:F0} s] {what}");
        var peer = options.Peer ? PeerLoops.Run(options, Say) : null;
        var own = options.Own ? Engine.Run(() => OwnRuns.Run(options, Say)) : null;
        var result = new BenchmarkResult
        {
            Quick = options.Quick,
            Machine = MachineFacts.Here(own is null ? null : Engine.Version),
            Peer = peer,
            Lethe = own,
            Ratios = Comparison.Ratios(peer, own),
        };
        Say("done");
        Console.WriteLine(Table.Markdown(result));
        var json = JsonSerializer.Serialize(result, ResultJson.Options);
        if (options.Json is null)
            Console.WriteLine(json);
        else
            File.WriteAllText(options.Json, json + "\n");
    }
}
