using Lethe.Formats;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Unlearning.Tests.Language;

/// <summary>The tiny models of tests/Fixtures/language, what tests/Fixtures/unlearning computed with them, and texts of random tokens.</summary>
internal static class LanguageBench
{
    public static readonly LanguageModelConfiguration Tiny = new()
    {
        ModelType = "llama", VocabularySize = 40, HiddenSize = 16, IntermediateSize = 20, Layers = 4, Heads = 4, KeyValueHeads = 2, MaximumPositions = 32, TieEmbeddings = true,
    };

    public static LanguageCheckpoint Checkpoint(string name) => LanguageCheckpoint.Open(Repository.Fixture("language", name));

    /// <summary>A whole tiny model in memory, frozen; its weights are larger than training starts with, so that layers matter.</summary>
    public static CausalLanguageModel Model(DType type = DType.Float32, ulong seed = 1)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        using var random = new RandomStream(seed);
        var model = CausalLanguageModel.Initialise(Tiny, random, type);
        foreach (var (_, tensor) in model.NamedParameters())
        {
            if (tensor.Dimensions > 1)
                tensor.MulInPlace(8);
            tensor.RequiresGrad = false;
        }
        return model;
    }

    public static Tensor Golden(string model, string name)
    {
        using var file = SafetensorsFile.Open(Repository.Fixture("unlearning", model + ".safetensors"));
        return Tensor.From(file.Read(name));
    }

    /// <summary>A fixture's batches: (steps, rows, length) tokens, 1 where the mask has a token; pads are on the left.</summary>
    public static TextBatches GoldenBatches(string model, string which, bool countPadding)
    {
        var ids = Golden(model, $"rmu.{which}.input_ids");
        var (tokens, mask) = (ids.ToArray<long>(), Golden(model, $"rmu.{which}.attention_mask").ToArray<long>());
        var length = (int)ids.Size(2);
        var rows = Enumerable.Range(0, tokens.Length / length).Select(row =>
            Enumerable.Range(row * length, length).Where(k => mask[k] != 0).Select(k => (int)tokens[k]).ToArray()).ToArray();
        return TextBatches.Of(rows, new() { Rows = (int)ids.Size(1), Length = length, Padding = PaddingSide.Left, PadToken = 2, CountFirst = true, CountPadding = countPadding });
    }

    /// <summary>Random texts of 3 to <paramref name="longest"/> tokens.</summary>
    public static TextBatches Texts(ulong seed, int count, int longest = 9, TextBatchOptions? options = null)
    {
        var random = new SplitMix64(seed);
        return TextBatches.Of([.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, 3 + (int)random.Below(longest - 2)).Select(_ => (int)random.Below(40)).ToArray())], options ?? new() { Rows = 3 });
    }

    public static SliceOptions Slice(LanguageModelConfiguration configuration, params int[] layers) =>
        new() { Weights = [.. layers.Select(layer => $"model.layers.{layer}.mlp.down_proj.weight")], Reads = [Math.Min(configuration.Layers - 1, layers.Max())] };

    public static double Difference(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.Shape.ToArray(), actual.Shape.ToArray());
        return (expected.To(DType.Float64) - actual.To(DType.Float64)).Abs().Max().Item();
    }

    public static double Difference(HostArray expected, HostArray actual) => Difference(Tensor.From(expected), Tensor.From(actual));

    public static IReadOnlyDictionary<string, double> Values(this IReadOnlyList<(string Name, double Value)> measured) => measured.ToDictionary(entry => entry.Name, entry => entry.Value);

    public static bool SameBits(IReadOnlyDictionary<string, HostArray> one, IReadOnlyDictionary<string, HostArray> other) =>
        one.Count == other.Count && one.All(entry => other[entry.Key].Bytes.Span.SequenceEqual(entry.Value.Bytes.Span));

    /// <summary>Runs to the end.</summary>
    public static List<IReadOnlyDictionary<string, double>> Finish(ITrainingLoop loop)
    {
        var all = new List<IReadOnlyDictionary<string, double>>();
        while (!loop.Finished)
            all.Add(loop.Advance().Values());
        return all;
    }

    public static (SortedDictionary<string, HostArray> Tensors, SortedDictionary<string, string> Values) Saved(ITrainingLoop loop)
    {
        var state = new StateWriter();
        loop.Save(state);
        return (new(state.Tensors.ToDictionary()), new(state.Values.ToDictionary()));
    }
}
