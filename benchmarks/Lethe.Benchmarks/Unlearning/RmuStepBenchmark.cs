using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lethe.Benchmarks.LanguageModels;
using Lethe.Formats;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Benchmarks.Unlearning;

/// <summary>
/// A step of RMU on the slice that is edited, in the first epoch and with its prefix cached, against RMU as released (two models, three whole forwards with head, gradients everywhere; benchmarks/peer/rmu_step.py):
/// the same model, the same batches, the same losses at every step and the same edited matrices at the end. Each side is a process of its own.
/// </summary>
internal static class RmuStepBenchmark
{
    private const string Usage = """
        options of rmu-step:
          --quick        a tiny model and few tokens, to see that everything runs; the figures mean nothing
          --model PATH   SmolLM2 or another Llama model with a tied head, whose weights both sides get in float32; default: random weights of SmolLM2-135M's shape
          --threads N    threads of both sides; default: the number of cores
          --json         one JSON document in place of the table
        """;

    // Tokens and control vector follow from it on both sides.
    private const int Stride = 7919;

    // Losses of about 1 to 1000, float32 on both sides, after many steps of Adam.
    private const double LossTolerance = 1e-3, WeightTolerance = 1e-4;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>What both sides do.</summary>
    private sealed record Job(int Layer, int First, int Rows, int Length, int Batches, int Epochs, double Steering, double Alpha, double Rate)
    {
        public static readonly Job Whole = new(7, 5, 4, 64, 8, 3, 6.5, 1200, 5e-5);

        public static readonly Job Quick = new(1, 1, 2, 8, 2, 2, 6.5, 1200, 5e-5);

        [JsonIgnore]
        public int TokensAStep => 2 * Rows * Length;
    }

    /// <summary>The peer's process.</summary>
    private sealed record PeerFigures(int Threads, double Step, double[][] Losses, long EmptyBytes, long PeakBytes, string WaitPolicy = "");

    /// <summary>Lethe's process.</summary>
    private sealed record OwnFigures(int Threads, double FirstEpoch, double CachedEpoch, double[][] Losses, long EmptyBytes, long PeakBytes, long CacheBytes, double LargestWeightDifference);

