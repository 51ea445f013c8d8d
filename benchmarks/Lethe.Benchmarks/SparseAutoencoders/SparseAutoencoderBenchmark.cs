using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Models.SparseAutoencoders.Training;
using Lethe.Runs.Language.Corpora;
using Lethe.Runs.Language.Tasks;
using Lethe.Runs.SparseAutoencoders;
using Lethe.Torch;

namespace Lethe.Benchmarks.SparseAutoencoders;

/// <summary>
/// Trains TopK autoencoders on SmolLM2-135M and compares with a plain PyTorch loop that does what SAELens does, one site a run (benchmarks/peer/sparse_autoencoder.py).
/// Both sides read the same token ids with the same weights, and train on as many activations as they compute.
/// </summary>
internal static class SparseAutoencoderBenchmark
{
    private const string Usage = """
        options of sparse-autoencoder:
          --quick        a tiny model and few tokens, to see that everything runs; the figures mean nothing
          --tokens N     activations that each training sees, rounded up to whole shuffle buffers; default: 32,000
          --rounds N     trainings of which the fastest counts, on both sides; default: 2
          --one-setting  the peer at two threads with active waiting alone, in place of its best of four settings
          --no-far       leaves the third comparison out
          --threads N    threads of Lethe; default: the number of cores
          --json         one JSON document in place of the table
        """;

    private const int Context = 128, Rows = 16, HeldContexts = 64;

    /// <summary>What is trained, and how, on both sides.</summary>
    private sealed record Setup(int Layer, int FarLayer, int Width, int Active, int Batch, int Buffer, int Steps, int Rounds);

    /// <summary>One training.</summary>
    private sealed record Trained(double Seconds, double[] ExplainedVariance, string Setting);

    /// <summary>A line of the table.</summary>
    private sealed record Row(string Sites, int Count, Trained[] Peers, Trained Lethe, double? Goal)
    {
        public double PeerSeconds => Peers.Sum(peer => peer.Seconds);

        public double Ratio => PeerSeconds / Lethe.Seconds;
    }

