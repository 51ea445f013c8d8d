using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lethe.Torch;

namespace Lethe.Unlearning.Guardrails;

/// <summary>Options of <see cref="Clamp"/>.</summary>
[Description("sets each latent that is active to a negative value (Farrell et al., arXiv 2410.19278)")]
public sealed record ClampOptions : GuardrailOptions
{
    /// <summary>c: active latents become −c.</summary>
    [Description("Active latents become minus this; published values are 1 to 500, 20 for 18 latents of gemma-2b-it")]
    [Range(0, 1e6)]
    public double Strength { get; init; } = 20;

    /// <summary>Whether c is in units of the latents' means.</summary>
    [Description("Whether strength is in units of each latent's mean where it is active, as text tells; otherwise, as published, in the activations' own unit, which differs from model to model and from layer to layer")]
    public bool Relative { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override bool IsRelative => Relative;

    internal override Gate Gate(GuardrailCalibration calibration) => new LevelGate(0);

    internal override Guardrail Make(GuardrailParts parts) => new Clamp(parts, this);
}

/// <summary>
/// Where z_j &gt; 0, z′_j = −c (or −c · mean of z_j where active), each chosen latent for itself: Farrell et al. 2024, "Applying sparse autoencoders to unlearn knowledge in
/// language models" (arXiv 2410.19278; code AMindToThink/sae_jailbreak_unlearning, src/scripts/unlearning_with_saes). The error term is kept, as there. Positions in which no latent is active
/// keep their bits here; there they take the rounding of a subtraction and an addition.
/// </summary>
public sealed class Clamp : Guardrail
{
    private readonly double strength;

    internal Clamp(GuardrailParts parts, ClampOptions options) : base(parts) => strength = options.Strength;

    private protected override Tensor Edited(Tensor z) => Values(z, -strength).Where(z.Gt(0.0), z);
}
