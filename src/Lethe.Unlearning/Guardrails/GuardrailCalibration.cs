using Lethe.Torch;

namespace Lethe.Unlearning.Guardrails;

/// <summary>What text told about a guardrail's latents.</summary>
public sealed record GuardrailCalibration
{
    /// <summary>What the statistic has to exceed; null where the kind has no threshold from text.</summary>
    public double? Threshold { get; init; }

    /// <summary>The percentile of retain sequences that it is; null where it is none.</summary>
    public double? Percentile { get; init; }

    /// <summary>Retain sequences read.</summary>
    public int Sequences { get; init; }

    /// <summary>Positions of them that counted: all but each sequence's first.</summary>
    public long Positions { get; init; }

    /// <summary>The most tokens of a sequence.</summary>
    public int Length { get; init; }

    /// <summary>Share of those positions at which one of the latents is active.</summary>
    public double FiringRate { get; init; }

    /// <summary>Share of those sequences in which something is edited, threshold and all.</summary>
    public double Touched { get; init; }

    /// <summary>Mean of each latent where it is active, in the latents' order; null where no latent's unit is asked for.</summary>
    public IReadOnlyList<double>? MeanActive { get; init; }

    /// <summary>Mean norm of the activations at the site, first positions left out.</summary>
    public double? Norm { get; init; }

    /// <summary>SHA-256 of the retain text and of how it was read; null where the caller has none.</summary>
    public string? RetainDigest { get; init; }

    /// <summary>That of the text that the latents' means come from; null where they come from the retain text, or are not asked for.</summary>
    public string? MeansDigest { get; init; }

    /// <summary>What is known where no text was read.</summary>
    public static GuardrailCalibration None { get; } = new();

    /// <summary>The threshold.</summary>
    /// <exception cref="BadInputException">Text has not told it.</exception>
    internal double Needed() => Threshold ?? throw new BadInputException("The guardrail's threshold comes from retain text, and none was read; calibrate it.");
}