    public static void Run(string[] arguments)
    {
        var (quick, json, single, far, threads, tokens, rounds) = (false, false, false, true, Environment.ProcessorCount, 32_000, 2);
        for (var k = 0; k < arguments.Length; k++)
            _ = arguments[k] switch
            {
                "--quick" => quick = true,
                "--json" => json = true,
                "--one-setting" => single = true,
                "--no-far" => !(far = false),
                "--threads" when k + 1 < arguments.Length && int.TryParse(arguments[++k], out var given) && given > 0 => (threads = given) > 0,
                "--tokens" when k + 1 < arguments.Length && int.TryParse(arguments[++k], out var given) && given > 0 => (tokens = given) > 0,
                "--rounds" when k + 1 < arguments.Length && int.TryParse(arguments[++k], out var given) && given > 0 => (rounds = given) > 0,
                _ => throw new UsageException($"'{arguments[k]}' is no option.\n{Usage}"),
            };
        var shared = DataFolder.Find(null) is { } data ? Path.GetDirectoryName(data)! : throw new UsageException("The benchmark sparse-autoencoder needs the shared folder: set LETHE_SHARED.");
        // A forward gives 16 · 127 activations; batches and buffers are whole forwards, so that neither side computes activations that it does not train on.
        const int forward = Rows * (Context - 1);
        var setup = quick ? new Setup(2, 3, 128, 8, forward / 2, forward, 4, 1) : new Setup(7, 15, 2304, 32, forward, 4 * forward, (tokens + 4 * forward - 1) / (4 * forward) * 4, rounds);
        var folder = Directory.CreateTempSubdirectory("lethe-sparse-autoencoder-").FullName;
        try
        {
            var found = Compare(shared, folder, setup, quick, single, far, threads);
            Show(found, setup, quick, json, threads);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static List<Row> Compare(string shared, string folder, Setup setup, bool quick, bool single, bool far, int threads)
    {
        using var checkpoint = LanguageCheckpoint.Open(Path.Combine(shared, "models", quick ? "stories260K" : "smollm2-135m-instruct"));
        var contexts = setup.Steps * setup.Batch / (Context - 1);
        var train = Read(shared, "wikitext2_valid.txt.gz", checkpoint, contexts);
        var held = Read(shared, "wikitext2_test.txt.gz", checkpoint, HeldContexts);
        // The peer reads a Hugging Face directory in float32.
        var model = Path.Combine(folder, "model");
        checkpoint.Save(model, new Dictionary<string, HostArray>());
        var ids = Path.Combine(folder, "tokens.json");
        File.WriteAllText(ids, JsonSerializer.Serialize(new { train = Contexts(train), held = Contexts(held) }));

        var settings = quick ? [(1, "passive")] : single ? [(2, "active")] : ((int, string)[])[(1, "passive"), (1, "active"), (2, "passive"), (2, "active")];
        Trained Reference(int layer, string kind, int count, string policy)
        {
            Console.Error.WriteLine($"peer, layer {layer}, {kind}, {count} thread(s), {policy} waiting");
            var found = Peer.Run("sparse_autoencoder.py", count, policy, ["--folder", model, "--tokens", ids, "--kind", kind, "--threads", Text(count), "--layer", Text(layer), "--width", Text(setup.Width), "--active", Text(setup.Active),
                "--rows", Text(Rows), "--batch", Text(setup.Batch), "--buffer", Text(setup.Buffer), "--rounds", Text(setup.Rounds), "--warm-up", Text(WarmUp), "--dead-after", Text(DeadAfter), "--rate", Rate.ToString(CultureInfo.InvariantCulture)]);
            if (found.GetProperty("tokens").GetInt64() != (long)setup.Steps * setup.Batch)
                throw new RunFailedException($"The peer trained on {found.GetProperty("tokens")} activations and Lethe on {(long)setup.Steps * setup.Batch}.");
            return new Trained(found.GetProperty("seconds").GetDouble(), [found.GetProperty("explained_variance").GetDouble()], $"{count} thread(s), {policy}");
        }
        var tried = settings.Select(setting => (setting, Result: Reference(setup.Layer, "residual", setting.Item1, setting.Item2))).ToList();
        var ((bestThreads, bestPolicy), residual) = tried.MinBy(entry => entry.Result.Seconds);
        var mlp = Reference(setup.Layer, "mlp", bestThreads, bestPolicy);
        var above = far ? Reference(setup.FarLayer, "residual", bestThreads, bestPolicy) : null;

        Engine.Threads = threads;
        return Engine.Run(() =>
        {
            Trained Own(bool rounded, params string[] names)
            {
                Console.Error.WriteLine($"Lethe, {string.Join(" and ", names)}, {threads} thread(s){(rounded ? ", bfloat16 products" : "")}");
                return Train(checkpoint, [.. names.Select(Site.Parse)], train, held, setup, rounded, $"{threads} thread(s)");
            }
            var (here, written, later) = ($"layers.{setup.Layer}.residual_after", $"layers.{setup.Layer}.mlp_output", $"layers.{setup.FarLayer}.residual_after");
            List<Row> rows =
            [
                new(here, 1, [residual], Own(false, here), 1.2),
                new($"{here} and {written}", 2, [residual, mlp], Own(false, here, written), 2),
            ];
            if (Engine.HasBfloat16Products)
                rows.Insert(1, new($"{here}, Lethe's model with bfloat16 products", 1, [residual], Own(true, here), 1.2));
            if (above is not null)
                rows.Add(new($"{here} and {later}", 2, [residual, above], Own(false, here, later), null));
            return rows;
        });
    }

    private const int WarmUp = 4;
    private const int DeadAfter = 100_000;
    private const double Rate = 1e-3;

    private static Trained Train(LanguageCheckpoint checkpoint, IReadOnlyList<Site> sites, PackedTokens train, PackedTokens held, Setup setup, bool rounded, string setting)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var slice = new LoadOptions { ToLayer = sites.Max(site => site.Layer) + 1, Head = false };
        using var model = checkpoint.Load(slice with { DType = rounded ? DType.BFloat16 : DType.Float32, RoundedProducts = rounded });
        using var stream = new LanguageActivations(model, sites, train, Rows, 0);
        SaeJob[] jobs = [.. sites.Select((site, k) => new SaeJob(site.ToString(), k, setup.Width))];
        var options = new SaeTrainingOptions
        {
            Sparsity = new TopKOptions { Active = setup.Active }, Tokens = (long)setup.Steps * setup.Batch, Batch = setup.Batch, Buffer = setup.Buffer, LearningRate = Rate, WarmUp = WarmUp, DeadAfter = DeadAfter,
        };
        // A step of another training warms up.
        using (var warm = new SaeTraining(stream, jobs, options with { Tokens = setup.Batch, Buffer = setup.Batch }, 1))
            warm.Advance();
        var seconds = double.MaxValue;
        IReadOnlyList<SparseAutoencoder> trained = [];
        for (var round = 0; round < setup.Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            using var training = new SaeTraining(stream, jobs, options, (ulong)round);
            while (!training.Finished)
                training.Advance();
            seconds = Math.Min(seconds, Stopwatch.GetElapsedTime(start).TotalSeconds);
            foreach (var earlier in trained)
                earlier.Dispose();
            trained = training.Export();
        }

        // Held activations are float32's, whatever training read.
        using var exact = rounded ? checkpoint.Load(slice) : null;
        using var texts = new LanguageActivations(exact ?? model, sites, held, Rows, null);
        var explained = new List<double>();
        foreach (var (k, sae) in trained.Index())
            using (sae)
            {
                using var quality = new ReconstructionQuality(sae.InputSize, sae.Width);
                for (var batch = 0L; batch < texts.Batches; batch++)
                {
                    using var inner = new TensorScope();
                    var x = texts.Read(0, batch)[k];
                    var z = sae.Encode(x);
                    quality.Add(x, z, sae.Decode(z, x));
                }
                explained.Add(quality.Read().ExplainedVariance ?? 0);
            }
        return new Trained(seconds, [.. explained], setting);
    }

    private static void Show(List<Row> rows, Setup setup, bool quick, bool json, int threads)
    {
        var tokens = setup.Steps * setup.Batch;
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                quick, threads, tokens,
                rows = rows.Select(row => new
                {
                    sites = row.Sites, peer = row.PeerSeconds, peer_setting = row.Peers[0].Setting, lethe = row.Lethe.Seconds, ratio = row.Ratio,
                    peer_explained_variance = row.Peers.Select(peer => peer.ExplainedVariance[0]), explained_variance = row.Lethe.ExplainedVariance,
                }),
            }));
            return;
        }
        if (quick)
            Console.WriteLine("A smoke run of a tiny model: the figures mean nothing.\n");
        Console.WriteLine($"| {tokens} activations of each site, {setup.Width} latents, {setup.Active} active | peer, one site a run | Lethe, one run | ratio | goal | explained variance, peer | Lethe |\n| --- | --- | --- | --- | --- | --- | --- |");
        foreach (var row in rows)
            Console.WriteLine(FormattableString.Invariant($"| {row.Sites} | {row.PeerSeconds:F1} s, {tokens * (double)row.Count / row.PeerSeconds:F0} a second ({row.Peers[0].Setting}) | {row.Lethe.Seconds:F1} s, {tokens * (double)row.Count / row.Lethe.Seconds:F0} a second | {row.Ratio:F2} | {row.Goal} | {Values(row.Peers.Select(peer => peer.ExplainedVariance[0]))} | {Values(row.Lethe.ExplainedVariance)} |"));
        Console.WriteLine(FormattableString.Invariant($"\nLethe: {threads} thread(s), libtorch {Engine.Version}."));

        static string Values(IEnumerable<double> values) => string.Join(", ", values.Select(value => value.ToString("F3", CultureInfo.InvariantCulture)));
    }

    // The first contexts of a text; no separators, so that every position but the first counts on both sides.
    private static PackedTokens Read(string shared, string file, LanguageCheckpoint checkpoint, int contexts)
    {
        var plan = new TextCorpusPlan { Path = Path.Combine(shared, "data", "text", file) };
        var text = string.Join("\n", new CorpusReader([plan], Path.Combine(shared, "plan.yaml")).Read().Select(document => document.Text));
        var all = LanguageTexts.Pack([text], checkpoint.Tokenizer, checkpoint.Special with { AddBos = false }, Context);
        if (all.Count < contexts)
            throw new UsageException($"--tokens asks for {contexts} contexts of {Context} tokens; {file} gives {all.Count}.");
        return PackedTokens.Of([[.. Enumerable.Range(0, contexts).SelectMany(k => all.Context(k).ToArray())]], Context);
    }

    private static IEnumerable<int[]> Contexts(PackedTokens tokens) => Enumerable.Range(0, tokens.Count).Select(k => tokens.Context(k).ToArray());

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
