namespace Lethe.Runs.Results;

/// <summary>
/// What a run may leave untested: the codes of <see cref="UnlearnResult.NotTested"/>. A report spells each out in a sentence, so
/// that nobody takes silence for an answer.
/// </summary>
public static class NotTestedCodes
{
    /// <summary>Whether an outsider can tell from the model that a given image was in its training data.</summary>
    public const string MembershipInference = "membership_inference";
    /// <summary>Whether single training images can be drawn out of the model.</summary>
    public const string TrainingImageExtraction = "training_image_extraction";
    /// <summary>Whether someone who holds the weights finds the concept again by searching latents, conditions or weights.</summary>
    public const string WhiteBoxWeights = "white_box_weights";
    /// <summary>Whether conditions between or outside the labels draw the forgotten concept.</summary>
    public const string MixedConditions = "mixed_conditions";
    /// <summary>Whether retained conditions draw the forgotten concept as a part of their own images.</summary>
    public const string IndirectGeneration = "indirect_generation";
    /// <summary>Whether the training data, its copies and backups were deleted.</summary>
    public const string TrainingDataDeletion = "training_data_deletion";
    /// <summary>Whether earlier copies of the model, and models derived from it, still know the concept.</summary>
    public const string EarlierModels = "earlier_models";
    /// <summary>How the result compares with a model trained again without the concept.</summary>
    public const string RetrainedReference = "retrained_reference";
    /// <summary>What another classifier would say of the same samples.</summary>
    public const string OtherJudges = "other_judges";
    /// <summary>What people would say of the samples.</summary>
    public const string HumanRating = "human_rating";
    /// <summary>Whether the result carries over to photographs and larger images.</summary>
    public const string RealPhotographs = "real_photographs";
    /// <summary>Whether storing the weights with fewer bits brings the concept back.</summary>
    public const string Quantisation = "quantisation";
    /// <summary>How fast real images of the class bring it back.</summary>
    public const string Relearning = "relearning";
    /// <summary>Whether training on other data, without a single image of the class, brings it back.</summary>
    public const string RelearningOtherData = "relearning_other_data";
    /// <summary>Whether a linear probe finds the concept inside the model.</summary>
    public const string LinearProbes = "linear_probes";
    /// <summary>Whether a stronger probe finds what a linear one does not.</summary>
    public const string NonlinearProbes = "nonlinear_probes";
    /// <summary>Whether the run ends the same with another seed.</summary>
    public const string OtherSeeds = "other_seeds";
    /// <summary>Of a language model: whether an outsider can tell that a given text was in its training data.</summary>
    public const string TextMembership = "text_membership";
    /// <summary>Of a language model: how fast further training brings the topic back.</summary>
    public const string TextRelearning = "text_relearning";
    /// <summary>Of a language model: whether hostile prompts bring the topic back.</summary>
    public const string AdversarialPrompts = "adversarial_prompts";
    /// <summary>Of a language model: whether it answers in other words or other languages.</summary>
    public const string OtherWords = "other_words";
    /// <summary>Of a language model: whether its inner layers still hold the topic.</summary>
    public const string InnerLayers = "inner_layers";
    /// <summary>Of a language model: whether weights of fewer bits bring the topic back.</summary>
    public const string FewerBits = "fewer_bits";
    /// <summary>Of a language model: whether abilities suffered that were not measured.</summary>
    public const string OtherAbilities = "other_abilities";

    /// <summary>Every code, in the order in which a report lists them.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        MembershipInference, TrainingImageExtraction, WhiteBoxWeights, MixedConditions, IndirectGeneration, Relearning,
        RelearningOtherData, LinearProbes, NonlinearProbes, Quantisation, RetrainedReference, OtherJudges, HumanRating,
        OtherSeeds, RealPhotographs, TextMembership, TextRelearning, AdversarialPrompts, OtherWords, InnerLayers, FewerBits, OtherAbilities,
        TrainingDataDeletion, EarlierModels,
    ];
}
