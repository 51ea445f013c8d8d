using System.ComponentModel;
using Lethe.Torch;

namespace Lethe.Unlearning.Guardrails;

/// <summary>Options of <see cref="ZeroAblation"/>: none.</summary>
[Description("sets the latents to 0")]
public sealed record ZeroAblationOptions : GuardrailOptions
{
    internal override Gate Gate(GuardrailCalibration calibration) => new LevelGate(0);

    internal override Guardrail Make(GuardrailParts parts) => new ZeroAblation(parts);
}

/// <summary>
/// z′_j = 0 for each chosen latent j: the baseline of Farrell et al. 2024, "Applying sparse autoencoders to unlearn knowledge in language models" (arXiv 2410.19278;
/// code AMindToThink/sae_jailbreak_unlearning), who find that it hardly forgets. The error term is kept.
/// </summary>
public sealed class ZeroAblation : Guardrail
{
    internal ZeroAblation(GuardrailParts parts) : base(parts) { }

    private protected override Tensor Edited(Tensor z) => z.ZerosLike();
}
