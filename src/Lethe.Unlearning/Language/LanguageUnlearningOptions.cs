using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>What all methods that edit a language model share.</summary>
[JsonDerivedType(typeof(InputSubspaceProjectionOptions), "sspu")]
[JsonDerivedType(typeof(ConfinedSubspaceProjectionOptions), "sspu_confined")]
[JsonDerivedType(typeof(PenalisedSubspaceProjectionOptions), "sspu_penalised")]
[JsonDerivedType(typeof(MaskedRepresentationMisdirectionOptions), "rmu")]
[JsonDerivedType(typeof(ReleasedRepresentationMisdirectionOptions), "rmu_released")]
[JsonDerivedType(typeof(GradientAscentOptions), "gradient_ascent")]
[JsonDerivedType(typeof(GradientDifferenceOptions), "gradient_difference")]
[JsonDerivedType(typeof(NegativePreferenceOptions), "npo")]
[JsonDerivedType(typeof(SimpleNegativePreferenceOptions), "simnpo")]
[JsonDerivedType(typeof(TaskVectorNegationOptions), "task_vector_negation")]
[JsonDerivedType(typeof(CrispOptions), "crisp")]
[JsonDerivedType(typeof(ClosedFormEditOptions), "closed_form_edit")]
public abstract record LanguageMethodOptions
{
    /// <summary>θ = θ₀ + strength (θ_found − θ₀).</summary>
    [Description("How far to forget: the weights go this share of the way from what they were to what was found; 0 changes nothing, 1 is the method")]
    [Range(0.0, 1.0)]
    public double Strength { get; init; } = 1;
}

/// <summary>What all trained methods on language models share: steps of AdamW on the numbers that make up the change of the edited weights.</summary>
public abstract record LanguageUnlearningOptions : LanguageMethodOptions
{
    /// <summary>The most steps.</summary>
    [Description("The most steps; a stop criterion may end it before")]
    [Range(1, 10_000_000)]
    public long Steps { get; init; } = 150;

    /// <summary>AdamW's learning rate.</summary>
    [Description("AdamW's learning rate")]
    [Range(1e-9, 10)]
    public double LearningRate { get; init; } = 5e-5;

    /// <summary>Steps over which the learning rate rises from 0.</summary>
    [Description("Steps over which the learning rate rises from 0; 0: none")]
    [Range(0, 1_000_000)]
    public long WarmUp { get; init; }

    /// <summary>What is left of the learning rate at the last step.</summary>
    [Description("Share of the learning rate that is left at the last step, where a straight line leads from the end of the warm-up; 1: the rate stays, as in the published codes")]
    [Range(0.0, 1.0)]
    public double FinalShare { get; init; } = 1;

    /// <summary>Largest L2 norm of the gradients of all parameters together.</summary>
    [Description("Largest L2 norm of the gradients of all parameters together; 0: no limit")]
    [Range(0, 1e9)]
    public double Clip { get; init; }

    /// <summary>AdamW's weight decay, which pulls the change of the weights towards 0, that is the weights towards what they were.</summary>
    [Description("AdamW's weight decay on the change of the weights: it pulls them back to what they were, not to 0")]
    [Range(0.0, 1.0)]
    public double WeightDecay { get; init; }

    /// <summary>Whether AdamW divides by the largest second moment so far.</summary>
    [Description("Whether AdamW divides by the largest second moment so far (AMSGrad)")]
    public bool AmsGrad { get; init; }

    /// <summary>Steps between two questions to the stop criterion.</summary>
    [Description("Steps between two questions to the stop criterion, where there is one")]
    [Range(1, 1_000_000)]
    public long CheckEvery { get; init; } = 25;

    /// <summary>What the found change is multiplied by in the result.</summary>
    internal virtual double ResultScale => Strength;
}

/// <summary>Trained methods whose change of each matrix may be confined to a low rank.</summary>
public abstract record LowRankUnlearningOptions : LanguageUnlearningOptions
{
    /// <summary>Rank of the change of each matrix (<see cref="LowRankUpdate"/>).</summary>
    [Description("Rank of the change of each matrix (LoRA); 0: every element moves on its own")]
    [Range(0, 100_000)]
    public int Rank { get; init; }

    /// <summary>α of the low-rank change, which is scaled by α over the rank.</summary>
    [Description("LoRA's alpha: the low-rank change is scaled by alpha over the rank; 0: twice the rank, the usual choice")]
    [Range(0, 1e6)]
    public double RankAlpha { get; init; }

    /// <summary>The update space of each weight that these options ask for; vectors always move freely.</summary>
    /// <param name="seed">Decides the initial values of low-rank spaces.</param>
    public Func<EditedWeight, IUpdateSpace> Space(ulong seed) =>
        weight => Rank > 0 && weight.Original.Dimensions == 2 ? new LowRankUpdate(weight, Rank, RankAlpha > 0 ? RankAlpha : 2 * Rank, RandomStream.ChildSeed(seed, "low rank")) : new FreeUpdate(weight);
}

/// <summary>The state of an edit that a stop criterion looks at.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Weights">The edited weights by name as the result would have them now, with the strength applied; valid during the call, only to be read.</param>
public sealed record StopCheck(long Step, IReadOnlyList<(string Name, Tensor Weight)> Weights);

/// <summary>What a stop criterion says when it stops.</summary>
/// <param name="Reason">Why, in a few words.</param>
/// <param name="GoBack">Whether the weights go back to those of the last check that passed (those before the first step, if none did): for guards that were overstepped.</param>
public sealed record StopVerdict(string Reason, bool GoBack = false);

/// <summary>Decides whether to stop; null: go on. It must depend on what it is given alone, so that a resumed run decides alike.</summary>
public delegate StopVerdict? StopCriterion(StopCheck check);
