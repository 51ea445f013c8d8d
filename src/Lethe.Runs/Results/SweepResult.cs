using System.Text.Json.Serialization;
using Lethe.Evaluation;
using Lethe.Evaluation.Language;

namespace Lethe.Runs.Results;

/// <summary>sweep.json: the trade-off between forgetting and keeping over a grid of options. Every key is documented in docs/metrics.md.</summary>
/// <param name="Title">The plan's title.</param>
/// <param name="Points">One point for each value of the grid and seed; all of one kind.</param>
public sealed record SweepResult(string Title, IReadOnlyList<SweepPoint> Points)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.sweep/2";

    /// <summary>Names of points that other shards have not finished yet; empty in sweep.json, which is written when all are there.</summary>
    public IReadOnlyList<string> Pending { get; init; } = [];
}

/// <summary>One run of a sweep; "kind" says of what.</summary>
/// <param name="Options">The swept options with their values here, by plan path, for example "method.strength".</param>
/// <param name="Seed">Seed of this run.</param>
/// <param name="OnFront">Whether no other point is at least as good in forgetting and in what it costs and better in one of them, by their values.</param>
/// <param name="Run">Folder of the run, below the sweep's; also the run's id.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(ImageSweepPoint), ImageUnlearnResult.KindName)]
[JsonDerivedType(typeof(LanguageSweepPoint), LanguageUnlearnResult.KindName)]
public abstract record SweepPoint(IReadOnlyDictionary<string, object?> Options, long Seed, bool OnFront, string Run)
{
    /// <summary>What is left of what was to be forgotten, and what forgetting cost; both the lower the better.</summary>
    internal abstract (double Left, double Cost) Position { get; }

    /// <summary>The point of a finished run.</summary>
    internal static SweepPoint Of(UnlearnResult result, IReadOnlyDictionary<string, object?> options, long seed, string run) => result switch
    {
        ImageUnlearnResult images => new ImageSweepPoint(options, seed, images.Forget.Probability, images.Forget.Share, images.Retain.AccuracyAfter, images.Retain.NegativeElboChange, OnFront: false, run),
        LanguageUnlearnResult texts => LanguageSweepPoint.Of(texts, options, seed, run),
        _ => throw new NotSupportedException($"{result.GetType().Name} has no point in a sweep."),
    };
}

/// <summary>One run on images. Accuracy is too coarse for the front: it counts samples, and its interval covers a whole sweep; −ELBO compares the same images with the same noise.</summary>
/// <param name="Options">The swept options.</param>
/// <param name="Seed">Seed of this run.</param>
/// <param name="Forget">Probability of the forgotten class after.</param>
/// <param name="Share">Share judged as the forgotten class after.</param>
/// <param name="RetainAccuracy">Accuracy of the retained conditions after.</param>
/// <param name="RetainElboChange">Mean change of the retained conditions' −ELBO, nats an image.</param>
/// <param name="OnFront">Whether no other point beats it in share and change of −ELBO.</param>
/// <param name="Run">Folder of the run.</param>
public sealed record ImageSweepPoint(IReadOnlyDictionary<string, object?> Options, long Seed, Measure Forget, Measure Share, Measure RetainAccuracy, Measure RetainElboChange, bool OnFront, string Run)
    : SweepPoint(Options, Seed, OnFront, Run)
{
    internal override (double Left, double Cost) Position => (Share.Value, RetainElboChange.Value);
}

/// <summary>One run on a language model.</summary>
/// <param name="Options">The swept options.</param>
/// <param name="Seed">Seed of this run.</param>
/// <param name="Method">The method's kind.</param>
/// <param name="Swap">Swap accuracy of trained entities in unseen words, after.</param>
/// <param name="Margin">Mean swap margin of the same, after, nats.</param>
/// <param name="Floor">What can be scored without the knowledge.</param>
/// <param name="GapClosed">Share of the gap that is closed; null where there is none.</param>
/// <param name="Unseen">Swap accuracy of unseen entities of the topic, after; null where there are too few.</param>
/// <param name="RetainChange">Change of the mean over topics that had to stay.</param>
/// <param name="WorstTopic">The topic that lost most.</param>
/// <param name="WorstChange">Its change.</param>
/// <param name="PerplexityChange">Relative change of perplexity.</param>
/// <param name="Cost">The largest of the three losses (mean of the topics, worst neighbour, or worst topic where none is named, perplexity), each in units of the bound that methods are compared at; up to 1 it is within.</param>
/// <param name="ForgetSeconds">Seconds of forgetting.</param>
/// <param name="OnFront">Whether no other point beats it in what is left above or below the floor and in cost.</param>
/// <param name="Run">Folder of the run.</param>
public sealed record LanguageSweepPoint(
    IReadOnlyDictionary<string, object?> Options, long Seed, string Method, Measure Swap, Measure Margin, double Floor, Measure? GapClosed, Measure? Unseen, Measure RetainChange, string WorstTopic, double WorstChange,
    Measure PerplexityChange, double Cost, double ForgetSeconds, bool OnFront, string Run) : SweepPoint(Options, Seed, OnFront, Run)
{
    // Below the floor is as far from it as above.
    internal override (double Left, double Cost) Position => (Math.Abs(Swap.Value - Floor), Math.Max(0, Cost));

    internal static LanguageSweepPoint Of(LanguageUnlearnResult result, IReadOnlyDictionary<string, object?> options, long seed, string run)
    {
        var (forget, retain) = (result.Forget, result.Retain);
        var cost = new UtilityBound().Cost(retain.Change.Value, retain.WorstNeighbourChange ?? retain.WorstChange, result.Perplexity.Change.Value);
        return new LanguageSweepPoint(options, seed, result.Method.Name, forget.Trained.SwapAfter, forget.Trained.MarginAfter, forget.Floor, forget.Trained.GapClosed, forget.Unseen?.SwapAfter,
            retain.Change, retain.WorstTopic, retain.WorstChange, result.Perplexity.Change, cost, result.Cost.Seconds.GetValueOrDefault("forget"), OnFront: false, run);
    }
}
