using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>
/// Options of <see cref="RepresentationMisdirection"/>. The loss of a topic: mean ‖h(x_f) − c‖² + α · mean ‖h(x_r) − h₀(x_r)‖², h what leaves the layer read, h₀ the same in the untouched model.
/// </summary>
public abstract record RepresentationMisdirectionOptions : LowRankUnlearningOptions
{
    private protected RepresentationMisdirectionOptions(bool masked) => Masked = masked;

    /// <summary>The layer whose output is steered and held.</summary>
    [Description("The layer whose output is steered and held, from 0; 7 in the published recipe for Zephyr-7B")]
    [Range(0, 1000)]
    public int Layer { get; init; } = 7;

    /// <summary>The layers that are edited; empty: the layer read and the two below it.</summary>
    [Description("The layers that are edited, from 0; empty: the layer read and the two below it, as published")]
    [Range(0, 1000)]
    public IReadOnlyList<int> EditedLayers { get; init; } = [];

    /// <summary>What is edited of each layer.</summary>
    [Description("What is edited of each layer, by its name within the layer; mlp.last is the MLP's last matrix, the released code's param_ids 6")]
    [MinLength(1)]
    public IReadOnlyList<string> Matrices { get; init; } = ["mlp.last"];

    /// <summary>Length of the control vector: absolute as released, in median norms of the untouched hidden states where losses are masked.</summary>
    [Description("Length of the control vector: absolute in the released form, in median norms of the untouched hidden states otherwise")]
    [Range(1e-6, 1e9)]
    public double Steering { get; init; }

    /// <summary>α: weight of the retain loss.</summary>
    [Description("Weight of the retain loss")]
    [Range(0, 1e9)]
    public double Alpha { get; init; }

    /// <summary>Whether losses are over the positions that count, divided by the mean square of the untouched hidden states.</summary>
    internal bool Masked { get; }

    /// <summary>The layers that are edited.</summary>
    public IReadOnlyList<int> ResolvedLayers => EditedLayers.Count > 0 ? [.. EditedLayers.Distinct().Order()] : [.. Enumerable.Range(Math.Max(0, Layer - 2), Math.Min(Layer, 2) + 1)];
}

/// <summary>
/// RMU as its authors released it: every position counts, padding included, the control vector's length is absolute, nothing is scaled. Steering 6.5, α 1200, 150 steps, rate 5e-5 are the
/// published recipe for Zephyr-7B; the released command line's own defaults are 20, 100 and 80.
/// </summary>
[Description("RMU as released: every position counts, padding included, lengths are absolute; defaults of the published recipe for Zephyr-7B")]
public sealed record ReleasedRepresentationMisdirectionOptions : RepresentationMisdirectionOptions
{
    /// <summary>The published recipe.</summary>
    public ReleasedRepresentationMisdirectionOptions() : base(masked: false) => (Steering, Alpha) = (6.5, 1200);
}

/// <summary>
/// RMU with losses over the positions that count, divided by the mean square of the untouched hidden states, and a control vector measured in their median norm: the same options mean the same
/// in every model. Defaults from our first trials on SmolLM2-135M (docs/sspu.md).
/// </summary>
[Description("RMU over the positions that count, in units of the model's own hidden states; defaults from our trials on SmolLM2-135M")]
public sealed record MaskedRepresentationMisdirectionOptions : RepresentationMisdirectionOptions
{
    /// <summary>What our trials used.</summary>
    public MaskedRepresentationMisdirectionOptions() : base(masked: true) => (Steering, Alpha, LearningRate, Steps) = (3, 40, 1e-3, 250);
}

