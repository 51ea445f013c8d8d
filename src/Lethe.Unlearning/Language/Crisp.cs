using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Lethe.Models.Language;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>
/// Options of <see cref="Crisp"/>: L = (1 − β) · salient activation on forget text + β · mean squared change of hidden states on retain text + β γ · the same on coherence text. Defaults as released
/// (rank 4, α twice the rank, AMSGrad, rate 1e-5); the released code runs one epoch of single texts, here the steps are said.
/// </summary>
[Description("CRISP: salient latents of sparse autoencoders are suppressed on forget text by a low-rank change of all projections")]
public sealed record CrispOptions : LowRankUnlearningOptions
{
    /// <summary>The released choices.</summary>
    public CrispOptions() => (Rank, AmsGrad, LearningRate) = (4, true, 1e-5);

    /// <summary>The layers that are edited; empty: from two below the first autoencoder's layer to the last one's.</summary>
    [Description("The layers that are edited, from 0; empty: from two below the first autoencoder's layer to the last one's; 3 to 9 in the released settings")]
    [Range(0, 1000)]
    public IReadOnlyList<int> EditedLayers { get; init; } = [];

    /// <summary>What is edited of each layer.</summary>
    [Description("What is edited of each layer, by its name within the layer; all seven projections of a Llama-like layer as released")]
    [MinLength(1)]
    public IReadOnlyList<string> Matrices { get; init; } = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];

    /// <summary>Salient latents of each autoencoder.</summary>
    [Description("Salient latents of each autoencoder; 10 as released")]
    [Range(1, 100_000)]
    public int Latents { get; init; } = 10;

    /// <summary>Candidates: the latents that fire most more often on forget than on retain text.</summary>
    [Description("Candidates for salient latents: those that fire more often on forget text by the most; 10000 as released")]
    [Range(1, 10_000_000)]
    public int Candidates { get; init; } = 10_000;

    /// <summary>How many times more a salient latent must be active on forget text.</summary>
    [Description("How many times more a salient latent must be active on forget text than on retain text; 3 as released")]
    [Range(0.0, 1e9)]
    public double LeastRatio { get; init; } = 3;

    /// <summary>β: weight of what stays against what is suppressed.</summary>
    [Description("Weight of the retain loss; the forget loss has 1 less this; 0.99 as released")]
    [Range(0.0, 1.0)]
    public double Beta { get; init; } = 0.99;

    /// <summary>γ: weight of the coherence text beside the retain text.</summary>
    [Description("Weight of the coherence text beside the retain text, where there is coherence text; 0.01 as released")]
    [Range(0.0, 1e6)]
    public double Gamma { get; init; } = 0.01;

    /// <summary>How far below zero a latent is pushed where the untouched model fired, in its mean activations on forget text.</summary>
    [Description("How far below zero a salient latent is pushed where the untouched model fired, in units of its mean activation; 5 as released")]
    [Range(0.0, 1e6)]
    public double Push { get; init; } = 5;
}

/// <summary>The latents that CRISP suppresses at one site.</summary>
/// <param name="Sae">An autoencoder of what leaves a layer; stays the caller's.</param>
/// <param name="Latents">Numbers of the latents; at least one.</param>
/// <param name="Means">Mean activation of each on forget text, where it fires.</param>
public sealed record SalientLatents(SparseAutoencoder Sae, IReadOnlyList<long> Latents, IReadOnlyList<double> Means)
{
    /// <summary>The layer whose output the autoencoder reads.</summary>
    /// <exception cref="BadInputException">It names no such site.</exception>
    public int Layer => Sae.Site is { Layer: not null } named && Site.Parse(named.Name) is { Kind: SiteKind.ResidualAfter } site ? site.Layer
        : throw new BadInputException($"CRISP reads what leaves a layer (layers.7.residual_after); the autoencoder {(Sae.Site is null ? "names no site" : $"belongs to {Sae.Site}")}.");