    public static void Run(string[] arguments)
    {
        if (arguments is ["own", var folder, var peer, var threads, var size])
        {
            Own(folder, peer, int.Parse(threads, CultureInfo.InvariantCulture), size == "quick" ? Job.Quick : Job.Whole);
            return;
        }
        var (quick, json, own, weights) = (false, false, Environment.ProcessorCount, "");
        for (var k = 0; k < arguments.Length; k++)
            _ = arguments[k] switch
            {
                "--quick" => quick = true,
                "--json" => json = true,
                "--threads" when k + 1 < arguments.Length && int.TryParse(arguments[++k], out var given) && given > 0 => (own = given) > 0,
                "--model" when k + 1 < arguments.Length => (weights = arguments[++k]).Length > 0,
                _ => throw new UsageException($"'{arguments[k]}' is no option.\n{Usage}"),
            };
        var task = quick ? Job.Quick : Job.Whole;
        var model = Directory.CreateTempSubdirectory("lethe-rmu-step-").FullName;
        var made = Directory.CreateTempSubdirectory("lethe-rmu-step-").FullName;
        try
        {
            _ = weights.Length > 0 ? LanguageModelBenchmark.Child("language-model", "convert", weights, model) : LanguageModelBenchmark.Child("language-model", "write", model, quick ? "quick" : "whole");
            var peers = new List<PeerFigures>();
            foreach (var policy in quick ? ["passive"] : (string[])["passive", "active"])
            {
                Console.Error.WriteLine($"peer, {own} thread(s), {policy} waiting");
                string[] given = [.. new (string Name, object Value)[]
                {
                    ("folder", model), ("out", made), ("threads", own), ("rows", task.Rows), ("length", task.Length), ("batches", task.Batches), ("epochs", task.Epochs), ("layer", task.Layer), ("first", task.First),
                    ("stride", Stride), ("steering", task.Steering), ("alpha", task.Alpha), ("rate", task.Rate),
                }.SelectMany(entry => new[] { "--" + entry.Name, Convert.ToString(entry.Value, CultureInfo.InvariantCulture)! })];
                peers.Add(Peer.Run("rmu_step.py", own, policy, given).Deserialize<PeerFigures>(Json)! with { WaitPolicy = policy });
            }
            Console.Error.WriteLine($"Lethe, {own} thread(s)");
            var ours = JsonSerializer.Deserialize<OwnFigures>(LanguageModelBenchmark.Child("rmu-step", "own", model, made, own.ToString(CultureInfo.InvariantCulture), quick ? "quick" : "whole"), Json)!;
            foreach (var (step, (theirs, own2)) in peers[0].Losses.Zip(ours.Losses).Index())
                for (var k = 0; k < 2; k++)
                    if (Math.Abs(theirs[k] - own2[k]) > LossTolerance * Math.Max(1, Math.Abs(theirs[k])))
                        throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"At step {step} the {(k == 0 ? "forget" : "retain")} loss is {theirs[k]} in the peer and {own2[k]} in Lethe: the two sides do not compute the same."));
            if (ours.LargestWeightDifference > WeightTolerance)
                throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"The edited matrices differ by up to {ours.LargestWeightDifference}: the two sides do not compute the same."));
            Show(peers, ours, task, quick, json);
        }
        finally
        {
            Directory.Delete(model, recursive: true);
            Directory.Delete(made, recursive: true);
        }
    }

    private static void Show(List<PeerFigures> peers, OwnFigures ours, Job task, bool quick, bool json)
    {
        var best = peers.MinBy(peer => peer.Step)!;
        var (first, cached, memory) = (best.Step / ours.FirstEpoch, best.Step / ours.CachedEpoch, (double)(ours.PeakBytes - ours.EmptyBytes) / (best.PeakBytes - best.EmptyBytes));
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { quick, task, peers, lethe = ours, ratios = new { first_epoch = first, cached_epoch = cached, memory } }, Json));
            return;
        }
        FormattableString table = $"""
            {(quick ? "A smoke run of a tiny model: the figures mean nothing.\n\n" : "")}| RMU, {task.Rows} + {task.Rows} texts of {task.Length} tokens a step, layers {task.First}–{task.Layer}, float32 | peer, as released | Lethe | ratio | goal |
            | --- | --- | --- | --- | --- |
            | a token, first epoch | {best.Step / task.TokensAStep * 1e3:F3} ms ({best.WaitPolicy} waiting) | {ours.FirstEpoch / task.TokensAStep * 1e3:F3} ms | {first:F2} | 6 |
            | a token, prefix cached | {best.Step / task.TokensAStep * 1e3:F3} ms | {ours.CachedEpoch / task.TokensAStep * 1e3:F3} ms | {cached:F2} | 12 |
            | peak anonymous memory, less the empty process's | {(best.PeakBytes - best.EmptyBytes) / 1e6:F0} MB | {(ours.PeakBytes - ours.EmptyBytes) / 1e6:F0} MB, {ours.CacheBytes / 1e6:F1} MB of it cache | {memory:F3} | ≤ 0.333 |

            {ours.Threads} thread(s), libtorch {Engine.Version}; medians over the steps of an epoch without the very first. The losses of all {ours.Losses.Length} steps agree; the edited matrices differ by at most {ours.LargestWeightDifference:E1}.
            """;
        Console.WriteLine(FormattableString.Invariant(table));
    }

    private static void Own(string folder, string peer, int threads, Job task)
    {
        Engine.Threads = threads;
        Engine.Run(() =>
        {
            using var memory = new ProcessMemory();
            var empty = ProcessMemory.Anonymous;
            using var scope = new TensorScope();
            using var checkpoint = LanguageCheckpoint.Open(folder);
            var c = checkpoint.Configuration;
            TextBatches Texts(int kind) => TextBatches.Of([.. Enumerable.Range(0, task.Batches * task.Rows).Select(row => Enumerable.Range(0, task.Length).Select(k => (int)((3 + kind + ((long)row * task.Length + k) * Stride) % c.VocabularySize)).ToArray())],
                new() { Rows = task.Rows, CountFirst = true, CountPadding = true });
            var options = new ReleasedRepresentationMisdirectionOptions
            {
                Layer = task.Layer, EditedLayers = [.. Enumerable.Range(task.First, task.Layer - task.First + 1)], Steering = task.Steering, Alpha = task.Alpha, LearningRate = task.Rate, Steps = task.Batches * task.Epochs,
            };
            var direction = Tensor.FromArray(Enumerable.Range(0, (int)c.HiddenSize).Select(k => (long)k * Stride % 1000 / 1000f).ToArray());
            using var cache = SliceCache.Open(checkpoint, RepresentationMisdirection.Slice(checkpoint.Weights, options));
            using var loop = RepresentationMisdirection.Create(cache, [(Texts(0), Texts(1))], [direction / direction.Norm()], options);
            var (seconds, losses) = (new List<double>(), new List<double[]>());
            while (!loop.Finished)
            {
                var start = Stopwatch.GetTimestamp();
                var measured = loop.Advance().ToDictionary(entry => entry.Name, entry => entry.Value);
                seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                losses.Add([measured["forget"], task.Alpha * measured["retain"]]);
            }
            var peak = memory.Peak;
            var difference = 0.0;
            using var noGrad = Autograd.NoGrad();
            foreach (var (name, weight) in cache.Names.Zip(cache.Weights))
                difference = Math.Max(difference, (Tensor.From(NpyFile.Read(Path.Combine(peer, $"layer{LayerWeights.LayerOf(name)}.npy"))) - weight).Abs().Max().Item());
            Console.WriteLine(JsonSerializer.Serialize(new OwnFigures(threads, Median(seconds.Take(task.Batches).Skip(1)), Median(seconds.Skip(task.Batches)), [.. losses], empty, peak, cache.CachedBytes, difference), Json));
        });
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
