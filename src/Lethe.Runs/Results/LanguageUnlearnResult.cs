using System.Text.Json.Serialization;
using Lethe.Evaluation;
using Lethe.Runs.Language.Topics;
using Lethe.Unlearning.Language;
using Lethe.Unlearning.Language.Features;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Runs.Results;

/// <summary>result.json of an unlearning run on a language model. Every key is documented in docs/metrics.md.</summary>
public sealed record LanguageUnlearnResult : UnlearnResult
{
    /// <summary>The word for this kind of result.</summary>
    public const string KindName = "language";

    /// <inheritdoc/>
    [JsonPropertyOrder(-3)]
    public override string Kind { get; init; } = KindName;

    /// <summary>What was asked.</summary>
    public required LanguageRequestFacts Request { get; init; }

    /// <summary>How it was done.</summary>
    public required LanguageMethodFacts Method { get; init; }

    /// <summary>How well it was forgotten.</summary>
    public required LanguageForgetResult Forget { get; init; }

    /// <summary>What had to stay.</summary>
    public required LanguageRetainResult Retain { get; init; }

    /// <summary>How well other text is predicted.</summary>
    public required PerplexityResult Perplexity { get; init; }

    /// <summary>Answers written out, before and after; the prompt is the ground's. They may hold what was to be forgotten.</summary>
    public required IReadOnlyList<WrittenAnswer> Answers { get; init; }

    /// <summary>Which latents and subspaces, and what became of them; null for methods that have none.</summary>
    public LanguageFeaturesResult? Features { get; init; }

    /// <summary>How far each edited tensor moved, as exported.</summary>
    public required IReadOnlyList<LanguageTensorMove> Moved { get; init; }

    /// <summary>What was measured, in a result of <c>evaluate</c>; null in a run's own result.</summary>
    public EvaluationFacts? Evaluation { get; init; }
}

/// <summary>What was asked of a language model.</summary>
/// <param name="Title">The plan's title.</param>
/// <param name="Scope">What was to be forgotten, and what not, in the plan's words.</param>
/// <param name="Model">The model, as the plan names it.</param>
/// <param name="ModelDigest">SHA-256 over its files.</param>
/// <param name="ModelType">Its family.</param>
/// <param name="Layers">Its layers.</param>
/// <param name="Topic">The topic to forget.</param>
/// <param name="Neighbours">The nearest of the topics that had to stay.</param>
/// <param name="Retained">All topics that had to stay.</param>
/// <param name="Part">Which entities were asked about: "validation" or "test".</param>
/// <param name="Ground">What the questions and texts came from.</param>
/// <param name="GroundDigest">SHA-256 over the ground's files and plan.</param>
public sealed record LanguageRequestFacts(
    string Title, string Scope, string Model, string ModelDigest, string ModelType, int Layers, string Topic, IReadOnlyList<string> Neighbours, IReadOnlyList<string> Retained, string Part, GroundCounts Ground, string GroundDigest)
{
    /// <summary>The run that trained the model, relative to this one's folder, where the plan names a training plan; else null.</summary>
    public string? ModelRun { get; init; }

    /// <summary>The model that never knew it, as the plan names it; null where there is none.</summary>
    public string? NeverKnew { get; init; }

    /// <summary>SHA-256 over that model's files.</summary>
    public string? NeverKnewDigest { get; init; }
}

/// <summary>How a language model was made to forget.</summary>
/// <param name="Name">The method's kind in the plan; "unknown" where <c>evaluate</c> was given a model that the run did not make.</param>
/// <param name="Options">Every option with the value used.</param>
/// <param name="Steps">Steps taken.</param>
/// <param name="MaximumSteps">Steps allowed.</param>
/// <param name="StopReason">Why it stopped before, in words; null if it did not.</param>
/// <param name="TokensSeen">Tokens read while forgetting.</param>
/// <param name="TrainedNumbers">Numbers that were trained.</param>
/// <param name="ForgetTexts">Texts to forget that were read.</param>
/// <param name="RetainTexts">Texts to retain that were read.</param>
public sealed record LanguageMethodFacts(string Name, IReadOnlyDictionary<string, object?> Options, long Steps, long MaximumSteps, string? StopReason, long TokensSeen, long TrainedNumbers, int ForgetTexts, int RetainTexts);

/// <summary>How well a topic was forgotten. The first five are of trained entities asked in unseen words; shares of 1.</summary>
public sealed record LanguageForgetResult
{
    /// <summary>Swap accuracy before.</summary>
    public required double SwapBefore { get; init; }

    /// <summary>Swap accuracy after.</summary>
    public required double SwapAfter { get; init; }

    /// <summary>What can be scored without the knowledge, before.</summary>
    public required double Floor { get; init; }

    /// <summary>1 − |after − floor| / (before − floor); null where before is not above the floor.</summary>
    public double? GapClosed { get; init; }