    /// <summary>
    /// Chooses latents as CRISP does: of the candidates, which fire on forget text more often than on retain text by the most, those that are LeastRatio times more active there; the first of them.
    /// </summary>
    /// <param name="sae">The autoencoder.</param>
    /// <param name="forget">What the forget text makes of its latents.</param>
    /// <param name="retain">What the retain text makes of them. Counted as if it had as many tokens as the forget text; the released code compares raw counts, so that its choice depends on how much text there is.</param>
    /// <param name="options">How many, how strictly.</param>
    /// <exception cref="RunFailedException">No latent passes.</exception>
    public static SalientLatents Choose(SparseAutoencoder sae, LatentReading forget, LatentReading retain, CrispOptions options)
    {
        var scale = (double)forget.Activations / Math.Max(1, retain.Activations);
        var chosen = Enumerable.Range(0, forget.Active.Length)
            .Where(latent => forget.Active[latent] > 0)
            .OrderByDescending(latent => forget.Active[latent] - scale * retain.Active[latent]) // stable: ties by number
            .Take(options.Candidates)
            .Where(latent => forget.Sum[latent] / (scale * retain.Sum[latent] + 1) >= options.LeastRatio)
            .Take(options.Latents).ToArray();
        return chosen.Length > 0
            ? new(sae, [.. chosen.Select(latent => (long)latent)], [.. chosen.Select(latent => forget.Sum[latent] / forget.Active[latent])])
            : throw new RunFailedException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"No latent of the autoencoder {sae.Site} is {options.LeastRatio} times more active on forget text than on retain text: it does not tell them apart. Lower method.least_ratio, or choose another layer."));
    }
}

/// <summary>
/// CRISP (Ashuach et al., arXiv 2508.13650; tomerashuach/CRISP): the latents of sparse autoencoders that are salient for the forget text are suppressed there, by a low-rank change of all projections of some layers, while
/// hidden states of retain text are held: L = (1 − β) L_forget + β L_retain + β γ L_coherence, with
/// L_forget = mean over positions and latents of ReLU(a + 1[z₀ &gt; 0] · push · m), a the pre-activation of a latent, z₀ its activation in the untouched model, m its mean activation on forget text.
/// </summary>
/// <remarks>
/// Where the released code is not followed: it reads hidden_states[layer], which enters the layer, where its autoencoders were trained on what leaves it; it masks position 0 as BOS although its padding is on the left; its six forwards
/// a step run the whole model; its coherence term compares the last layer's hidden states, here those of the layers read, so that nothing above them is run. There is no dropout (0.05 as released).
/// </remarks>
public static class Crisp
{
    /// <summary>The slice that is edited.</summary>
    /// <param name="weights">The checkpoint's weights.</param>
    /// <param name="salient">The latents.</param>
    /// <param name="options">Layers and matrices.</param>
    /// <exception cref="UsageException">A layer or matrix is not there.</exception>
    /// <exception cref="BadInputException">An autoencoder is none of what leaves a layer.</exception>
    public static SliceOptions Slice(Models.Language.Checkpoints.IWeightSource weights, IReadOnlyList<SalientLatents> salient, CrispOptions options)
    {
        int[] reads = [.. salient.Select(one => one.Layer).Distinct().Order()];
        var from = Math.Max(0, reads[0] - 2);
        IReadOnlyList<int> edited = options.EditedLayers.Count > 0 ? options.EditedLayers : [.. Enumerable.Range(from, reads[^1] - from + 1)];
        return new() { Weights = LayerWeights.Of(weights, edited, options.Matrices), Reads = reads };
    }