/// <summary>
/// RMU, representation misdirection for unlearning (Li et al., The WMDP Benchmark, ICML 2024, arXiv 2403.03218; centerforaisafety/wmdp, rmu/unlearn.py):
/// hidden states of forget text are pulled to a random vector c = s · u/‖u‖, u uniform in [0, 1)^D, while those of retain text are held at what they were:
/// minimise mean ‖h(x_f) − c‖² + α mean ‖h(x_r) − h₀(x_r)‖² by AdamW on the MLPs' last matrices of a few layers.
/// </summary>
/// <remarks>
/// Every coordinate of c is positive, in the paper as in the code. With several topics each has its own c and they take turns, as in the released code; its numbers of steps are then shared among them.
/// Not taken over: whole forwards with the head, a second model, gradients of weights that are not edited, max_length 512 for the first topic and 768 for the others.
/// </remarks>
public static class RepresentationMisdirection
{
    /// <summary>The slice that a checkpoint's RMU edits.</summary>
    /// <param name="weights">The checkpoint's weights.</param>
    /// <param name="options">Layers and matrices.</param>
    /// <exception cref="UsageException">A layer or matrix is not there.</exception>
    public static SliceOptions Slice(Models.Language.Checkpoints.IWeightSource weights, RepresentationMisdirectionOptions options) =>
        new() { Weights = LayerWeights.Of(weights, options.ResolvedLayers, options.Matrices), Reads = [options.Layer] };

    /// <summary>Prepares forgetting; with lengths in median norms it reads up to eight batches of each retain text.</summary>
    /// <param name="cache">The slice, made with <see cref="Slice"/>; stays the caller's.</param>
    /// <param name="topics">For each topic its forget and its retain text.</param>
    /// <param name="options">How.</param>
    /// <param name="seed">Decides the control vectors.</param>
    /// <param name="space">Chooses the update space of each matrix; null: as the options say.</param>
    /// <param name="stop">Stop criterion; null for none.</param>
    /// <exception cref="UsageException">There is no topic, or the cache reads other layers.</exception>
    public static SliceUnlearning Create(
        SliceCache cache, IReadOnlyList<(TextBatches Forget, TextBatches Retain)> topics, RepresentationMisdirectionOptions options, ulong seed,
        Func<EditedWeight, IUpdateSpace>? space = null, StopCriterion? stop = null)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var controls = new List<Tensor>();
        for (var k = 0; k < topics.Count; k++)
        {
            using var random = new RandomStream(RandomStream.ChildSeed(seed, $"control {k}"));
            var direction = Tensor.Rand([cache.Configuration.HiddenSize], random, cache.ComputeType);
            controls.Add((direction / direction.Norm()).To(cache.Device));
        }
        return Create(cache, topics, controls, options, space ?? options.Space(seed), stop);
    }

    /// <summary>The same with directions of the caller's.</summary>
    /// <param name="cache">The slice; stays the caller's.</param>
    /// <param name="topics">For each topic its forget and its retain text.</param>
    /// <param name="directions">For each topic the direction of its control vector, (D), of length 1.</param>
    /// <param name="options">How.</param>
    /// <param name="space">Chooses the update space of each matrix; null: every element moves.</param>
    /// <param name="stop">Stop criterion; null for none.</param>
    /// <exception cref="UsageException">There is no topic, or the cache reads other layers.</exception>
    public static SliceUnlearning Create(
        SliceCache cache, IReadOnlyList<(TextBatches Forget, TextBatches Retain)> topics, IReadOnlyList<Tensor> directions, RepresentationMisdirectionOptions options,
        Func<EditedWeight, IUpdateSpace>? space = null, StopCriterion? stop = null)
    {
        if (cache.Reads is not [var read] || read != options.Layer)
            throw new UsageException($"The slice reads layers {string.Join(", ", cache.Reads)}; RMU steers what leaves layer {options.Layer}.");
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var mean = options.Masked ? PositionMean.Masked : PositionMean.All;
        var made = new List<SliceTopic>();
        foreach (var ((forget, retain), direction) in topics.Zip(directions))
        {
            var scale = options.Masked ? cache.Norms(retain, read) : StateScale.One;
            var length = options.Steering * scale.MedianNorm;
            made.Add(new(forget, new SteeringLoss(direction * length, mean, scale.MeanSquare, scale.FarthestFrom(length)), retain, new RetentionLoss(mean, scale.MeanSquare, scale.Longest), options.Alpha));
        }
        return new(cache, made, options, space, stop);
    }
}
