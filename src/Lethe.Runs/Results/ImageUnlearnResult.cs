using System.Text.Json.Serialization;
using Lethe.Evaluation;

namespace Lethe.Runs.Results;

/// <summary>result.json of an unlearning run on a conditional image generator. Every key is documented in docs/metrics.md.</summary>
public sealed record ImageUnlearnResult : UnlearnResult
{
    /// <summary>The word for this kind of result.</summary>
    public const string KindName = "generative";

    /// <inheritdoc/>
    [JsonPropertyOrder(-3)]
    public override string Kind { get; init; } = KindName;

    /// <summary>What was asked.</summary>
    public required RequestFacts Request { get; init; }

    /// <summary>How it was done.</summary>
    public required MethodFacts Method { get; init; }

    /// <summary>All forgotten concepts together.</summary>
    public required ForgetResult Forget { get; init; }

    /// <summary>Each forgotten concept on its own.</summary>
    public required IReadOnlyList<ConceptResult> Concepts { get; init; }

    /// <summary>What had to stay.</summary>
    public required RetainResult Retain { get; init; }

    /// <summary>Every condition of the model before and after, in the order of its labels.</summary>
    public required IReadOnlyList<ClassResult> Classes { get; init; }

    /// <summary>
    /// Share of the samples of each condition (row) that the judge takes for each class (column), before and after; where the
    /// forgotten concept's samples went.
    /// </summary>
    public required ConfusionResult Confusion { get; init; }

    /// <summary>What a linear probe still finds of the forgotten concept inside the model; null if the plan turned it off.</summary>
    public IReadOnlyList<ProbeResult>? Probes { get; init; }

    /// <summary>How fast real images bring the concept back; null if the plan turned it off.</summary>
    public IReadOnlyList<RelearnResult>? Relearning { get; init; }

    /// <summary>Per tensor, how far the weights moved.</summary>
    public required IReadOnlyList<TensorMove> Moved { get; init; }

    /// <summary>The classifier that read the samples; null in results of versions that did not record it.</summary>
    public JudgeFacts? Judge { get; init; }

    /// <summary>What was measured, in a result of <c>evaluate</c>; null in a run's own result.</summary>
    public EvaluationFacts? Evaluation { get; init; }
}

/// <summary>A measurement that was made after a run, with noise of its own.</summary>
/// <param name="Run">The run whose base model, judge and plan it was made with.</param>
/// <param name="Model">The file that "after" was measured from.</param>
/// <param name="ModelDigest">SHA-256 of that file.</param>
/// <param name="OwnModel">Whether that is the model which the run exported; otherwise nothing is known of how it came to be.</param>
public sealed record EvaluationFacts(string Run, string Model, string ModelDigest, bool OwnModel);

/// <summary>What was asked.</summary>
/// <param name="Title">The plan's title, in the words of whoever asked.</param>
/// <param name="Model">Where the base model came from, as the plan names it.</param>
/// <param name="ModelDigest">SHA-256 of the base model's weights.</param>
/// <param name="Dataset">Data set that the model was trained on and is measured with.</param>
/// <param name="Labels">Names of all conditions in order.</param>
/// <param name="Concepts">What was to be forgotten and what takes its place.</param>
/// <param name="Retained">Labels that had to stay.</param>
public sealed record RequestFacts(string Title, string Model, string ModelDigest, string Dataset, IReadOnlyList<string> Labels, IReadOnlyList<ConceptRequest> Concepts, IReadOnlyList<int> Retained);

/// <summary>One concept to forget.</summary>
/// <param name="Label">Its condition.</param>
/// <param name="Name">Its name.</param>
/// <param name="Surrogate">What replaces it: "noise", "label", "images" or "blend".</param>
/// <param name="Target">The label that it is mapped to; null unless the surrogate is another label.</param>
/// <param name="Detail">The surrogate in words, for the reader.</param>
public sealed record ConceptRequest(int Label, string Name, string Surrogate, int? Target, string Detail);

/// <summary>The judge: the classifier that says what a sample shows. Every figure that counts samples is only as good as it is.</summary>
/// <param name="Name">Where it came from, as the plan names it.</param>
/// <param name="Digest">SHA-256 of its weights.</param>
/// <param name="Accuracy">Share of real held-out images that it classifies as their label.</param>
public sealed record JudgeFacts(string Name, string Digest, Measure Accuracy);

