using System.Globalization;
using System.Text.RegularExpressions;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>Which slice of a model is edited and read, and how much memory its cache may take.</summary>
public sealed record SliceOptions
{
    /// <summary>Names of the weights that are edited, as the checkpoint has them; <see cref="LayerWeights"/> makes them. At least one.</summary>
    public required IReadOnlyList<string> Weights { get; init; }

    /// <summary>Layers (from 0) of which what leaves them is read by the losses; at least one. The slice runs from the first edited layer to the last one read.</summary>
    public required IReadOnlyList<int> Reads { get; init; }

    /// <summary>The type that the weights are kept in. Default float32.</summary>
    public DType DType { get; init; } = DType.Float32;

    /// <summary>Where the model computes. Default the processor.</summary>
    public Device Device { get; init; } = Device.Cpu;

    /// <summary>The type that cached hidden states are kept in: float32, or bfloat16, which halves the memory and rounds them to 8 bits; null: that of the hidden states. Default null. What is not cached is rounded alike.</summary>
    public DType? Storage { get; init; }

    /// <summary>
    /// Whether, where of the first layer nothing but the MLP's last matrix is edited, the neurons that enter that matrix are kept in place of what enters the layer: the layer's attention and most of its MLP are then computed once, for
    /// (width + width of the MLP) / width times the memory. The numbers are the same. Default true; <see cref="Fitting"/> asks whether they fit.
    /// </summary>
    public bool KeepNeurons { get; init; } = true;

    /// <summary>The most bytes that the cache takes; batches beyond it are computed anew each time, with the same numbers. 0: no cache. Default 4 GiB.</summary>
    public long MaximumBytes { get; init; } = 4L << 30;

    /// <summary>These options where all of the batches fit into the cache with neurons, and without <see cref="KeepNeurons"/> where they do not: more batches are then kept.</summary>
    /// <param name="configuration">The model's shape.</param>
    /// <param name="batches">All batches; what the untouched slice gives is kept of each.</param>
    public SliceOptions Fitting(LanguageModelConfiguration configuration, IEnumerable<TextBatch> batches)
    {
        var (from, _) = SliceExtent.Range(configuration.Layers, this);
        var taken = SliceExtent.Positions(batches) * SliceExtent.PositionBytes(configuration, true, Storage ?? DType, Reads.Distinct().Count());
        return !SliceExtent.Divides(this, from) || taken <= MaximumBytes ? this : this with { KeepNeurons = false };
    }
}

/// <summary>Names of weights by layer, in whatever way a checkpoint names its layers.</summary>
public static partial class LayerWeights
{
    /// <summary>The MLP's last matrix, which writes to the residual stream, as the families call it.</summary>
    private static readonly string[] LastMlpMatrix = ["mlp.down_proj", "mlp.c_proj", "mlp.dense_4h_to_h"];

    /// <summary>The weights of some layers by what they are called within a layer.</summary>
    /// <param name="weights">The checkpoint's weights.</param>
    /// <param name="layers">Layers, from 0.</param>
    /// <param name="parts">Names within a layer, without ".weight", such as "mlp.down_proj" or "self_attn.o_proj"; "mlp.last" is the MLP's last matrix in every family (RMU's param_ids 6).</param>
    /// <exception cref="UsageException">A layer has no such weight.</exception>
    public static IReadOnlyList<string> Of(IWeightSource weights, IEnumerable<int> layers, params IReadOnlyList<string> parts) => Of(weights.Names, layers, parts);

    /// <inheritdoc cref="Of(IWeightSource, IEnumerable{int}, IReadOnlyList{string})"/>
    /// <param name="weights">Names of all weights.</param>
    /// <param name="layers">Layers, from 0.</param>
    /// <param name="parts">Names within a layer.</param>
    public static IReadOnlyList<string> Of(IEnumerable<string> weights, IEnumerable<int> layers, params IReadOnlyList<string> parts)
    {
        var names = weights.Select(name => (Name: name, Layer: LayerOf(name))).Where(entry => entry.Layer is not null).ToLookup(entry => entry.Layer!.Value, entry => entry.Name);
        var found = new List<string>();
        foreach (var layer in layers.Distinct().Order())
            foreach (var part in parts)
            {
                IReadOnlyList<string> wanted = part == "mlp.last" ? LastMlpMatrix : [part];
                found.Add(names[layer].FirstOrDefault(name => wanted.Any(want => name.EndsWith($".{layer.ToString(CultureInfo.InvariantCulture)}.{want}.weight", StringComparison.Ordinal)))
                    ?? throw new UsageException(names.Contains(layer)
                        ? $"Layer {layer} has no weight '{part}'; it has {string.Join(", ", names[layer].Where(name => name.EndsWith(".weight", StringComparison.Ordinal)).Select(Within))}."
                        : $"The model has no layer {layer}; its layers are 0 to {names.Max(group => group.Key)}."));
            }
        return found;
    }

    /// <summary>The layer that a weight belongs to; null for one outside of all layers.</summary>
    public static int? LayerOf(string name) => Layer().Match(name) is { Success: true } match ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : null;

    /// <summary>Whether a weight is the MLP's last matrix, or its bias.</summary>
    public static bool IsLastOfMlp(string name) => LastMlpMatrix.Any(last => name.Contains($".{last}.", StringComparison.Ordinal));

    private static string Within(string name) => name[(Layer().Match(name) is var match ? match.Index + match.Length : 0)..^".weight".Length];

    [GeneratedRegex(@"(?:^|\.)(?:layers|h)\.(\d{1,6})\.", RegexOptions.CultureInvariant)]
    private static partial Regex Layer();
}
