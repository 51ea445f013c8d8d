using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lethe.Torch;

namespace Lethe.Unlearning.Guardrails;

/// <summary>What a guardrail does: one record for each kind, in the file of the class that does it.</summary>
/// <remarks>
/// A guardrail edits latents of a sparse autoencoder at its site while the model runs and keeps the autoencoder's error: x + decode(z′) − decode(z). Weights stay
/// what they are: whoever runs the model without it has the whole model.
/// </remarks>
[JsonDerivedType(typeof(ZeroAblationOptions), "zero_ablation")]
[JsonDerivedType(typeof(ClampOptions), "clamp")]
[JsonDerivedType(typeof(ConditionalClampOptions), "conditional_clamp")]
[JsonDerivedType(typeof(RefusalClampOptions), "refusal_clamp")]
[JsonDerivedType(typeof(DynamicGuardrailOptions), "dynamic")]
[JsonDerivedType(typeof(StreamGuardrailOptions), "stream")]
public abstract record GuardrailOptions
{
    /// <summary>The kinds by name.</summary>
    public static IReadOnlyDictionary<string, Type> Kinds { get; } = new Dictionary<string, Type>
    {
        ["zero_ablation"] = typeof(ZeroAblationOptions),
        ["clamp"] = typeof(ClampOptions),
        ["conditional_clamp"] = typeof(ConditionalClampOptions),
        ["refusal_clamp"] = typeof(RefusalClampOptions),
        ["dynamic"] = typeof(DynamicGuardrailOptions),
        ["stream"] = typeof(StreamGuardrailOptions),
    };

    /// <summary>Its kind's name.</summary>
    [JsonIgnore]
    public string Kind => Kinds.First(kind => kind.Value == GetType()).Key;

    /// <summary>The percentile of retain sequences that is its threshold; null where it needs none from text.</summary>
    [JsonIgnore]
    public virtual double? ThresholdPercentile => null;

    /// <summary>Whether values are in units of each latent's mean where it is active, which text has to tell.</summary>
    [JsonIgnore]
    public virtual bool IsRelative => false;

    /// <summary>Refuses what is out of range.</summary>
    /// <exception cref="UsageException">A value is out of its range; the message names it.</exception>
    public void Validate()
    {
        foreach (var property in GetType().GetProperties())
            if (property.GetCustomAttributes(typeof(RangeAttribute), true).FirstOrDefault() is RangeAttribute range && property.GetValue(this) is { } value && !range.IsValid(value))
                throw new UsageException(FormattableString.Invariant($"The guardrail's {System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)} is {value}; {range.Minimum} to {range.Maximum} is allowed."));
    }

    /// <summary>The rule that decides at which positions something is edited.</summary>
    internal abstract Gate Gate(GuardrailCalibration calibration);

    /// <summary>Makes the guardrail.</summary>
    internal abstract Guardrail Make(GuardrailParts parts);
}

/// <summary>Options of a guardrail whose threshold text tells.</summary>
public abstract record CalibratedGuardrailOptions : GuardrailOptions
{
    /// <summary>Percentile of retain sequences.</summary>
    [Description("The threshold is what this percentage of retain sequences does not exceed at any of their positions: 95 touches at most one in twenty of them")]
    [Range(50, 99.99)]
    public double Percentile { get; init; } = 95; // DSG, arXiv 2504.08192, section 4

    /// <summary>Whether values are in units of the latents' means.</summary>
    [Description("Whether values are in units of each latent's mean where it is active, as text tells; otherwise in the activations' own unit, which differs from model to model and from layer to layer")]
    public bool Relative { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override double? ThresholdPercentile => Percentile;

    /// <inheritdoc/>
    [JsonIgnore]
    public override bool IsRelative => Relative;
}
