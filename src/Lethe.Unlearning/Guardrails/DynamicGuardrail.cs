using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Lethe.Torch;

namespace Lethe.Unlearning.Guardrails;

/// <summary>Options of <see cref="DynamicGuardrail"/>.</summary>
[Description("sets all latents to a negative value where one is active, in texts in which they are active often (DSG, arXiv 2504.08192)")]
public sealed record DynamicGuardrailOptions : CalibratedGuardrailOptions
{
    /// <summary>c: all latents become −c.</summary>
    [Description("All latents become minus this; 500 is published for layer 3 of gemma-2-2b-it")]
    [Range(0, 1e6)]
    public double Strength { get; init; } = 500;

    /// <summary>Positions that the share is at least over.</summary>
    [Description("The share is over this many positions at least, so that a text's first words do not open the gate by themselves; 1 is the published share")]
    [Range(1, 4096)]
    public int Beginning { get; init; } = 8;

    internal override Gate Gate(GuardrailCalibration calibration) => new ShareGate(calibration.Needed(), Beginning);

    internal override Guardrail Make(GuardrailParts parts) => new DynamicGuardrail(parts, Strength);
}

/// <summary>
/// z′_j = −c for all chosen latents j at positions where any of them is active, once the share of such positions ρ exceeds τ, the percentile of ρ over retain text: DSG, Muhamed et al. 2025,
/// "SAEs can improve unlearning: dynamic sparse autoencoder guardrails for precision unlearning in LLMs" (arXiv 2504.08192).
/// </summary>
/// <remarks>
/// Here ρ_t = (positions up to t at which one is active) / max(t, beginning), and decides at t. At the last position that is the published ρ of the text so far. The published ρ is that of the whole text at every position, so
/// that what comes later changes what came before: with a cache, where the past is not computed again, it cannot be had, and released code under a cache takes the share of a single new token. τ is chosen for the largest ρ_t
/// of a retain text, so that the percentile is the share of texts that stay untouched at all of their positions. Padding and the first token do not count; the released code counts both.
/// </remarks>
public sealed class DynamicGuardrail : Guardrail
{
    private readonly double strength;

    internal DynamicGuardrail(GuardrailParts parts, double strength) : base(parts) => this.strength = strength;

    private protected override Tensor Edited(Tensor z) => Values(z, -strength).Expand(z.Shape.ToArray());
}
