using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>Where a slice begins and ends, and what a position of its cache takes.</summary>
internal static class SliceExtent
{
    /// <summary>Sites of a layer that lie before its neurons.</summary>
    public static readonly SiteKind[] BeforeNeurons = [SiteKind.ResidualBefore, SiteKind.Heads, SiteKind.AttentionOutput, SiteKind.AttentionAdded, SiteKind.ResidualMiddle];

    /// <summary>From the first edited layer to one past the last one read.</summary>
    /// <exception cref="UsageException">Nothing is edited or read, or an edit could not be seen.</exception>
    public static (int From, int To) Range(int layers, SliceOptions options)
    {
        if (options.Weights.Count == 0)
            throw new UsageException("No weight is edited; name at least one.");
        if (options.Reads.Count == 0)
            throw new UsageException("No layer is read; name at least one.");
        if (options.Storage is not (null or DType.Float32 or DType.BFloat16))
            throw new UsageException($"Hidden states cannot be kept as {options.Storage}; float32 and bfloat16 are possible.");
        foreach (var layer in options.Reads)
            if (layer < 0 || layer >= layers)
                throw new UsageException($"Layer {layer} cannot be read; the model has layers 0 to {layers - 1}.");
        if (options.Weights.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new UsageException($"The weight '{twice.Key}' is named twice.");
        var edited = options.Weights.Select(name => LayerWeights.LayerOf(name) ?? throw new UsageException($"The weight '{name}' belongs to no layer; a slice edits weights of layers.")).ToArray();
        var (first, last) = (edited.Min(), edited.Max());
        if (last > options.Reads.Max())
            throw new UsageException($"Layer {last} is edited, but what is read leaves layer {options.Reads.Max()}, so that the edit could not be seen. Read a layer that is not below the edited ones.");
        if (options.Reads.Min() < first)
            throw new UsageException($"Layer {options.Reads.Min()} is read, but the first edited layer is {first}, so that nothing changes there. Read layers that are not below the first edited one.");
        return (first, options.Reads.Max() + 1);
    }

    /// <summary>Whether a slice is entered at the neurons: of the first layer nothing is edited but what comes after them.</summary>
    public static bool Divides(SliceOptions options, int from) => options.KeepNeurons && options.Weights.All(name => LayerWeights.LayerOf(name) != from || LayerWeights.IsLastOfMlp(name));

    /// <summary>Positions of batches that are kept.</summary>
    public static long Positions(IEnumerable<TextBatch> batches) => batches.Distinct().Sum(batch => batch.Positions);

    /// <summary>Bytes that a position takes: what enters, and what leaves the untouched slice at as many layers as are kept.</summary>
    public static long PositionBytes(LanguageModelConfiguration c, bool divided, DType storage, int frozen)
    {
        var neurons = c.IntermediateSize + (c.ParallelResidual ? c.HiddenSize : 0);
        return storage.Size() * ((long)c.HiddenSize * (1 + frozen) + (divided ? neurons : 0));
    }
}