/// <summary>How it was done.</summary>
/// <param name="Name">"selective-amnesia"; "unknown" where <c>evaluate</c> was given a model that the run did not make.</param>
/// <param name="Preset">"fixed" or "released".</param>
/// <param name="Options">Every option with the value used.</param>
/// <param name="Steps">Steps taken.</param>
/// <param name="MaximumSteps">Steps allowed.</param>
/// <param name="StopReason">Why it stopped before: a code of <see cref="StopReasons"/>, or a sentence; null if it did not.</param>
/// <param name="FisherDigest">Digest of the Fisher artefact.</param>
/// <param name="FisherSamples">Samples behind the Fisher information.</param>
public sealed record MethodFacts(string Name, string Preset, IReadOnlyDictionary<string, object?> Options, long Steps, long MaximumSteps, string? StopReason, string FisherDigest, long FisherSamples);

/// <summary>How well a concept was forgotten; samples of the forgotten condition, read by the judge.</summary>
public sealed record ForgetResult
{
    /// <summary>Mean probability that the judge gives the forgotten class, after.</summary>
    public required Measure Probability { get; init; }
    /// <summary>The same before.</summary>
    public required Measure ProbabilityBefore { get; init; }
    /// <summary>Mean entropy of the judge's distribution, nats, after.</summary>
    public required Measure Entropy { get; init; }
    /// <summary>The same before.</summary>
    public required Measure EntropyBefore { get; init; }
    /// <summary>Share of the samples judged as the forgotten class, after (Wilson interval).</summary>
    public required Measure Share { get; init; }
    /// <summary>The same before.</summary>
    public required Measure ShareBefore { get; init; }
    /// <summary>−ELBO of real held-out images of the class, nats an image, after: higher means that the model no longer explains them.</summary>
    public required Measure NegativeElbo { get; init; }
    /// <summary>The same before.</summary>
    public required Measure NegativeElboBefore { get; init; }
}

/// <summary>One forgotten concept.</summary>
public sealed record ConceptResult
{
    /// <summary>Its condition.</summary>
    public required int Label { get; init; }
    /// <summary>Its name.</summary>
    public required string Name { get; init; }
    /// <summary>The measures.</summary>
    public required ForgetResult Forget { get; init; }
    /// <summary>What the judge says of the mean surrogate image: probability of the forgotten class; the floor of <see cref="ForgetResult.Probability"/>.</summary>
    public required double FloorProbability { get; init; }
    /// <summary>Entropy of the judge on the mean surrogate image, nats.</summary>
    public required double FloorEntropy { get; init; }
    /// <summary>
    /// Share judged as the forgotten class among mean surrogate images with independent Gaussian pixel noise of the samples' own
    /// standard deviation: what the judge makes of grey; only for the noise surrogate.
    /// </summary>
    public Measure? FloorShare { get; init; }
    /// <summary>Share of the samples judged as the target label, after; only where the concept is mapped to a label.</summary>
    public Measure? TargetShare { get; init; }
    /// <summary>Share of the base model's own samples of the target label judged as that label: what <see cref="TargetShare"/> is compared with.</summary>
    public Measure? TargetShareOfBase { get; init; }
}

/// <summary>What had to stay, over all retained conditions.</summary>
public sealed record RetainResult
{
    /// <summary>Share of samples of retained conditions judged as what was asked for, before.</summary>
    public required Measure AccuracyBefore { get; init; }
    /// <summary>The same after.</summary>
    public required Measure AccuracyAfter { get; init; }
    /// <summary>
    /// After minus before, over pairs of samples from the same noise, with the error of the paired difference; null where samples were
    /// not paired, and a report then takes the wider error of two independent sets.
    /// </summary>
    public Measure? AccuracyChange { get; init; }
    /// <summary>Mean change of −ELBO of real held-out images, nats an image, common noise; positive means worse.</summary>
    public required Measure NegativeElboChange { get; init; }
    /// <summary>Fréchet distance between real images and samples of retained conditions in the judge's features, before. Not FID: another network's features.</summary>
    public required Measure JudgeFrechetBefore { get; init; }
    /// <summary>The same after.</summary>
    public required Measure JudgeFrechetAfter { get; init; }
    /// <summary>Precision in the judge's features (k nearest neighbours), before.</summary>
    public required Measure JudgePrecisionBefore { get; init; }
    /// <summary>The same after.</summary>
    public required Measure JudgePrecisionAfter { get; init; }
    /// <summary>Recall in the judge's features, before.</summary>
    public required Measure JudgeRecallBefore { get; init; }
    /// <summary>The same after.</summary>
    public required Measure JudgeRecallAfter { get; init; }
    /// <summary>The retained condition that lost most accuracy: its label.</summary>
    public required int WorstLabel { get; init; }
    /// <summary>Change of that condition's accuracy; negative means that it lost.</summary>
    public required double WorstChange { get; init; }
}

