using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lethe.Torch;

namespace Lethe.Unlearning.Guardrails;

/// <summary>Options of <see cref="RefusalClamp"/>.</summary>
[Description("sets a refusal latent, or adds a refusal direction, where one of the latents exceeds a threshold (Khoriaty et al., arXiv 2503.11127)")]
public sealed record RefusalClampOptions : CalibratedGuardrailOptions
{
    /// <summary>The refusal latent.</summary>
    [Description("The latent that makes the model refuse; null adds a direction in its place")]
    [Range(0, double.MaxValue)]
    public long? RefusalLatent { get; init; }

    /// <summary>What it becomes.</summary>
    [Description("What the refusal latent becomes, or how long the direction is that is added; in the activations' own unit")]
    [Range(-1e6, 1e6)]
    public double Value { get; init; } = 20;

    /// <summary>The threshold.</summary>
    [Description("What one of the latents has to exceed; null takes percentile of the retain text")]
    [Range(0, 1e6)]
    public double? Threshold { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override double? ThresholdPercentile => Threshold is null ? Percentile : null;

    internal override Gate Gate(GuardrailCalibration calibration) => new LevelGate(Threshold ?? calibration.Needed());

    internal override Guardrail Make(GuardrailParts parts) => new RefusalClamp(parts, this);
}

/// <summary>
/// Where any chosen latent exceeds its threshold, z′_r = value for a refusal latent r, or x + value · d/‖d‖ for a direction d (Arditi et al. 2024, arXiv 2406.11717): refusal clamp of Khoriaty et al.
/// 2025 (arXiv 2503.11127). The chosen latents stay as they are.
/// </summary>
public sealed class RefusalClamp : Guardrail
{
    private readonly double value;
    private readonly Tensor? direction; // (D), of norm 1

    internal RefusalClamp(GuardrailParts parts, RefusalClampOptions options) : base(Checked(parts, options))
    {
        value = options.Value;
        if (options.RefusalLatent is not null)
            return;
        using var scope = new TensorScope();
        var given = parts.Direction!.To(parts.Sae.Encoder.DType).To(parts.Sae.Encoder.Device);
        direction = TensorScope.Detach(given / given.Norm());
    }

    /// <summary>The direction that is added, (D), of norm 1; null where a latent is set.</summary>
    public Tensor? Direction => direction;

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        direction?.Dispose();
    }

    private protected override Tensor Edit(Tensor x, Tensor z) => direction is null ? base.Edit(x, z) : x + (direction * value).To(x.DType);

    // The refusal latent is the last one.
    private protected override Tensor Edited(Tensor z) => Tensor.Cat([z.Narrow(1, 0, z.Size(1) - 1), Tensor.Full([z.Size(0), 1], value, z.DType, z.Device)], 1);

    private static GuardrailParts Checked(GuardrailParts parts, RefusalClampOptions options)
    {
        if (options.RefusalLatent is { } refusal)
            return !parts.Latents.Contains(refusal) ? parts
                : throw new BadInputException($"The refusal latent {refusal} is one of the latents that it answers to; name another.");
        if (parts.Direction is not { } direction)
            throw new BadInputException("A refusal needs a latent (refusal_latent) or a direction; neither was given.");
        using var scope = new TensorScope();
        if (direction.Dimensions != 1 || direction.Size(0) != parts.Sae.InputSize)
            throw new BadInputException($"The refusal direction is {direction.Describe()}; one vector of size {parts.Sae.InputSize} is needed, as the activations have.");
        return direction.To(DType.Float64).Norm().Item() is > 0 and < double.PositiveInfinity ? parts
            : throw new BadInputException("The refusal direction has no length, or holds a number that is not finite.");
    }
}
