using Lethe.Evaluation;
using Lethe.Evaluation.Language;
using Lethe.Evaluation.Statistics;
using Lethe.Runs.Results;

namespace Lethe.Runs.Language.Studies;

/// <summary>What items say of methods: seeds averaged first, bootstrap over blocks of entities within topics, topics counted alike.</summary>
internal static class StudyStatistics
{
    /// <summary>Non-inferiority of what had to stay is asked for at one point.</summary>
    public const double Margin = 0.01;

    // Below this the ratio of what is left says nothing; as in GapClosed, a draw whose gap vanishes would make a share anything.
    private const double LeastLeft = 0.001, SmallestGap = 0.01;

    /// <summary>One side of a topic.</summary>
    public static StudySide Side(SideSamples side)
    {
        var gap = GapClosed.Of(side.Before, side.After, side.Floor);
        var above = ClusterBootstrap.Of([side.After, side.Floor], means => means[0] - means[1]);
        return new StudySide(
            Bare(ClusterBootstrap.Of(side.Before)), Bare(ClusterBootstrap.Of(side.After, better: Better.Lower)), Bare(ClusterBootstrap.Of(side.MarginBefore)), Bare(ClusterBootstrap.Of(side.MarginAfter, better: Better.Lower)),
            Bare(ClusterBootstrap.Of(side.Floor)), gap.Qualifies, gap.Closed is { } closed ? Bare(closed) : null, Bare(Distance(above)));
    }

    /// <summary>What had to stay, of one topic.</summary>
    public static StudyRetain Retain(StudySamples samples) => Retain([samples], pooled: false);

    /// <summary>All topics of one method.</summary>
    /// <param name="topics">Its samples.</param>
    /// <param name="figures">Its figures of the same topics.</param>
    public static StudyPooled Pooled(IReadOnlyList<StudySamples> topics, IReadOnlyList<StudyFigures> figures) => new(
        Closed([.. topics.Select(topic => topic.Trained)]),
        topics.All(topic => topic.Unseen is not null) ? Closed([.. topics.Select(topic => topic.Unseen!)]) : null,
        Bare(ClusterBootstrap.Of([.. topics.SelectMany(topic => (ClusteredSample[])[topic.Trained.After, topic.Trained.Floor])], means => Mean(means, 2, own => Math.Abs(own[0] - own[1])), better: Better.Lower)),
        Retain(topics, pooled: true),
        figures.Average(own => own.PerplexityChange), figures.Max(own => own.PerplexityChange), figures.Max(own => own.Cost));

    /// <summary>What one method leaves beside what another leaves, on the same topics.</summary>
    /// <param name="ours">The proposed method's samples.</param>
    /// <param name="other">The other's, of the same topics in the same order.</param>
    /// <param name="method">The other's name.</param>
    /// <param name="role">Its role.</param>
    /// <param name="strongest">Whether it is the strongest baseline.</param>
    public static StudyComparison Compare(IReadOnlyList<StudySamples> ours, IReadOnlyList<StudySamples> other, string method, string role, bool strongest)
    {
        // The floor is the untouched model's, the same for both.
        ClusteredSample[][] topics = [.. ours.Zip(other, (a, b) => (ClusteredSample[])[a.Trained.After, b.Trained.After, a.Trained.Floor])];
        static double Difference(double[] means) => Mean(means, 3, own => Math.Abs(own[0] - own[2]) - Math.Abs(own[1] - own[2]));
        static double Other(double[] means) => Mean(means, 3, own => Math.Abs(own[1] - own[2]));
        static double Ratio(double[] means) => Mean(means, 3, own => Math.Abs(own[0] - own[2])) / Math.Max(LeastLeft, Other(means));
        ClusteredSample[] all = [.. topics.SelectMany(samples => samples)];
        var difference = ClusterBootstrap.Difference(all, Difference, better: Better.Lower);
        ClusterDifference[] single = [.. topics.Select(samples => ClusterBootstrap.Difference(samples, Difference, better: Better.Lower))];
        var holm = Holm.Adjust([.. single.Select(own => own.P)]);
        return new StudyComparison(method, role, strongest, Bare(difference.Value), difference.P,
            Other([.. all.Select(sample => sample.Mean)]) >= LeastLeft ? Bare(ClusterBootstrap.Of(all, Ratio, better: Better.Lower)) : null,
            difference.Value.StandardError is > 0 and var error ? SmallestEffect.Of(error) : null,
            [.. single.Select((own, k) => new StudyTopicDifference(ours[k].Topic, Bare(own.Value), own.P, holm[k]))]);
    }

