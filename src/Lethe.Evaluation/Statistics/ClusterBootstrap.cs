using Lethe.Torch;

namespace Lethe.Evaluation.Statistics;

/// <summary>How items are put together.</summary>
public enum Pooling
{
    /// <summary>Mean within each topic, then mean over topics.</summary>
    Macro,
    /// <summary>Mean over all items, whatever their topic.</summary>
    Pooled,
}

/// <summary>A difference of two samples.</summary>
/// <param name="Value">The difference with its interval.</param>
/// <param name="P">Two-sided p-value of "there is none": twice the smaller share of draws on the other side of 0, (k + 1) / (draws + 1).</param>
public sealed record ClusterDifference(Measure Value, double P);

/// <summary>
/// The bootstrap over clusters within topics (Davison and Hinkley 1997, section 3.8): each topic keeps its number of clusters, which are drawn with replacement, all their items
/// with them; samples of one design see the same draw, others independent ones. Percentile intervals. Topics are the ones that were chosen and are not drawn.
/// </summary>
public static class ClusterBootstrap
{
    /// <summary>Measures a statistic of the samples' means.</summary>
    /// <param name="samples">The samples, at least one.</param>
    /// <param name="statistic">Computes it from a mean for each sample, in their order.</param>
    /// <param name="pooling">How items become a sample's mean.</param>
    /// <param name="options">Draws, confidence and seed; <see cref="BootstrapOptions.BiasCorrected"/> is not used.</param>
    /// <param name="better">Which direction is better.</param>
    /// <returns>The statistic over all clusters, N items of the first sample; no interval where a topic has a single cluster, which says nothing of its spread. Pooled, such topics are drawn as one stratum with
    /// their like, or with the smallest other topic (collapsed strata: Wolter 2007, section 2.5), which makes the interval wider rather than narrower.</returns>
    /// <exception cref="RunFailedException">The statistic, of all or of a draw, is not finite.</exception>
    public static Measure Of(IReadOnlyList<ClusteredSample> samples, Func<double[], double> statistic, Pooling pooling = Pooling.Macro, BootstrapOptions? options = null, Better better = Better.Neither) =>
        WithDraws(samples, statistic, pooling, options ?? new BootstrapOptions(), better).Value;

    /// <summary>The measure, and the draws that its interval is made of; null where there is none.</summary>
    internal static (Measure Value, double[]? Draws) WithDraws(IReadOnlyList<ClusteredSample> samples, Func<double[], double> statistic, Pooling pooling, BootstrapOptions options, Better better)
    {
        var all = statistic([.. samples.Select(sample => Mean(sample, pooling))]);
        Check.Finite([all], "of a cluster bootstrap");
        var draws = Draws(samples, statistic, pooling, options);
        return (draws is null ? new Measure(all, samples[0].Design.Count, Better: better) : Measured(all, samples[0].Design.Count, draws, options, better), draws);
    }

    /// <summary>A sample's mean with its interval.</summary>
    public static Measure Of(ClusteredSample sample, Pooling pooling = Pooling.Macro, BootstrapOptions? options = null, Better better = Better.Neither) =>
        Of([sample], means => means[0], pooling, options, better) with { Items = sample.Values };

    /// <summary>How far the mean of <paramref name="a"/> lies above that of <paramref name="b"/>.</summary>
    public static ClusterDifference Difference(ClusteredSample a, ClusteredSample b, Pooling pooling = Pooling.Macro, BootstrapOptions? options = null, Better better = Better.Neither) =>
        Difference([a, b], means => means[0] - means[1], pooling, options, better);

    /// <summary>A difference that is computed from the means of several samples, such as those of two methods on several topics.</summary>
    /// <param name="samples">The samples, at least one.</param>
    /// <param name="statistic">Computes the difference from a mean for each sample, in their order.</param>
    /// <param name="pooling">How items become a sample's mean.</param>
    /// <param name="options">Draws, confidence and seed.</param>
    /// <param name="better">Which direction is better.</param>
    public static ClusterDifference Difference(IReadOnlyList<ClusteredSample> samples, Func<double[], double> statistic, Pooling pooling = Pooling.Macro, BootstrapOptions? options = null, Better better = Better.Neither)
    {
        var (value, draws) = WithDraws(samples, statistic, pooling, options ?? new BootstrapOptions(), better);
        return new ClusterDifference(value, draws is null ? 1 : Math.Min(1, 2.0 * (1 + Math.Min(draws.Count(draw => draw <= 0), draws.Count(draw => draw >= 0))) / (draws.Length + 1)));
    }

