namespace Lethe.Evaluation.Statistics;

/// <summary>Whether what had to stay has stayed.</summary>
/// <param name="Change">Mean of after − before over all items, whatever their topic.</param>
/// <param name="Margin">The largest loss that counts as none, in the measure's unit, above 0.</param>
/// <param name="Shown">Whether the interval's lower end lies above −<paramref name="Margin"/>. False says "not shown", not "has suffered".</param>
/// <param name="P">One-sided p-value of "the loss is the margin or more": (draws at or below −margin + 1) / (draws + 1).</param>
/// <param name="SmallestDetectable">The change that this sample would have shown with 80 % power at 5 %, in the measure's unit; null without an interval.</param>
public sealed record NonInferiorityResult(Measure Change, double Margin, bool Shown, double P, double? SmallestDetectable);

/// <summary>
/// A test of non-inferiority: not "no difference was found", which a small sample always finds, but "the loss is smaller than the margin". With the lower end of the two-sided
/// 95 % interval the chance of a false claim is 2.5 %, as ICH E9 has it.
/// </summary>
public static class NonInferiority
{
    /// <summary>Tests retained items pooled over topics.</summary>
    /// <param name="before">Before; higher is better.</param>
    /// <param name="after">After, of the same design.</param>
    /// <param name="margin">The largest loss that counts as none: 0.01 is one point of a share.</param>
    /// <param name="options">Draws, confidence and seed.</param>
    /// <exception cref="Torch.UsageException">The margin is not above 0.</exception>
    public static NonInferiorityResult Of(ClusteredSample before, ClusteredSample after, double margin = 0.01, BootstrapOptions? options = null)
    {
        Check.Option(margin > 0, "margin of non-inferiority", margin, "above 0");
        options ??= new BootstrapOptions();
        static double Statistic(double[] means) => means[1] - means[0];
        var (change, draws) = ClusterBootstrap.WithDraws([before, after], Statistic, Pooling.Pooled, options, Better.Higher);
        if (draws is not null && change.StandardError is 0)
            return Unchanged(change, before, after, margin, options);
        return new NonInferiorityResult(change, margin, change.Interval is { } interval && interval.Low > -margin,
            draws is null ? 1 : (draws.Count(draw => draw <= -margin) + 1.0) / (draws.Length + 1), change.StandardError is { } error ? SmallestEffect.Of(error) : null);
    }

    // Where no cluster changed, all draws are the same, and their interval of no width would claim too much: how many of n clusters could have changed unseen is bounded instead, as for none of n,
    // and of shares a cluster loses 1 at most.
    private static NonInferiorityResult Unchanged(Measure change, ClusteredSample before, ClusteredSample after, double margin, BootstrapOptions options)
    {
        if (before.Values.Concat(after.Values).Any(value => value is < 0 or > 1) || !before.Values.SequenceEqual(after.Values))
            return new(change with { Interval = null, StandardError = null }, margin, false, 1, null);
        var clusters = before.Design.Groups().Sum(topic => topic.Clusters.Length);
        var unseen = Proportion.ClopperPearson(0, clusters, options.Confidence);
        return new(change with { Interval = unseen with { Low = -unseen.High } }, margin, unseen.High < margin, Math.Pow(1 - margin, clusters), null);
    }
}
