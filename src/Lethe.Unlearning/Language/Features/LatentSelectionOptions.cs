using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Lethe.Unlearning.Language.Features;

/// <summary>By what latents are held to be important for a text.</summary>
public enum LatentImportance
{
    /// <summary>Mean of z²: the diagonal of the Fisher information by the argument of DSG's paper (arXiv 2504.08192), and the score in the reconstruction of SSPU.</summary>
    MeanSquare,
    /// <summary>Square of the mean of z: what DSG's released code computes where its paper says mean of z².</summary>
    SquaredMean,
    /// <summary>Share of tokens with z ≠ 0 (Farrell et al., arXiv 2410.19278).</summary>
    Frequency,
    /// <summary>Mean over questions of (Σ z ∂margin/∂z)²: the effect on the answer's margin, to first order; see <see cref="CausalScores"/>.</summary>
    Causal,
}

/// <summary>Which latents are held to be relevant and irrelevant. Defaults are ours: the paper's are not public.</summary>
public sealed record LatentSelectionOptions
{
    /// <summary>Most relevant latents.</summary>
    [Description("Most relevant latents; with those that are irrelevant they make the rank of the subspaces (64 + 64 in our first trials)")]
    [Range(1, 65_536)]
    public int Relevant { get; init; } = 64;

    /// <summary>Most irrelevant latents.</summary>
    [Description("Most irrelevant latents")]
    [Range(1, 65_536)]
    public int Irrelevant { get; init; } = 64;

    /// <summary>Relevant latents are chosen among those whose ratio of forget to retain activity is at or above this percentile of all latents that fire.</summary>
    [Description("Relevant latents have a ratio of forget to retain activity at or above this percentile of all that fire; DSG's released code takes 90 or 95")]
    [Range(0, 100)]
    public double Percentile { get; init; } = 90;

    /// <summary>What the relevant ones are sorted by.</summary>
    [Description("What relevant latents are sorted by: mean_square, squared_mean (as DSG's released code), frequency (Farrell) or causal")]
    public LatentImportance Importance { get; init; } = LatentImportance.MeanSquare;

    /// <summary>Latents that fire on a larger share of retain tokens are never relevant; 1 leaves all.</summary>
    [Description("Latents that fire on a larger share of retain tokens than this are never relevant; 1 excludes none, 0.01 as in Farrell et al.")]
    [Range(0, 1)]
    public double MostRetainFrequency { get; init; } = 1;

    /// <summary>
    /// Irrelevant latents fire on at least this share of retain tokens. Without it the lowest of the ranking are latents that never fire at all, in an order that position decides, and their subspace
    /// is an arbitrary one.
    /// </summary>
    [Description("Irrelevant latents fire on at least this share of retain tokens, so that the subspace is one that text uses")]
    [Range(0, 1)]
    public double LeastRetainFrequency { get; init; } = 0.001;

    /// <summary>
    /// The ratio's denominator is at least this share of the mean retain activity of all latents, so that a latent which fires on one forget token and no retain token does not have a ratio of any size.
    /// </summary>
    [Description("Floor of the ratio's denominator, as a share of the mean retain activity of all latents; DSG's released code has 1e-21")]
    [Range(1e-30, 1)]
    public double Floor { get; init; } = 0.001;

    /// <summary>The most texts of each kind that are read.</summary>
    [Description("The most texts of each kind (to forget, to retain) that latents are scored on, spread evenly over them; tens of texts already choose nearly the same latents (features.chosen[].stability in result.json says how nearly)")]
    [Range(10, 10_000_000)]
    public int Texts { get; init; } = 10_000;

    /// <summary>What DSG's released code does (aashiqmuhamed/DynamicSAEGuardrails), with its numbers for cyber security; it has no irrelevant latents.</summary>
    public static LatentSelectionOptions DynamicGuardrails { get; } = new() { Relevant = 30, Percentile = 90, Importance = LatentImportance.SquaredMean, Floor = 1e-21 };

    /// <summary>What Farrell et al. do: rare on retain text, frequent on forget text, no ratio.</summary>
    public static LatentSelectionOptions Clamping { get; } = new() { Relevant = 20, Percentile = 0, Importance = LatentImportance.Frequency, MostRetainFrequency = 0.01 };
}