    // The draws, in order of drawing; null where a topic has a single cluster (pooled: where it is the only topic), or where nothing varies because all samples are constants.
    private static double[]? Draws(IReadOnlyList<ClusteredSample> samples, Func<double[], double> statistic, Pooling pooling, BootstrapOptions options)
    {
        Check.Confidence(options.Confidence);
        Check.AtLeast(samples.Count, 1, "samples");
        Check.Option(options.Resamples >= 100, "number of resamples", options.Resamples, "at least 100");
        var drawn = samples.Select((sample, at) => (Sample: sample, At: at)).Where(item => !item.Sample.IsConstant)
            .GroupBy(item => item.Sample.Design, (design, items) => (Topics: pooling == Pooling.Pooled ? Collapsed(design.Groups()) : design.Groups(), Items: items.ToArray())).ToArray();
        if (drawn.Length == 0 || drawn.Any(group => group.Topics.Any(topic => topic.Clusters.Length < 2)))
            return null;

        var sums = drawn.Select(group => new ClusterSums(group.Topics, [.. group.Items.Select(item => item.Sample.Values)], pooling)).ToArray();
        var random = new SplitMix64(options.Seed);
        var means = samples.Select(sample => Mean(sample, pooling)).ToArray();
        var draws = new double[options.Resamples];
        for (var draw = 0; draw < draws.Length; draw++)
        {
            for (var group = 0; group < drawn.Length; group++)
            {
                var own = sums[group].Draw(random);
                for (var i = 0; i < own.Length; i++)
                    means[drawn[group].Items[i].At] = own[i];
            }
            draws[draw] = statistic(means);
        }
        Check.Finite(draws, "drawn by a cluster bootstrap");
        return draws;
    }

    /// <summary>The measure of a value and its draws.</summary>
    internal static Measure Measured(double value, long count, double[] draws, BootstrapOptions options, Better better)
    {
        double[] sorted = [.. draws.Order()];
        var tail = (1 - options.Confidence) / 2;
        return new Measure(value, count, Statistics.Mean.MeanAndDeviation(draws).Deviation, new Interval(Bootstrap.Quantile(sorted, tail), Bootstrap.Quantile(sorted, 1 - tail), options.Confidence, "percentile"), better);
    }

    // Topics of a single cluster as one stratum, a lone one with the smallest of the others.
    private static IReadOnlyList<(string Topic, int[][] Clusters)> Collapsed(IReadOnlyList<(string Topic, int[][] Clusters)> topics)
    {
        var single = topics.Where(topic => topic.Clusters.Length == 1).ToList();
        if (single.Count == 0 || topics.Count == 1)
            return topics;
        if (single.Count == 1)
            single.Add(topics.Where(topic => topic.Clusters.Length > 1).MinBy(topic => topic.Clusters.Length));
        return [.. topics.Except(single), (string.Join(", ", single.Select(topic => topic.Topic)), [.. single.SelectMany(topic => topic.Clusters)])];
    }

    private static double Mean(ClusteredSample sample, Pooling pooling) => pooling == Pooling.Macro ? sample.Mean : sample.PooledMean;

    /// <summary>Sums and counts of the clusters of one design, so that a draw costs a few additions a cluster and not one an item.</summary>
    private sealed class ClusterSums
    {
        private readonly (int[] Counts, double[][] Sums)[] topics; // Sums[cluster][sample]
        private readonly Pooling pooling;
        private readonly int samples;

        public ClusterSums(IReadOnlyList<(string Topic, int[][] Clusters)> groups, IReadOnlyList<double>[] values, Pooling pooling)
        {
            this.pooling = pooling;
            samples = values.Length;
            topics = [.. groups.Select(topic => (
                topic.Clusters.Select(items => items.Length).ToArray(),
                topic.Clusters.Select(items => values.Select(own => items.Sum(i => own[i])).ToArray()).ToArray()))];
        }

        public double[] Draw(SplitMix64 random)
        {
            var means = new double[samples];
            var all = 0L;
            foreach (var (counts, sums) in topics)
            {
                var total = new double[samples];
                var items = 0L;
                for (var i = 0; i < counts.Length; i++)
                {
                    var cluster = random.Below(counts.Length);
                    items += counts[cluster];
                    for (var sample = 0; sample < samples; sample++)
                        total[sample] += sums[cluster][sample];
                }
                for (var sample = 0; sample < samples; sample++)
                    means[sample] += pooling == Pooling.Macro ? total[sample] / items / topics.Length : total[sample];
                all += items;
            }
            if (pooling == Pooling.Pooled)
                for (var sample = 0; sample < samples; sample++)
                    means[sample] /= all;
            return means;
        }
    }
}
