using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lethe.Torch;

namespace Lethe.Unlearning.Guardrails;

/// <summary>Options of <see cref="ConditionalClamp"/>.</summary>
[Description("sets each latent that exceeds a threshold to a value (Khoriaty et al., arXiv 2503.11127)")]
public sealed record ConditionalClampOptions : CalibratedGuardrailOptions
{
    /// <summary>The value.</summary>
    [Description("What latents over the threshold become; the threshold itself is the published choice, below 0 steers away")]
    [Range(-1e6, 1e6)]
    public double Value { get; init; } = -20; // Farrell et al.'s −c

    /// <summary>The threshold.</summary>
    [Description("What a latent has to exceed; null takes percentile of the retain text")]
    [Range(0, 1e6)]
    public double? Threshold { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override double? ThresholdPercentile => Threshold is null ? Percentile : null;

    internal override Gate Gate(GuardrailCalibration calibration) => new LevelGate(ThresholdOf(calibration));

    internal override Guardrail Make(GuardrailParts parts) => new ConditionalClamp(parts, this);

    internal double ThresholdOf(GuardrailCalibration calibration) => Threshold ?? calibration.Needed();
}

/// <summary>
/// Where z_j &gt; threshold, z′_j = value, each chosen latent for itself. "Clamp Prime" of Khoriaty et al. 2025, "Don't forget it! Conditional sparse autoencoder clamping works
/// for unlearning" (arXiv 2503.11127; code AMindToThink/sae_jailbreak_unlearning, clamp_conditional) has threshold = value. The released code compares with a negative value too, and then
/// sets the latent everywhere, active or not; here the threshold is 0 at least.
/// </summary>
public sealed class ConditionalClamp : Guardrail
{
    private readonly double value, threshold;

    internal ConditionalClamp(GuardrailParts parts, ConditionalClampOptions options) : base(parts) => (value, threshold) = (options.Value, options.ThresholdOf(parts.Calibration));

    // In float64, as the gate compares.
    private protected override Tensor Edited(Tensor z) => Values(z, value).Where(InUnits(z).To(DType.Float64).Gt(threshold), z);
}
