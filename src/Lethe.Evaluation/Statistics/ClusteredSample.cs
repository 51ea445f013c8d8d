namespace Lethe.Evaluation.Statistics;

/// <summary>Where items stand: in which topic, and in which cluster of items that are not independent of each other.</summary>
/// <param name="Topics">The topic of each item.</param>
/// <param name="Clusters">The cluster of each item, a number; a cluster belongs to one topic.</param>
public sealed record ClusterDesign(IReadOnlyList<string> Topics, IReadOnlyList<int> Clusters)
{
    /// <summary>Items.</summary>
    public int Count => Topics.Count;

    /// <summary>The items of each cluster of each topic; topics and clusters in order.</summary>
    internal IReadOnlyList<(string Topic, int[][] Clusters)> Groups() =>
        [.. Enumerable.Range(0, Count).GroupBy(i => Topics[i]).OrderBy(topic => topic.Key, StringComparer.Ordinal)
            .Select(topic => (topic.Key, topic.GroupBy(i => Clusters[i]).OrderBy(cluster => cluster.Key).Select(cluster => cluster.ToArray()).ToArray()))];
}

/// <summary>
/// Values of items that stand in clusters within topics: those of one model, averaged over seeds first, so that what seeds share is not counted as often as there
/// are seeds. Samples that were measured on the same items share the design object, and a bootstrap then draws for all of them together.
/// </summary>
public sealed class ClusteredSample
{
    /// <summary>Averages seeds.</summary>
    /// <param name="design">Where the items stand; at least one item.</param>
    /// <param name="seeds">For each seed a value for each item; at least one seed.</param>
    /// <exception cref="Torch.RunFailedException">A value is not finite.</exception>
    public ClusteredSample(ClusterDesign design, IReadOnlyList<IReadOnlyList<double>> seeds)
    {
        Check.SameLength(design.Topics.Count, design.Clusters.Count, "items");
        Check.AtLeast(design.Count, 1, "items");
        Check.AtLeast(seeds.Count, 1, "seeds");
        var mean = new double[design.Count];
        foreach (var values in seeds)
        {
            Check.SameLength(values.Count, design.Count, "items");
            for (var i = 0; i < mean.Length; i++)
                mean[i] += values[i] / seeds.Count;
        }
        Check.Finite(mean, "of a sample");
        Design = design;
        Values = mean;
        Seeds = seeds;
        SeedMeans = [.. seeds.Select(values => Macro(design, values))];
    }

    /// <summary>Where the items stand.</summary>
    public ClusterDesign Design { get; }

    /// <summary>The value of each item, averaged over seeds.</summary>
    public IReadOnlyList<double> Values { get; }

    /// <summary>The value of each item under each seed.</summary>
    public IReadOnlyList<IReadOnlyList<double>> Seeds { get; }

    /// <summary>The mean over topics of each seed alone: how far seeds differ.</summary>
    public IReadOnlyList<double> SeedMeans { get; }

    /// <summary>The topics in order.</summary>
    public IReadOnlyList<string> Topics => [.. Design.Topics.Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Mean over topics of the mean over each topic's items: a topic with few items counts as much as one with many.</summary>
    public double Mean => Macro(Design, Values);

    /// <summary>Mean over all items.</summary>
    public double PooledMean => Values.Average();

    /// <summary>Mean over a topic's items.</summary>
    public double MeanOf(string topic) => Values.Where((_, i) => Design.Topics[i] == topic).Average();

    /// <summary>A value that is known and not measured, such as the 50 % of a coin.</summary>
    /// <param name="value">The value.</param>
    public static ClusteredSample Constant(double value) => new(new ClusterDesign([""], [0]), [[value]]) { IsConstant = true };

    /// <summary>The samples of one topic out of samples; those that shared a design share one again.</summary>
    /// <param name="topic">The topic; every sample that is no constant must have it.</param>
    /// <param name="samples">The samples.</param>
    public static IReadOnlyList<ClusteredSample> Only(string topic, params IReadOnlyList<ClusteredSample> samples)
    {
        var designs = new Dictionary<ClusterDesign, (ClusterDesign Design, int[] Items)>();
        return [.. samples.Select(sample =>
        {
            if (sample.IsConstant)
                return sample;
            if (!designs.TryGetValue(sample.Design, out var part))
            {
                int[] items = [.. Enumerable.Range(0, sample.Design.Count).Where(i => sample.Design.Topics[i] == topic)];
                if (items.Length == 0)
                    throw new ArgumentException($"no item of the sample stands in topic '{topic}' (it has: {string.Join(", ", sample.Topics)})", nameof(topic));
                part = (new ClusterDesign([.. items.Select(i => sample.Design.Topics[i])], [.. items.Select(i => sample.Design.Clusters[i])]), items);
                designs.Add(sample.Design, part);
            }
            return new ClusteredSample(part.Design, [.. sample.Seeds.Select(values => (IReadOnlyList<double>)[.. part.Items.Select(i => values[i])])]);
        })];
    }

    /// <summary>Whether the value is known and does not vary.</summary>
    internal bool IsConstant { get; private init; }

    private static double Macro(ClusterDesign design, IReadOnlyList<double> values) =>
        design.Groups().Average(topic => topic.Clusters.SelectMany(items => items).Average(i => values[i]));
}