    /// <summary>Items of several samples as one: a topic of a sample stays a topic, under the sample's name.</summary>
    public static (ClusteredSample Before, ClusteredSample After) Joined(IReadOnlyList<StudySamples> topics)
    {
        var (names, clusters) = (new List<string>(), new List<int>());
        var next = 0;
        foreach (var topic in topics)
        {
            var design = topic.RetainBefore.Design;
            names.AddRange(design.Topics.Select(name => $"{topic.Topic}/{name}"));
            clusters.AddRange(design.Clusters.Select(cluster => next + cluster));
            next += design.Clusters.Max() + 1;
        }
        var joined = new ClusterDesign(names, clusters);
        return (new ClusteredSample(joined, [[.. topics.SelectMany(topic => topic.RetainBefore.Values)]]), new ClusteredSample(joined, [[.. topics.SelectMany(topic => topic.RetainAfter.Values)]]));
    }

    private static StudyRetain Retain(IReadOnlyList<StudySamples> topics, bool pooled)
    {
        var (before, after) = pooled ? Joined(topics) : (topics[0].RetainBefore, topics[0].RetainAfter);
        var shown = NonInferiority.Of(before, after, Margin);
        var changes = topics.SelectMany(topic => topic.RetainBefore.Topics.Select(name => (
            Name: pooled ? $"{topic.Topic}/{name}" : name, Neighbour: topic.Neighbours.Contains(name), Change: topic.RetainAfter.MeanOf(name) - topic.RetainBefore.MeanOf(name)))).ToArray();
        var worst = changes.MinBy(topic => topic.Change);
        var neighbours = changes.Where(topic => topic.Neighbour).ToArray();
        var (neighbour, change) = neighbours.Length > 0 && neighbours.MinBy(topic => topic.Change) is var lost ? (lost.Name, (double?)lost.Change) : (null, null);
        return new StudyRetain(Bare(shown.Change), shown.Shown, Margin, shown.P, shown.SmallestDetectable is > 0 ? shown.SmallestDetectable : null, worst.Name, worst.Change, neighbour, change);
    }

    private static Measure? Closed(IReadOnlyList<SideSamples> sides) => sides.Any(side => side.Before.Mean <= side.Floor.Mean) ? null
        : Bare(ClusterBootstrap.Of([.. sides.SelectMany(side => (ClusteredSample[])[side.Before, side.After, side.Floor])],
            means => Mean(means, 3, own => GapClosed.Fold((own[0] - own[1]) / Math.Max(SmallestGap, own[0] - own[2]))), better: Better.Higher));

    // The mean over topics of something of the means of each.
    private static double Mean(double[] means, int size, Func<double[], double> of) => means.Chunk(size).Average(of);

    // |x|, with the image of x's interval: folded draws would never reach 0.
    private static Measure Distance(Measure signed) => signed with
    {
        Value = Math.Abs(signed.Value),
        Better = Better.Lower,
        Interval = signed.Interval is { } interval
            ? interval with { Low = interval.Low <= 0 && interval.High >= 0 ? 0 : Math.Min(Math.Abs(interval.Low), Math.Abs(interval.High)), High = Math.Max(Math.Abs(interval.Low), Math.Abs(interval.High)) }
            : null,
    };

    // Values of single items stay in the runs' readings.
    private static Measure Bare(Measure measure) => measure with { Items = null };
}