/// <summary>One condition before and after.</summary>
public sealed record ClassResult
{
    /// <summary>Its label.</summary>
    public required int Label { get; init; }
    /// <summary>Its name.</summary>
    public required string Name { get; init; }
    /// <summary>"forgotten" or "retained"; "free" if the plan retained only others.</summary>
    public required string Role { get; init; }
    /// <summary>Before.</summary>
    public required ClassMeasures Before { get; init; }
    /// <summary>After.</summary>
    public required ClassMeasures After { get; init; }
    /// <summary>
    /// Change of −ELBO of the same real images with the same noise, nats an image; its standard error is that of the paired
    /// differences, far smaller than what Before and After would give. Null where it was not measured in pairs.
    /// </summary>
    public Measure? NegativeElboChange { get; init; }
}

/// <summary>What is measured of one condition.</summary>
/// <param name="Probability">Mean probability that the judge gives this class to samples of this condition.</param>
/// <param name="Entropy">Mean entropy of the judge's distribution, nats.</param>
/// <param name="Accuracy">Share of samples judged as this class.</param>
/// <param name="NegativeElbo">−ELBO of real held-out images of this class, nats an image.</param>
public sealed record ClassMeasures(Measure Probability, Measure Entropy, Measure Accuracy, Measure NegativeElbo);

/// <summary>Rows are conditions, columns are the judge's classes; shares of 1.</summary>
/// <param name="Before">Before forgetting.</param>
/// <param name="After">After forgetting.</param>
public sealed record ConfusionResult(IReadOnlyList<IReadOnlyList<double>> Before, IReadOnlyList<IReadOnlyList<double>> After);

/// <summary>How well a linear probe tells the forgotten class from the rest by one layer's activations on real images.</summary>
/// <param name="Label">The forgotten condition.</param>
/// <param name="Layer">Where the activations were read, by the model's own name.</param>
/// <param name="Before">Area under the ROC curve on held-out images, before.</param>
/// <param name="After">The same after.</param>
public sealed record ProbeResult(int Label, string Layer, Measure Before, Measure After)
{
    /// <summary>After minus before on the same images, with the error of the paired difference; null where it was not measured in pairs.</summary>
    public Measure? Change { get; init; }
}

/// <summary>How many steps of training on real images of the class bring it back.</summary>
/// <param name="Label">The forgotten condition.</param>
/// <param name="StepsForgotten">Steps until the judge accepts the share in <paramref name="Threshold"/>, from the forgotten model; null if never within <paramref name="MaximumSteps"/>.</param>
/// <param name="StepsControl">The same from a model that never saw the class; null if never.</param>
/// <param name="Threshold">Share of samples judged as the class that counts as "back".</param>
/// <param name="MaximumSteps">How long it was tried.</param>
/// <param name="Forgotten">The curve from the forgotten model.</param>
/// <param name="Control">The curve from the control.</param>
/// <param name="ControlKind">How the control was made: a code of <see cref="ControlKinds"/>, or words.</param>
public sealed record RelearnResult(int Label, long? StepsForgotten, long? StepsControl, double Threshold, long MaximumSteps, IReadOnlyList<RelearnPoint> Forgotten, IReadOnlyList<RelearnPoint> Control, string ControlKind)
{
    /// <summary>
    /// −ELBO from which on real images of the class count as explained again, nats an image. Samples alone mislead: a model that has
    /// learned nothing but the mean image passes the judge early. Null where only samples were measured.
    /// </summary>
    public double? ExplainedNats { get; init; }
    /// <summary>Steps until held-out real images cost at most <see cref="ExplainedNats"/>, from the forgotten model; null if never.</summary>
    public long? ExplainedForgotten { get; init; }
    /// <summary>The same from the control; null if never.</summary>
    public long? ExplainedControl { get; init; }
}

/// <summary>One point of a relearning curve.</summary>
/// <param name="Step">Training steps on real images of the class.</param>
/// <param name="Share">Share of samples judged as the class (Wilson interval).</param>
/// <param name="NegativeElbo">−ELBO of real held-out images of the class, nats an image.</param>
public sealed record RelearnPoint(long Step, Measure Share, Measure NegativeElbo);

/// <summary>How far one tensor moved.</summary>
/// <param name="Name">Its name in the checkpoint.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Norm">L2 norm of the change.</param>
/// <param name="Relative">Norm of the change over norm of the original.</param>
/// <param name="FisherWeighted">Σ F Δ² over the tensor: the part of the EWC penalty that it carries.</param>
/// <param name="Largest">Largest absolute change of one element.</param>
public sealed record TensorMove(string Name, IReadOnlyList<long> Shape, double Norm, double Relative, double FisherWeighted, double Largest);