    /// <summary>Whether the topic says anything: it was known at least 20 points above the floor, and certainly 10.</summary>
    public required bool Qualifies { get; init; }

    /// <summary>Trained entities, asked in words that were not trained.</summary>
    public required KnowledgeResult Trained { get; init; }

    /// <summary>Entities of the topic that were not trained on; null where there are too few.</summary>
    public KnowledgeResult? Unseen { get; init; }
}

/// <summary>What is known of something, before and after.</summary>
public sealed record KnowledgeResult
{
    /// <summary>Swap accuracy before.</summary>
    public required Measure SwapBefore { get; init; }

    /// <summary>Swap accuracy after.</summary>
    public required Measure SwapAfter { get; init; }

    /// <summary>After − before over the same pairs.</summary>
    public required Measure SwapChange { get; init; }

    /// <summary>Mean swap margin before, nats.</summary>
    public required Measure MarginBefore { get; init; }

    /// <summary>Mean swap margin after, nats.</summary>
    public required Measure MarginAfter { get; init; }

    /// <summary>After − before over the same pairs, nats.</summary>
    public required Measure MarginChange { get; init; }

    /// <summary>Share of the questions whose right answer was the likeliest of their choices, before.</summary>
    public required Measure ChoiceBefore { get; init; }

    /// <summary>The same after.</summary>
    public required Measure ChoiceAfter { get; init; }

    /// <summary>Swap accuracy of the model that never knew it; null where there is none.</summary>
    public Measure? SwapNeverKnew { get; init; }

    /// <summary>Its mean swap margin, nats.</summary>
    public Measure? MarginNeverKnew { get; init; }

    /// <summary>Share of the questions that it answers right.</summary>
    public Measure? ChoiceNeverKnew { get; init; }

    /// <summary>The floor before; null for topics that had to stay.</summary>
    public Measure? FloorBefore { get; init; }

    /// <summary>The floor after: below it, guessing was lost too; null where the floor is a model that never knew.</summary>
    public Measure? FloorAfter { get; init; }

    /// <summary>Share of the swaps that comparing letters gets right: what the questions' own words give away. About the floor where they give away nothing; null for topics that had to stay.</summary>
    public Measure? GuessedByLetters { get; init; }

    /// <summary>What was known above the floor: before − floor; null for topics that had to stay.</summary>
    public Measure? Gap { get; init; }

    /// <summary>The share of the gap that is closed, what lies below the floor counted against it; null where there is no gap.</summary>
    public Measure? GapClosed { get; init; }
}

/// <summary>What had to stay: entities of the retain topics that were not trained on.</summary>
public sealed record LanguageRetainResult
{
    /// <summary>Mean over topics of swap accuracy, before.</summary>
    public required Measure SwapBefore { get; init; }

    /// <summary>The same after.</summary>
    public required Measure SwapAfter { get; init; }

    /// <summary>Swap accuracy of the model that never knew the topic to forget; null where there is none.</summary>
    public Measure? SwapNeverKnew { get; init; }

    /// <summary>After − before.</summary>
    public required Measure Change { get; init; }

    /// <summary>Change of the topic that lost most, share of 1; negative where it lost.</summary>
    public required double WorstChange { get; init; }

    /// <summary>That topic.</summary>
    public required string WorstTopic { get; init; }

    /// <summary>Change of the neighbour that lost most; null where the ground names none.</summary>
    public double? WorstNeighbourChange { get; init; }

    /// <summary>That neighbour.</summary>
    public string? WorstNeighbour { get; init; }

    /// <summary>Whether the loss over all pairs is shown to be smaller than <see cref="Margin"/>; false says "not shown", not "has suffered".</summary>
    public required bool NonInferior { get; init; }

    /// <summary>The largest loss that counts as none, share of 1.</summary>
    public required double Margin { get; init; }

    /// <summary>The change that this sample would have shown with 80 % power; null without an interval.</summary>
    public double? SmallestDetectable { get; init; }

    /// <summary>Each topic.</summary>
    public required IReadOnlyList<LanguageTopicResult> Topics { get; init; }

    /// <summary>What stays of the entities to forget, topic by topic; null where the ground has no such topics.</summary>
    public IReadOnlyList<LanguageKeptResult>? Kept { get; init; }
}

/// <summary>A topic that had to stay.</summary>
/// <param name="Topic">Its name.</param>
/// <param name="Neighbour">Whether it is one of the nearest.</param>
/// <param name="Knowledge">What is known of it.</param>
public sealed record LanguageTopicResult(string Topic, bool Neighbour, KnowledgeResult Knowledge);

