using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Lethe.Models.SparseAutoencoders.Training;

/// <summary>What makes latents sparse, and how strongly.</summary>
[JsonDerivedType(typeof(TopKOptions), "top_k")]
[JsonDerivedType(typeof(BatchTopKOptions), "batch_top_k")]
[JsonDerivedType(typeof(ReluOptions), "relu")]
[JsonDerivedType(typeof(JumpReluOptions), "jump_relu")]
[JsonDerivedType(typeof(GatedOptions), "gated")]
public abstract record SaeSparsityOptions;

/// <summary>TopK with an auxiliary loss for dead latents (Gao et al. 2024, arXiv 2406.04093).</summary>
[Description("the K largest latents of each activation, with an auxiliary loss that brings dead latents back")]
public record TopKOptions : SaeSparsityOptions
{
    /// <summary>Active latents.</summary>
    [Description("Active latents of an activation")]
    [Range(1, 65_536)]
    public int Active { get; init; } = 32;

    /// <summary>Weight of the auxiliary loss.</summary>
    [Description("Weight of the loss by which dead latents model what the others leave over; 1/32 in the paper")]
    [Range(0.0, 10)]
    public double AuxiliaryWeight { get; init; } = 1.0 / 32;

    /// <summary>Dead latents in the auxiliary loss.</summary>
    [Description("Dead latents that take part for an activation; 0 for half of the activation's size, as in the paper")]
    [Range(0, 65_536)]
    public int AuxiliaryActive { get; init; }
}

/// <summary>BatchTopK (Bussmann et al. 2024, arXiv 2412.06410): K active latents on average over a batch.</summary>
[Description("K active latents on average over a batch; becomes a JumpReLU autoencoder with one threshold")]
public sealed record BatchTopKOptions : TopKOptions
{
    /// <summary>Rate of the threshold's average.</summary>
    [Description("Share by which the threshold follows the smallest latent that a batch leaves active; 0.01 in SAELens")]
    [Range(1e-6, 1)]
    public double ThresholdRate { get; init; } = 0.01;
}

/// <summary>ReLU with an L1 penalty, weighted by the decoder's norms (Conerly et al. 2024, Anthropic's April update).</summary>
[Description("ReLU with an L1 penalty weighted by the norms of the decoder's rows")]
public sealed record ReluOptions : SaeSparsityOptions
{
    /// <summary>The penalty.</summary>
    [Description("Weight of the penalty, for activations scaled to a mean norm of the square root of their size; 5 in Anthropic's April update")]
    [Range(0.0, 1e6)]
    public double Penalty { get; init; } = 5;
}

/// <summary>JumpReLU with a target number of active latents (Rajamanoharan et al. 2024, arXiv 2407.14435; the target as in dictionary_learning).</summary>
[Description("a threshold for each latent, learned by straight-through estimates towards a target number of active latents")]
public sealed record JumpReluOptions : SaeSparsityOptions
{
    /// <summary>The target.</summary>
    [Description("Active latents of an activation that training aims at")]
    [Range(0.1, 65_536)]
    public double Active { get; init; } = 32;

    /// <summary>Weight of the target.</summary>
    [Description("Weight of (active/target - 1)^2 beside the reconstruction loss of activations scaled to unit mean squared norm; 1 in dictionary_learning")]
    [Range(0.0, 1e6)]
    public double TargetWeight { get; init; } = 1;

    /// <summary>The thresholds at the start.</summary>
    [Description("Thresholds at the start; 0.001 in the paper")]
    [Range(1e-9, 10)]
    public double Threshold { get; init; } = 0.001;

    /// <summary>The bandwidth.</summary>
    [Description("Width of the kernel that thresholds learn by; 0.001 in the paper")]
    [Range(1e-9, 10)]
    public double Bandwidth { get; init; } = 0.001;
}

/// <summary>Gated (Rajamanoharan et al. 2024, arXiv 2404.16014).</summary>
[Description("one path decides which latents are active, another how much; the penalty acts on the first alone")]
public sealed record GatedOptions : SaeSparsityOptions
{
    /// <summary>The penalty.</summary>
    [Description("Weight of the L1 penalty on the gates, for activations scaled to a mean norm of the square root of their size")]
    [Range(0.0, 1e6)]
    public double Penalty { get; init; } = 5;
}

/// <summary>Element type in which the shuffle buffer holds activations.</summary>
public enum ActivationStorage
{
    /// <summary>32 bits.</summary>
    Float32,
    /// <summary>16 bits: half of the memory, two to three decimal digits.</summary>
    Bfloat16,
}

/// <summary>How sparse autoencoders are trained.</summary>
public sealed record SaeTrainingOptions
{
    /// <summary>What makes latents sparse.</summary>
    [Description("What makes latents sparse")]
    public SaeSparsityOptions Sparsity { get; init; } = new TopKOptions();

    /// <summary>Activations seen in all.</summary>
    [Description("Activations (tokens) that training sees in all, however many passes over the corpus that takes")]
    [Range(1, 1_000_000_000_000)]
    public long Tokens { get; init; } = 4_000_000;

    /// <summary>Activations in a step.</summary>
    [Description("Activations in a step; 2048 to 4096 in published trainings")]
    [Range(1, 1_048_576)]
    public int Batch { get; init; } = 2048;

    /// <summary>Adam's largest learning rate.</summary>
    [Description("Adam's largest learning rate; a trial with 4e-4 left no latent dead")]
    [Range(1e-9, 1)]
    public double LearningRate { get; init; } = 4e-4;

    /// <summary>Steps of warm-up.</summary>
    [Description("Steps over which the learning rate rises from 0")]
    [Range(0, 10_000_000)]
    public long WarmUp { get; init; } = 50;

    /// <summary>Share of decay.</summary>
    [Description("Share of the steps, at the end, over which the learning rate falls to 0 in a straight line; 0.2 in dictionary_learning")]
    [Range(0.0, 1)]
    public double Decay { get; init; } = 0.2;

    /// <summary>Steps over which the penalty grows.</summary>
    [Description("Steps over which a penalty grows from 0; of no meaning to top_k and batch_top_k")]
    [Range(0, 10_000_000)]
    public long SparsityWarmUp { get; init; } = 200;

    /// <summary>Activations without being active after which a latent counts as dead.</summary>
    [Description("Activations seen without it after which a latent counts as dead; 10 million in trainings of billions")]
    [Range(1, 1_000_000_000_000)]
    public long DeadAfter { get; init; } = 200_000;

    /// <summary>Size of the shuffle buffer.</summary>
    [Description("Activations that the shuffle buffer holds; memory is this times the sizes of all sites times the storage's bytes")]
    [Range(1, 1_000_000_000)]
    public long Buffer { get; init; } = 65_536;

    /// <summary>The buffer's element type.</summary>
    [Description("Element type in which the buffer holds activations")]
    public ActivationStorage Storage { get; init; } = ActivationStorage.Float32;

    /// <summary>Steps in all.</summary>
    internal long Steps => Math.Max(1, (Tokens + Batch - 1) / Batch);
}
