using Lethe.Runs.Results;

namespace Lethe.Reports.Wording;

/// <summary>Something that was not tested: the question, and what an answer would change.</summary>
internal sealed record OpenQuestion(string Question, string Meaning);

internal abstract partial class Texts
{
    public abstract OpenQuestion MembershipInference { get; }
    public abstract OpenQuestion TrainingImageExtraction { get; }
    public abstract OpenQuestion WhiteBoxWeights { get; }
    public abstract OpenQuestion MixedConditions { get; }
    public abstract OpenQuestion IndirectGeneration { get; }
    public abstract OpenQuestion TrainingDataDeletion { get; }
    public abstract OpenQuestion EarlierModels { get; }
    public abstract OpenQuestion RetrainedReference { get; }
    public abstract OpenQuestion OtherJudges { get; }
    public abstract OpenQuestion HumanRating { get; }
    public abstract OpenQuestion RealPhotographs { get; }
    public abstract OpenQuestion Quantisation { get; }
    public abstract OpenQuestion RelearningUntested { get; }
    public abstract OpenQuestion RelearningOtherData { get; }
    public abstract OpenQuestion LinearProbesUntested { get; }
    public abstract OpenQuestion NonlinearProbes { get; }
    public abstract OpenQuestion OtherSeeds { get; }

    /// <summary>The words for a code of <see cref="NotTestedCodes"/>; null for a code of a newer version.</summary>
    public OpenQuestion? NotTested(string code) => code switch
    {
        NotTestedCodes.MembershipInference => MembershipInference,
        NotTestedCodes.TrainingImageExtraction => TrainingImageExtraction,
        NotTestedCodes.WhiteBoxWeights => WhiteBoxWeights,
        NotTestedCodes.MixedConditions => MixedConditions,
        NotTestedCodes.IndirectGeneration => IndirectGeneration,
        NotTestedCodes.TrainingDataDeletion => TrainingDataDeletion,
        NotTestedCodes.EarlierModels => EarlierModels,
        NotTestedCodes.RetrainedReference => RetrainedReference,
        NotTestedCodes.OtherJudges => OtherJudges,
        NotTestedCodes.HumanRating => HumanRating,
        NotTestedCodes.RealPhotographs => RealPhotographs,
        NotTestedCodes.Quantisation => Quantisation,
        NotTestedCodes.Relearning => RelearningUntested,
        NotTestedCodes.RelearningOtherData => RelearningOtherData,
        NotTestedCodes.LinearProbes => LinearProbesUntested,
        NotTestedCodes.NonlinearProbes => NonlinearProbes,
        NotTestedCodes.OtherSeeds => OtherSeeds,
        NotTestedCodes.TextMembership => TextMembership,
        NotTestedCodes.TextRelearning => TextRelearning,
        NotTestedCodes.AdversarialPrompts => AdversarialPrompts,
        NotTestedCodes.OtherWords => OtherWords,
        NotTestedCodes.InnerLayers => InnerLayers,
        NotTestedCodes.FewerBits => FewerBits,
        NotTestedCodes.OtherAbilities => OtherAbilities,
        _ => null,
    };

    public abstract string StageLoad { get; }
    public abstract string StageJudge { get; }
    public abstract string StageTrain { get; }
    public abstract string StageMeasureBefore { get; }
    public abstract string StageReplay { get; }
    public abstract string StageSurrogate { get; }
    public abstract string StageFisher { get; }
    public abstract string StageScore { get; }
    public abstract string StageSubspaces { get; }
    public abstract string StageInputs { get; }
    public abstract string StageValues { get; }
    public abstract string StageForget { get; }
    public abstract string StageMeasureAfter { get; }
    public abstract string StageAttack { get; }
    public abstract string StageProbe { get; }
    public abstract string StageRelearn { get; }
    public abstract string StageControl { get; }
    public abstract string StageNeverKnew { get; }
    public abstract string StageExport { get; }
    public abstract string StageVerify { get; }

    /// <summary>The name of a stage; one that these texts do not know is named as the run names it.</summary>
    public string Stage(string name) => name.Replace('-', '_').Replace(' ', '_') switch
    {
        "load" or "base" => StageLoad,
        "judge" => StageJudge,
        "train" => StageTrain,
        "before" or "measure_before" => StageMeasureBefore,
        "replay" or "replay_samples" => StageReplay,
        "surrogate" or "surrogates" => StageSurrogate,
        "fisher" => StageFisher,
        "score" or "scores" => StageScore,
        "subspaces" => StageSubspaces,
        "inputs" => StageInputs,
        "values" => StageValues,
        "forget" => StageForget,
        "after" or "measure_after" => StageMeasureAfter,
        "attack" => StageAttack,
        "probe" or "probes" => StageProbe,
        "relearn" or "relearning" => StageRelearn,
        "control" => StageControl,
        "never_knew" => StageNeverKnew,
        "export" => StageExport,
        "verify" => StageVerify,
        _ => name,
    };

    /// <summary>Why forgetting stopped; a sentence of the run's own is shown as it is.</summary>
    public string StopWords(string? reason) => reason switch
    {
        null => StopAllSteps,
        StopReasons.CriterionMet => StopCriterionMet,
        StopReasons.NoProgress => StopNoProgress,
        _ => reason,
    };

    /// <summary>How the control was made; words of the run's own are shown as they are.</summary>
    public string ControlWords(string kind) => kind switch
    {
        ControlKinds.TrainedWithoutClass => ControlTrainedWithout,
        ControlKinds.ClassWeightsReset => ControlClassReset,
        ControlKinds.Untrained => ControlUntrained,
        _ => kind,
    };

    /// <summary>What takes the place of a concept.</summary>
    public string SurrogateWords(ConceptRequest concept, IReadOnlyList<string> labels) => concept switch
    {
        { Surrogate: Surrogates.Noise } => SurrogateNoise,
        { Target: { } target } => SurrogateLabel(labels[target]),
        { Surrogate: Surrogates.Images } => SurrogateImages,
        { Surrogate: Surrogates.Blend } => SurrogateBlend,
        _ => concept.Detail,
    };

    /// <summary>The word for a condition's part in the run.</summary>
    public string RoleWord(string role) => role switch
    {
        Roles.Forgotten => RoleForgotten,
        Roles.Retained => RoleRetained,
        Roles.Free => RoleFree,
        _ => role,
    };
}