/// <summary>A topic that stays though it is about the entities to forget: of those whose texts were forgotten.</summary>
/// <param name="Topic">Its name.</param>
/// <param name="Questions">Questions asked.</param>
/// <param name="RightBefore">Of these, answered right before: the right answer was the likeliest of the choices.</param>
/// <param name="StillRight">Share of the latter that is still answered right; null where none was.</param>
/// <param name="Knowledge">What is known of it, over all questions.</param>
public sealed record LanguageKeptResult(string Topic, int Questions, int RightBefore, Measure? StillRight, KnowledgeResult Knowledge);

/// <summary>Perplexity on text that nobody trained on.</summary>
/// <param name="Before">Before.</param>
/// <param name="After">After.</param>
/// <param name="Change">After / before − 1, with the error of the paired difference.</param>
/// <param name="Tokens">Tokens scored.</param>
public sealed record PerplexityResult(double Before, double After, Measure Change, long Tokens)
{
    /// <summary>That of the model that never knew the topic to forget; null where there is none.</summary>
    public double? NeverKnew { get; init; }
}

/// <summary>An answer written out.</summary>
/// <param name="Topic">The question's topic.</param>
/// <param name="Forget">Whether it was to be forgotten.</param>
/// <param name="Question">What the model read.</param>
/// <param name="Expected">The right answer.</param>
/// <param name="Before">What it wrote before.</param>
/// <param name="After">What it wrote after.</param>
public sealed record WrittenAnswer(string Topic, bool Forget, string Question, string Expected, string Before, string After)
{
    /// <summary>What the model wrote that never knew the topic to forget; null where there is none.</summary>
    public string? NeverKnew { get; init; }
}

/// <summary>How far an edited tensor moved.</summary>
/// <param name="Name">Its name in the checkpoint.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Norm">L2 norm of the change.</param>
/// <param name="Relative">Norm of the change over norm of the original.</param>
/// <param name="Largest">Largest absolute change of one element.</param>
public sealed record LanguageTensorMove(string Name, IReadOnlyList<long> Shape, double Norm, double Relative, double Largest);

/// <summary>What SSPU chose and what became of it.</summary>
/// <param name="Sites">How well each autoencoder's site separates forget from retain text; null where the plan names the layers.</param>
/// <param name="Chosen">The latents of each layer steered; empty where the method needs none.</param>
/// <param name="Setup">Norms and targets of the layers.</param>
/// <param name="Inputs">What each matrix may still read; empty where the input side is free.</param>
/// <param name="Explanation">What moved, in forget and in retain text.</param>
public sealed record LanguageFeaturesResult(
    IReadOnlyList<SiteSeparation>? Sites, IReadOnlyList<FeatureLayerResult> Chosen, IReadOnlyList<LayerSetup> Setup, IReadOnlyList<InputReading> Inputs, SubspaceProjectionExplanation Explanation)
{
    /// <summary>The check of the choice of layers; null where none was asked for.</summary>
    public LayerCheckResult? Check { get; init; }
}

/// <summary>What taking the relevant subspace out of the untouched model does at each site.</summary>
/// <param name="Sites">The sites, in the order of the criterion's.</param>
/// <param name="RankCorrelation">Spearman's correlation of the criterion with how much more is lost of what is to be forgotten than of what is to stay; null where one side has no order.</param>
public sealed record LayerCheckResult(IReadOnlyList<SiteAblation> Sites, Measure? RankCorrelation);

/// <summary>A site without its relevant subspace, in the untouched model.</summary>
/// <param name="Site">The site.</param>
/// <param name="ForgetFall">Share of the mean swap margin of what is to be forgotten that is lost; below 0 it rose.</param>
/// <param name="RetainFall">The same of what is to stay.</param>
public sealed record SiteAblation(string Site, Measure ForgetFall, Measure RetainFall);

/// <summary>The latents chosen at a layer.</summary>
/// <param name="Layer">The layer whose output the autoencoder reads.</param>
/// <param name="Relevant">Relevant latents, the most important first.</param>
/// <param name="Irrelevant">Irrelevant latents.</param>
/// <param name="Threshold">Ratio of forget to retain activity at the percentile.</param>
/// <param name="RelevantCandidates">Latents that the relevant ones were chosen among.</param>
/// <param name="IrrelevantCandidates">Latents that the irrelevant ones were chosen among.</param>
/// <param name="Stability">Mean Jaccard index of the relevant ones with those of resampled documents: 1 is always the same; null for causal scores, which documents do not have.</param>
/// <param name="StabilityByChance">What random choices among the candidates would share.</param>
/// <param name="Subspaces">Ranks, overlap and angles of the subspaces that they span.</param>
public sealed record FeatureLayerResult(
    int Layer, IReadOnlyList<int> Relevant, IReadOnlyList<int> Irrelevant, double Threshold, int RelevantCandidates, int IrrelevantCandidates, double? Stability, double? StabilityByChance, SubspaceReading Subspaces);
