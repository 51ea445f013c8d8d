using Lethe.Evaluation;
using Lethe.Evaluation.Language;

namespace Lethe.Runs.Results;

/// <summary>Figures of one configuration on one topic, averaged over seeds; shares of 1.</summary>
public sealed record StudyFigures
{
    /// <summary>Share of the gap that is closed, what lies below the floor counted against it; NaN where there is no gap.</summary>
    public required double GapClosed { get; init; }

    /// <summary>Swap accuracy of trained entities in unseen words, after.</summary>
    public required double Swap { get; init; }

    /// <summary>Mean swap margin of the same, after, nats.</summary>
    public required double Margin { get; init; }

    /// <summary>Swap accuracy of unseen entities of the topic, after; null where there are too few.</summary>
    public double? Unseen { get; init; }

    /// <summary>Change of the mean over topics that had to stay.</summary>
    public required double RetainChange { get; init; }

    /// <summary>The neighbour that lost most, or the topic where none is named.</summary>
    public required string WorstNeighbour { get; init; }

    /// <summary>Its change.</summary>
    public required double WorstNeighbourChange { get; init; }

    /// <summary>Relative change of perplexity.</summary>
    public required double PerplexityChange { get; init; }

    /// <summary>The largest of the three losses in units of the bound; up to 1 it is within.</summary>
    public required double Cost { get; init; }

    /// <summary>Mean seconds of forgetting.</summary>
    public required double ForgetSeconds { get; init; }

    /// <summary>Averages runs that differ in their seed alone.</summary>
    /// <param name="seeds">Their results, at least one.</param>
    /// <param name="bound">What may be lost.</param>
    public static StudyFigures Of(IReadOnlyList<LanguageUnlearnResult> seeds, UtilityBound bound)
    {
        // Seeds first: a topic's mean over seeds decides which one lost most, not the worst topic of each seed.
        var topics = seeds.SelectMany(seed => seed.Retain.Topics).GroupBy(topic => topic.Topic)
            .Select(topic => (Topic: topic.Key, topic.First().Neighbour, Change: topic.Average(own => own.Knowledge.SwapChange.Value))).ToArray();
        var neighbours = topics.Any(topic => topic.Neighbour) ? topics.Where(topic => topic.Neighbour) : topics;
        var worst = neighbours.MinBy(topic => topic.Change);
        var (before, after, floor) = (seeds.Average(seed => seed.Forget.SwapBefore), seeds.Average(seed => seed.Forget.SwapAfter), seeds.Average(seed => seed.Forget.Floor));
        var (retain, perplexity) = (seeds.Average(seed => seed.Retain.Change.Value), seeds.Average(seed => seed.Perplexity.Change.Value));
        return new StudyFigures
        {
            GapClosed = before > floor ? 1 - Math.Abs(after - floor) / (before - floor) : double.NaN,
            Swap = after,
            Margin = seeds.Average(seed => seed.Forget.Trained.MarginAfter.Value),
            Unseen = seeds.All(seed => seed.Forget.Unseen is not null) ? seeds.Average(seed => seed.Forget.Unseen!.SwapAfter.Value) : null,
            RetainChange = retain,
            WorstNeighbour = worst.Topic,
            WorstNeighbourChange = worst.Change,
            PerplexityChange = perplexity,
            Cost = bound.Cost(retain, worst.Change, perplexity),
            ForgetSeconds = seeds.Average(seed => seed.Cost.Seconds.GetValueOrDefault("forget")),
        };
    }

    /// <summary>What configurations are chosen by.</summary>
    /// <param name="name">The configuration.</param>
    public UtilityFigures Utility(string name) => new(name, GapClosed, RetainChange, WorstNeighbourChange, PerplexityChange);
}

/// <summary>What a method's chosen configuration did to one topic, on entities that nothing was chosen by.</summary>
public sealed record StudyTopicResult
{
    /// <summary>The topic, by its name in the plan.</summary>
    public required string Topic { get; init; }

    /// <summary>Figures averaged over seeds, the bounds that they break, runs, and why runs failed.</summary>
    public required StudyReading Reading { get; init; }

    /// <summary>Trained entities asked in unseen words; null where a run failed.</summary>
    public StudySide? Trained { get; init; }

    /// <summary>Entities of the topic that were not trained on; null where there are too few, or a run failed.</summary>
    public StudySide? Unseen { get; init; }

    /// <summary>What had to stay; null where a run failed.</summary>
    public StudyRetain? Retain { get; init; }

    /// <summary>What each seed alone gave.</summary>
    public IReadOnlyList<StudySeed> Seeds { get; init; } = [];
}

/// <summary>What one seed gave.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Figures">Its figures; null where the run failed.</param>
/// <param name="Run">The run's folder, below the study's points/.</param>
public sealed record StudySeed(long Seed, StudyFigures? Figures, string Run);

/// <summary>What is known of entities before and after, averaged over seeds item by item.</summary>
/// <param name="SwapBefore">Swap accuracy before.</param>
/// <param name="SwapAfter">The same after.</param>
/// <param name="MarginBefore">Mean swap margin before, nats.</param>
/// <param name="MarginAfter">The same after.</param>
/// <param name="Floor">What can be scored without the knowledge.</param>
/// <param name="Qualifies">Whether the topic says anything: it was known at least 20 points above the floor, and certainly 10.</param>
/// <param name="GapClosed">Share of the gap that is closed; null where there is none.</param>
/// <param name="Left">Distance of the swap accuracy from the floor after, share of 1.</param>
public sealed record StudySide(Measure SwapBefore, Measure SwapAfter, Measure MarginBefore, Measure MarginAfter, Measure Floor, bool Qualifies, Measure? GapClosed, Measure Left);

/// <summary>What had to stay.</summary>
/// <param name="Change">Mean change over all pairs, whatever their topic.</param>
/// <param name="NonInferior">Whether the loss is shown to be smaller than the margin.</param>
/// <param name="Margin">The largest loss that counts as none, share of 1.</param>
/// <param name="P">One-sided p-value of "the loss is the margin or more".</param>
/// <param name="SmallestDetectable">The change that these pairs would have shown with 80 % power; null without an interval.</param>
/// <param name="WorstTopic">The topic that lost most; over several forgotten topics, FORGOTTEN/TOPIC.</param>
/// <param name="WorstChange">Its change.</param>
/// <param name="WorstNeighbour">The neighbour that lost most; null where none is named.</param>
/// <param name="WorstNeighbourChange">Its change.</param>
public sealed record StudyRetain(Measure Change, bool NonInferior, double Margin, double P, double? SmallestDetectable, string WorstTopic, double WorstChange, string? WorstNeighbour, double? WorstNeighbourChange);

/// <summary>All topics together; each counts the same.</summary>
/// <param name="GapClosed">Mean over topics of the share of the gap that is closed; null where a topic has no gap.</param>
/// <param name="Unseen">The same of unseen entities; null where a topic has too few.</param>
/// <param name="Left">Mean over topics of the distance from the floor, share of 1.</param>
/// <param name="Retain">What had to stay, the pairs of all topics pooled.</param>
/// <param name="PerplexityChange">Mean over topics of the relative change of perplexity.</param>
/// <param name="WorstPerplexityChange">The largest of them.</param>
/// <param name="Cost">The largest cost of a topic, in units of the bound.</param>
public sealed record StudyPooled(Measure? GapClosed, Measure? Unseen, Measure Left, StudyRetain Retain, double PerplexityChange, double WorstPerplexityChange, double Cost);