    /// <summary>Prepares forgetting.</summary>
    /// <param name="cache">The slice, made with <see cref="Slice"/>; stays the caller's.</param>
    /// <param name="forget">What is to be forgotten.</param>
    /// <param name="retain">What must stay.</param>
    /// <param name="coherence">Text of the kind that the model writes about the topic without the knowledge; null: no such term.</param>
    /// <param name="salient">The latents, on the device of the slice.</param>
    /// <param name="options">How.</param>
    /// <param name="seed">Decides the initial values of the low-rank spaces.</param>
    /// <param name="space">Chooses the update space of each matrix; null: as the options say.</param>
    /// <param name="stop">Stop criterion; null for none.</param>
    /// <exception cref="UsageException">The slice does not read an autoencoder's layer.</exception>
    public static SliceUnlearning Create(
        SliceCache cache, TextBatches forget, TextBatches retain, TextBatches? coherence, IReadOnlyList<SalientLatents> salient, CrispOptions options, ulong seed,
        Func<EditedWeight, IUpdateSpace>? space = null, StopCriterion? stop = null)
    {
        if (salient.FirstOrDefault(one => !cache.Reads.Contains(one.Layer)) is { } missing)
            throw new UsageException($"The slice reads layers {string.Join(", ", cache.Reads)}; an autoencoder belongs to layer {missing.Layer}.");
        var topic = new SliceTopic(forget, new SalientActivationLoss(salient, options.Push), retain, new RetentionLoss(PositionMean.Masked), options.Beta)
        {
            ForgetWeight = 1 - options.Beta,
            Further = coherence is null ? [] : [new(coherence, new RetentionLoss(PositionMean.Masked), options.Beta * options.Gamma)],
        };
        return new(cache, [topic], options, space ?? options.Space(seed), stop);
    }
}

/// <summary>CRISP's forget loss: the mean over positions that count, and over salient latents, of ReLU(a + 1[z₀ &gt; 0] · push · m); several autoencoders' means are averaged.</summary>
public sealed class SalientActivationLoss : IHiddenLoss
{
    private readonly IReadOnlyList<SalientLatents> salient;
    private readonly LatentSubset[] subsets;
    private readonly Tensor[] pushes;
    private readonly Dictionary<(TextBatch Batch, int Sae), Tensor> raised = [];

    /// <param name="salient">The latents; the autoencoders stay the caller's.</param>
    /// <param name="push">How far below zero each is pushed, in its mean activations.</param>
    public SalientActivationLoss(IReadOnlyList<SalientLatents> salient, double push)
    {
        ArgumentOutOfRangeException.ThrowIfZero(salient.Count, nameof(salient));
        this.salient = salient;
        using var scope = new TensorScope();
        subsets = [.. salient.Select(one => new LatentSubset(one.Sae, one.Latents))];
        pushes = [.. salient.Select(one => TensorScope.Detach(Tensor.FromArray(one.Means.Select(mean => push * Math.Abs(mean)).ToArray()).To(one.Sae.Encoder.DType).To(one.Sae.Encoder.Device)))];
    }

    /// <inheritdoc/>
    public bool NeedsFrozen => true;

    /// <inheritdoc/>
    public Tensor Loss(HiddenStates states)
    {
        var each = new Tensor[salient.Count];
        for (var k = 0; k < each.Length; k++)
        {
            var pre = subsets[k].Own.PreActivations(states.UpdatedAt(salient[k].Layer)); // (B, T, n)
            var active = (pre + Raised(states, k)).Relu().Mean(-1).To(states.Mask.DType);
            each[k] = ((active * states.Mask).Sum(1) / states.Mask.Sum(1)).Mean();
        }
        return each.Length == 1 ? each[0] : Tensor.Stack(each).Mean();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var subset in subsets)
            subset.Dispose();
        foreach (var tensor in pushes.Concat(raised.Values))
            tensor.Dispose();
        raised.Clear();
    }

    /// <summary>1[z₀ &gt; 0] · push · m, (B, T, n); the untouched model's, so made once for each batch.</summary>
    private Tensor Raised(HiddenStates states, int k)
    {
        if (raised.TryGetValue((states.Batch, k), out var known))
            return known;
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var fired = subsets[k].Encode(states.FrozenAt(salient[k].Layer)).Gt(0.0);
        return raised[(states.Batch, k)] = TensorScope.Detach(fired.To(pushes[k].DType) * pushes[k]);
    }
}
