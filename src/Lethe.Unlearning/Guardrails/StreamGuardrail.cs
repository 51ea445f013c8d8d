using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Lethe.Torch;

namespace Lethe.Unlearning.Guardrails;

/// <summary>What a <see cref="StreamGuardrail"/> follows.</summary>
public enum StreamStatistic
{
    /// <summary>S_t = max(0, S_{t−1} + f_t − k), f_t being 1 where a latent is active (Page 1954).</summary>
    CumulativeSum,
    /// <summary>The share of the last positions at which a latent is active.</summary>
    Window,
}

/// <summary>Options of <see cref="StreamGuardrail"/>.</summary>
[Description("sets all latents to a negative value where one is active, in passages in which they are active often, whatever stands around those")]
public sealed record StreamGuardrailOptions : CalibratedGuardrailOptions
{
    /// <summary>The statistic.</summary>
    [Description("cumulative_sum grows where latents are active more often than on retain text and falls back to 0 elsewhere; window is the share of the last positions")]
    public StreamStatistic Statistic { get; init; } = StreamStatistic.CumulativeSum;

    /// <summary>p₁: the firing rate to be found.</summary>
    [Description("For cumulative_sum: the share of positions with an active latent that is to be found soonest; more than on retain text")]
    [Range(0.001, 0.999)]
    public double Detect { get; init; } = 0.5; // a passage about the subject; DSG's thresholds lie between 0.2 and 0.6

    /// <summary>Positions of the window.</summary>
    [Description("For window: how many positions it has")]
    [Range(2, WindowGate.Longest)]
    public int Window { get; init; } = 16; // about a sentence

    /// <summary>Whether it stays open.</summary>
    [Description("Whether a gate that opened stays open to the end of the text: then nothing said afterwards closes it")]
    public bool Latch { get; init; }

    /// <summary>c: all latents become −c.</summary>
    [Description("All latents become minus this; DSG's 500 is for layer 3 of gemma-2-2b-it")]
    [Range(0, 1e6)]
    public double Strength { get; init; } = 500;

    internal override Gate Gate(GuardrailCalibration calibration) => Statistic == StreamStatistic.Window
        ? new WindowGate(calibration.Needed(), Window, Latch)
        : new CumulativeSumGate(calibration.Needed(), DriftOf(calibration), Latch);

    internal override Guardrail Make(GuardrailParts parts) => new StreamGuardrail(parts, Strength);

    // With one firing more than there were, a rate of 0 has a logarithm.
    private double DriftOf(GuardrailCalibration calibration)
    {
        var benign = (calibration.FiringRate * calibration.Positions + 1) / (calibration.Positions + 2);
        return benign < Detect ? CumulativeSumGate.Drift(benign, Detect)
            : throw new BadInputException(FormattableString.Invariant($"One of the latents is active at {calibration.FiringRate:P1} of the retain text's {calibration.Positions} positions; detect is {Detect} and has to be more. Choose other latents, or a larger detect."));
    }
}

/// <summary>
/// z′_j = −c for all chosen latents j at positions where any of them is active, where a statistic of the positions just before exceeds h, the percentile of the statistic's largest value over retain texts. DSG's intervention
/// (arXiv 2504.08192) with a gate that forgets: padding a request with harmless text lowers a share over the whole text (it brought back .909 of what DSG hides), but not a cumulative sum (Page 1954, "Continuous inspection schemes",
/// Biometrika 41; such a gate cut that to .029 in a third party's reproduction, Lokesh-916/Model-Unlearning-Using-SAEs).
/// </summary>
public sealed class StreamGuardrail : Guardrail
{
    private readonly double strength;

    internal StreamGuardrail(GuardrailParts parts, double strength) : base(parts) => this.strength = strength;

    private protected override Tensor Edited(Tensor z) => Values(z, -strength).Expand(z.Shape.ToArray());
}
