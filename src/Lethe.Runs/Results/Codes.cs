namespace Lethe.Runs.Results;

/// <summary>Why forgetting stopped before its last step: codes of <see cref="MethodFacts.StopReason"/> that a report puts into the reader's language.</summary>
public static class StopReasons
{
    /// <summary>The plan's stop criterion for forgetting and keeping was met.</summary>
    public const string CriterionMet = "criterion_met";
    /// <summary>The measures had stopped improving.</summary>
    public const string NoProgress = "no_progress";
}

/// <summary>How the control of a relearning curve was made: codes of <see cref="RelearnResult.ControlKind"/>.</summary>
public static class ControlKinds
{
    /// <summary>Trained like the base model, on the same data without the class.</summary>
    public const string TrainedWithoutClass = "trained_without_class";
    /// <summary>The base model with the weights that only the class uses set anew at random.</summary>
    public const string ClassWeightsReset = "class_weights_reset";
    /// <summary>A model of the same shape with random weights.</summary>
    public const string Untrained = "untrained";
}

/// <summary>What takes a forgotten concept's place: the values of <see cref="ConceptRequest.Surrogate"/>.</summary>
public static class Surrogates
{
    /// <summary>Uniform noise.</summary>
    public const string Noise = "noise";
    /// <summary>Samples of another label.</summary>
    public const string Label = "label";
    /// <summary>The user's images.</summary>
    public const string Images = "images";
    /// <summary>A mixture of several.</summary>
    public const string Blend = "blend";
}

/// <summary>The part of a condition in a run: the values of <see cref="ClassResult.Role"/>.</summary>
public static class Roles
{
    /// <summary>To be forgotten.</summary>
    public const string Forgotten = "forgotten";
    /// <summary>To be kept.</summary>
    public const string Retained = "retained";
    /// <summary>Neither: the plan named others to keep.</summary>
    public const string Free = "free";
}
