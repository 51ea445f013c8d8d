using Lethe.Evaluation.Statistics;

namespace Lethe.Evaluation.Language;

/// <summary>How much of what a model knew is gone.</summary>
public sealed record GapResult
{
    /// <summary>Mean before.</summary>
    public required double Before { get; init; }

    /// <summary>Mean after.</summary>
    public required double After { get; init; }

    /// <summary>What can be scored without the knowledge.</summary>
    public required double Floor { get; init; }

    /// <summary>Before − floor: what was known above what can be guessed.</summary>
    public required Measure Gap { get; init; }

    /// <summary>Whether the topic says anything: the gap is at least 20 points and its lower end at least 10.</summary>
    public required bool Qualifies { get; init; }

    /// <summary>(before − after) / (before − floor): 0 where nothing changed, 1 at the floor, above 1 below it; null where the gap is not above 0.</summary>
    public required Measure? Raw { get; init; }

    /// <summary>1 − |after − floor| / (before − floor): the same down to the floor, and less again below it; null where the gap is not above 0.</summary>
    public required Measure? Closed { get; init; }
}

/// <summary>
/// Gap closed: the share of what was known above the floor that is gone, g = (before − after) / (before − floor). Below the floor the distance counts against: 1 − |after − floor| /
/// (before − floor), which is min(g, 2 − g). A model that never knew scores at the floor; one that scores below it has learnt to avoid the right answer, which betrays
/// it as much as choosing it, and a user could read the answer off by taking the opposite. So the same distance on either side leaves the same.
/// The interval of the closed share is the image of the raw share's interval under that map, and not that of folded draws: those never reach 1 and would say of a
/// method that is exactly at the floor that it is not. The value itself is folded: at the floor noise takes off about 0.8 standard errors of the raw share.
/// </summary>
public static class GapClosed
{
    /// <summary>The least gap of a topic that is reported, share of 1.</summary>
    public const double LeastGap = 0.20;

    /// <summary>The least lower end of the gap's interval, share of 1.</summary>
    public const double LeastLowerEnd = 0.10;

    // A draw whose gap vanishes would make the ratio anything; with the gap's lower end above 0 there are next to none of them.
    private const double SmallestGap = 0.01;

    /// <summary>min(g, 2 − g).</summary>
    public static double Fold(double raw) => Math.Min(raw, 2 - raw);

    /// <summary>Measures.</summary>
    /// <param name="before">What the model scored before; higher is knowing more.</param>
    /// <param name="after">What it scores after, of the same design.</param>
    /// <param name="floor">What can be scored without the knowledge: a never-knew model on the same design, names that belong to nobody, or a constant.</param>
    /// <param name="options">Draws, confidence and seed.</param>
    public static GapResult Of(ClusteredSample before, ClusteredSample after, ClusteredSample floor, BootstrapOptions? options = null)
    {
        options ??= new BootstrapOptions();
        var gap = ClusterBootstrap.Of([before, floor], means => means[0] - means[1], Pooling.Macro, options, Better.Neither);
        Measure? raw = null, closed = null;
        if (gap.Value > 0)
        {
            raw = ClusterBootstrap.Of([before, after, floor], means => (means[0] - means[1]) / Math.Max(SmallestGap, means[0] - means[2]), Pooling.Macro, options, Better.Neither)
                with { Value = (before.Mean - after.Mean) / gap.Value };
            if (gap.Interval is not { Low: > 0 })
                raw = raw with { Interval = null, StandardError = null };
            closed = raw with { Value = Fold(raw.Value), Interval = Image(raw.Interval), Better = Better.Higher };
        }
        return new GapResult
        {
            Before = before.Mean,
            After = after.Mean,
            Floor = floor.Mean,
            Gap = gap,
            Qualifies = gap.Value >= LeastGap && gap.Interval is { } interval && interval.Low >= LeastLowerEnd,
            Raw = raw,
            Closed = closed,
        };
    }

    private static Interval? Image(Interval? raw) => raw is null ? null : raw with
    {
        Low = Math.Min(Fold(raw.Low), Fold(raw.High)),
        High = raw.Low <= 1 && raw.High >= 1 ? 1 : Math.Max(Fold(raw.Low), Fold(raw.High)),
    };
}
