using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lethe.Formats;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Generation;
using Lethe.Torch;

namespace Lethe.Benchmarks.LanguageModels;

/// <summary>
/// Prefill, decode and memory of a Llama model in the shape of SmolLM2-135M with random weights, against the same model in plain PyTorch
/// (benchmarks/peer/language_model.py). Both read one Hugging Face directory; each measurement is a process of its own.
/// </summary>
internal static class LanguageModelBenchmark
{
    private const string Usage = """
        options of language-model:
          --quick        a tiny model and few tokens, to see that everything runs; the figures mean nothing
          --model PATH   SmolLM2 or another Llama model with a tied head, whose weights both sides get in float32; default: random weights of SmolLM2-135M's shape
          --threads N    threads of Lethe; default: the number of cores
          --json         one JSON document in place of the table
        """;

    // Prompt k is token (3 + k · 7919) mod vocabulary: every part of the embedding, the same on both sides.
    private const int Stride = 7919;

    /// <summary>What one process measured.</summary>
    private sealed record Figures(double Prefill, double Decode, int[] Tokens, int Threads = 0, string? WaitPolicy = null, double Load = 0, long EmptyBytes = 0, long PeakBytes = 0, long WeightBytes = 0, long CacheBytes = 0);

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };

    public static void Run(string[] arguments)
    {
        if (arguments is ["own", var folder, var threads, var promptLength, var tokens, var rounds])
        {
            Own(folder, Number(threads), Number(promptLength), Number(tokens), Number(rounds));
            return;
        }
        if (arguments is ["write", var target, var size])
        {
            Engine.Run(() => Write(target, size == "quick"));
            return;
        }
        if (arguments is ["convert", var source, var into])
        {
            using var checkpoint = LanguageCheckpoint.Open(source);
            checkpoint.Save(into, new Dictionary<string, HostArray>());
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
        var (prompt, made, times) = quick ? (16, 8, 1) : (512, 64, 3);
        var model = Directory.CreateTempSubdirectory("lethe-language-model-").FullName;
        try
        {
            _ = weights.Length > 0 ? Child("language-model", "convert", weights, model) : Child("language-model", "write", model, quick ? "quick" : "whole");
            var peers = new List<Figures>();
            foreach (var (peerThreads, policy) in quick ? [(1, "passive")] : ((int, string)[])[(1, "passive"), (1, "active"), (2, "passive"), (2, "active")])
            {
                Console.Error.WriteLine($"peer, {peerThreads} thread(s), {policy} waiting");
                peers.Add(Peer.Run("language_model.py", peerThreads, policy, ["--folder", model, "--threads", Text(peerThreads), "--prompt", Text(prompt), "--tokens", Text(made), "--rounds", Text(times), "--stride", Text(Stride)])
                    .Deserialize<Figures>(Json)! with { WaitPolicy = policy });
            }
            Console.Error.WriteLine($"Lethe, {own} thread(s)");
            var ours = JsonSerializer.Deserialize<Figures>(Child("language-model", "own", model, Text(own), Text(prompt), Text(made), Text(times)), Json)!;
            if (!ours.Tokens.SequenceEqual(peers[0].Tokens))
                throw new RunFailedException("The two sides do not make the same greedy tokens, so they do not compute the same model.");
            Show(peers, ours, prompt, made, quick, json);
        }
        finally
        {
            Directory.Delete(model, recursive: true);
        }
    }

    private static void Show(List<Figures> peers, Figures ours, int prompt, int made, bool quick, bool json)
    {
        var (prefill, decode) = (peers.MinBy(peer => peer.Prefill)!, peers.MinBy(peer => peer.Decode)!);
        var memory = (ours.PeakBytes - ours.EmptyBytes) / (double)(ours.WeightBytes + ours.CacheBytes);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { quick, prompt, tokens = made, peers, lethe = ours, ratios = new { prefill = prefill.Prefill / ours.Prefill, decode = decode.Decode / ours.Decode, memory } }, Json));
            return;
        }
        FormattableString table = $"""
            {(quick ? "A smoke run of a tiny model: the figures mean nothing.\n\n" : "")}| SmolLM2-135M's shape, float32, one text | peer | Lethe | ratio | goal |
            | --- | --- | --- | --- | --- |
            | prefill of {prompt} tokens | {prefill.Prefill * 1e3:F0} ms ({prefill.Threads} thread(s), {prefill.WaitPolicy}) | {ours.Prefill * 1e3:F0} ms | {prefill.Prefill / ours.Prefill:F2} | 1 |
            | decode, a token after {prompt}–{prompt + made} | {decode.Decode * 1e3:F1} ms ({decode.Threads} thread(s), {decode.WaitPolicy}) | {ours.Decode * 1e3:F1} ms | {decode.Decode / ours.Decode:F2} | 1 |
            | peak anonymous memory, less the empty process's {ours.EmptyBytes / 1e6:F0} MB, over weights ({ours.WeightBytes / 1e6:F0} MB) + cache ({ours.CacheBytes / 1e6:F1} MB) | | {(ours.PeakBytes - ours.EmptyBytes) / 1e6:F0} MB | {memory:F3} | ≤ 1.2 |

            Lethe: {ours.Threads} thread(s), libtorch {Engine.Version}; loading took {ours.Load:F2} s. Both made the same {made} greedy tokens.
            """;
        Console.WriteLine(FormattableString.Invariant(table));
    }

    private static void Own(string folder, int threads, int prompt, int tokens, int rounds)
    {
        Engine.Threads = threads;
        Engine.Run(() =>
        {
            using var memory = new ProcessMemory();
            var empty = ProcessMemory.Anonymous;
            var start = Stopwatch.GetTimestamp();
            using var checkpoint = LanguageCheckpoint.Open(folder);
            using var model = checkpoint.Load();
            var load = Stopwatch.GetElapsedTime(start).TotalSeconds;
            int[] ids = [.. Enumerable.Range(0, prompt).Select(k => (3 + k * Stride) % model.Configuration.VocabularySize)];
            var (prefill, decode, made) = (double.MaxValue, double.MaxValue, Array.Empty<int>());
            // The first round warms up.
            for (var round = 0; round <= rounds; round++)
            {
                var (begin, first) = (Stopwatch.GetTimestamp(), 0L);
                var answer = TokenGeneration.Run(model, [ids], new GenerationOptions { MaximumTokens = tokens }, (_, _) =>
                {
                    if (first == 0)
                        first = Stopwatch.GetTimestamp();
                    return true;
                })[0];
                made = [.. answer.Tokens];
                if (round == 0)
                    continue;
                prefill = Math.Min(prefill, Stopwatch.GetElapsedTime(begin, first).TotalSeconds);
                decode = Math.Min(decode, Stopwatch.GetElapsedTime(first).TotalSeconds / (tokens - 1));
            }
            var c = model.Configuration;
            var cache = 2L * c.Layers * c.KeyValueHeads * c.HeadSize * (prompt + tokens - 1) * 4;
            Console.WriteLine(JsonSerializer.Serialize(new Figures(prefill, decode, made, threads, null, load, empty, memory.Peak, model.ParameterCount() * 4, cache), Json));
        });
    }

    private static void Write(string folder, bool quick)
    {
        // HuggingFaceTB/SmolLM2-135M-Instruct, config.json.
        var c = new LanguageModelConfiguration
        {
            ModelType = "llama", VocabularySize = quick ? 300 : 49152, HiddenSize = quick ? 64 : 576, IntermediateSize = quick ? 96 : 1536, Layers = quick ? 3 : 30, Heads = quick ? 4 : 9, KeyValueHeads = quick ? 2 : 3,
            MaximumPositions = 8192, NormEpsilon = 1e-5, RopeTheta = 100000, TieEmbeddings = true,
        };
        using var random = new RandomStream(1);
        using var model = CausalLanguageModel.Initialise(c, random);
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), model.StateDict());
        AtomicFile.WriteAllBytes(Path.Combine(folder, "config.json"), JsonSerializer.SerializeToUtf8Bytes(new
        {
            model_type = c.ModelType, architectures = new[] { "LlamaForCausalLM" }, vocab_size = c.VocabularySize, hidden_size = c.HiddenSize, intermediate_size = c.IntermediateSize, num_hidden_layers = c.Layers,
            num_attention_heads = c.Heads, num_key_value_heads = c.KeyValueHeads, max_position_embeddings = c.MaximumPositions, rms_norm_eps = c.NormEpsilon, rope_theta = c.RopeTheta, tie_word_embeddings = true, hidden_act = "silu", torch_dtype = "float32",
        }));
    }

    /// <summary>Another process of this program, so that memory is measured from the beginning; gives its last line.</summary>
    internal static string Child(string benchmark, params string[] arguments)
    {
        // Started as a program of its own, or by dotnet.
        string[] program = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(LanguageModelBenchmark).Assembly.Location] : [];
        var start = new ProcessStartInfo(Environment.ProcessPath!, [.. program, benchmark, .. arguments]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output.Trim().Split('\n')[^1] : throw new RunFailedException($"The measurement '{arguments[0]}' ended with {process.ExitCode}.");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
