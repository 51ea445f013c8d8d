using Lethe.Evaluation.Statistics;

namespace Lethe.Evaluation.Tests.Statistics;

public sealed class ClusterBootstrapTests
{
    [Fact]
    public void With_clusters_of_one_item_the_error_is_that_of_a_mean()
    {
        var items = new Random(1).Normals(150);

        var measure = ClusterBootstrap.Of(Sample(items, _ => "t", i => i), options: new BootstrapOptions { Resamples = 4_000 });

        var known = Mean.Of(items);
        Assert.Equal(known.Value, measure.Value, 12);
        // Four thousand draws know a standard error to about 1 %.
        Assert.InRange(measure.StandardError!.Value / known.StandardError!.Value, 0.95, 1.05);
        Assert.Equal("percentile", measure.Interval!.Kind);
    }

    [Fact]
    public void Items_that_repeat_within_a_cluster_say_no_more_than_one_of_them()
    {
        var clusters = new Random(2).Normals(40);
        double[] items = [.. clusters.SelectMany(value => Enumerable.Repeat(value, 5))];

        var once = ClusterBootstrap.Of(Sample(clusters, _ => "t", i => i));
        var repeated = ClusterBootstrap.Of(Sample(items, _ => "t", i => i / 5));

        Assert.Equal(once.StandardError!.Value, repeated.StandardError!.Value, 9);
        Assert.Equal(once.Interval!.Low, repeated.Interval!.Low, 9);
    }

    [Fact]
    public void Topics_count_alike_in_the_macro_mean_and_items_alike_in_the_pooled_one()
    {
        double[] items = [1, 1, 1, 0, 0, 4];
        var sample = Sample(items, i => i < 5 ? "large" : "small", i => i);

        Assert.Equal((0.6 + 4) / 2, sample.Mean, 12);
        Assert.Equal(7.0 / 6, sample.PooledMean, 12);
        Assert.Equal(0.6, sample.MeanOf("large"), 12);
        Assert.Equal(["large", "small"], sample.Topics);
    }

    [Fact]
    public void Seeds_are_averaged_first_so_that_more_of_the_same_narrow_nothing()
    {
        var items = new Random(3).Normals(30);
        var design = new ClusterDesign([.. items.Select(_ => "t")], [.. Enumerable.Range(0, 30)]);

        var one = ClusterBootstrap.Of(new ClusteredSample(design, [items]));
        var three = ClusterBootstrap.Of(new ClusteredSample(design, [items, items, items]));
        var shifted = new ClusteredSample(design, [items, [.. items.Select(value => value + 2)]]);

        Assert.Equal(one.Interval!.High - one.Interval.Low, three.Interval!.High - three.Interval.Low, 9);
        Assert.Equal(items.Average() + 1, shifted.Mean, 12);
        Assert.Equal(2, shifted.SeedMeans[1] - shifted.SeedMeans[0], 12);
    }

    [Fact]
    public void Samples_of_one_design_see_the_same_draw_and_others_do_not()
    {
        var items = new Random(4).Normals(40);
        var design = new ClusterDesign([.. items.Select(_ => "t")], [.. Enumerable.Range(0, 40)]);
        var a = new ClusteredSample(design, [items]);
        var b = new ClusteredSample(design, [[.. items.Select(value => value + 1)]]);
        var elsewhere = new ClusteredSample(new ClusterDesign([.. design.Topics], [.. design.Clusters]), [items]);

        var paired = ClusterBootstrap.Difference(b, a);
        var apart = ClusterBootstrap.Difference(elsewhere, a);

        Assert.Equal(1, paired.Value.Value, 12);
        Assert.Equal(0, paired.Value.StandardError!.Value, 9);
        Assert.True(paired.P <= 2.0 / 2001 + 1e-12);
        // Two independent draws: the variances add.
        Assert.InRange(apart.Value.StandardError!.Value / ClusterBootstrap.Of(a).StandardError!.Value, 1.3, 1.55);
        Assert.True(apart.P > 0.8);
    }

    [Fact]
    public void A_part_of_samples_that_shared_a_design_shares_one_again()
    {
        var items = new Random(5).Normals(60);
        var design = new ClusterDesign([.. items.Select((_, i) => i % 2 == 0 ? "even" : "odd")], [.. items.Select((_, i) => i)]);
        var parts = ClusteredSample.Only("odd", new ClusteredSample(design, [items]), new ClusteredSample(design, [[.. items.Select(value => value - 3)]]), ClusteredSample.Constant(0.5));

        Assert.Same(parts[0].Design, parts[1].Design);
        Assert.Equal(items.Where((_, i) => i % 2 == 1).Average(), parts[0].Mean, 12);
        Assert.Equal(0.5, parts[2].Mean);
        Assert.Throws<ArgumentException>(() => ClusteredSample.Only("neither", parts[0]));
    }

    [Fact]
    public void Pooled_topics_of_one_cluster_are_drawn_as_one_stratum()
    {
        // Two topics of one item each, 0 and 1: drawn together, their mean is 0, 1/2 or 1 with 1/4, 1/2 and 1/4.
        var two = ClusterBootstrap.Of(Sample([0, 1], i => i == 0 ? "a" : "b", i => i), Pooling.Pooled, new BootstrapOptions { Resamples = 4_000 });

        Assert.Equal(0, two.Interval!.Low);
        Assert.Equal(1, two.Interval.High);
        Assert.InRange(two.StandardError!.Value, 0.345, 0.362); // √(1/8) = 0.354, to 2.5 %

        // One such topic joins the smallest other one: all four clusters of one item are then a single stratum.
        var joined = ClusterBootstrap.Of(Sample([1, 3, 4, 1], i => i == 0 ? "b" : "a", i => i), Pooling.Pooled);
        var whole = ClusterBootstrap.Of(Sample([1, 3, 4, 1], _ => "a", i => i), Pooling.Pooled);

        Assert.Equal(whole.StandardError!.Value, joined.StandardError!.Value, 12);
    }

    [Fact]
    public void A_topic_of_one_cluster_has_no_interval()
    {
        var sample = Sample([1, 2, 3, 4], i => i < 2 ? "a" : "b", i => i < 2 ? i : 7);

        Assert.Null(ClusterBootstrap.Of(sample).Interval);
        Assert.Null(ClusterBootstrap.Of(ClusteredSample.Constant(0.5)).Interval);
    }

    /// <summary>
    /// Two topics of 25 clusters of 4 items with a common effect: the interval holds the truth about as often as it says; one that takes items for independent does not. Of 400
    /// trials at 95 %, two standard errors are 2.2 points; percentile intervals of 25 clusters fall short by about as much.
    /// </summary>
    [Fact]
    public void The_interval_covers_the_truth_as_often_as_it_says()
    {
        var random = new Random(6);
        int clustered = 0, naive = 0;
        const int Trials = 400;
        for (var trial = 0; trial < Trials; trial++)
        {
            double[] effects = random.Normals(50);
            double[] items = [.. Enumerable.Range(0, 200).Select(i => effects[i / 4] + 0.5 * random.Normal())];
            var options = new BootstrapOptions { Resamples = 300, Seed = (ulong)trial };
            if (ClusterBootstrap.Of(Sample(items, i => i < 100 ? "a" : "b", i => i / 4), options: options).Interval is { Low: <= 0, High: >= 0 })
                clustered++;
            if (ClusterBootstrap.Of(Sample(items, i => i < 100 ? "a" : "b", i => i), options: options).Interval is { Low: <= 0, High: >= 0 })
                naive++;
        }

        Assert.InRange((double)clustered / Trials, 0.90, 0.98);
        Assert.InRange((double)naive / Trials, 0.4, 0.85);
    }

    [Fact]
    public void Non_inferiority_is_shown_where_the_interval_stays_above_the_margin_and_only_there()
    {
        var random = new Random(7);
        double[] before = [.. Enumerable.Range(0, 3000).Select(_ => random.NextDouble() < 0.9 ? 1.0 : 0)];
        double[] worse = [.. before.Select(value => value == 1 && random.NextDouble() < 0.05 ? 0 : value)];
        var design = new ClusterDesign([.. before.Select((_, i) => $"{i % 5}")], [.. before.Select((_, i) => i)]);
        var few = new ClusterDesign([.. before.Take(50).Select(_ => "t")], [.. Enumerable.Range(0, 50)]);

        var same = NonInferiority.Of(new ClusteredSample(design, [before]), new ClusteredSample(design, [before]));
        var lost = NonInferiority.Of(new ClusteredSample(design, [before]), new ClusteredSample(design, [worse]));
        var unsure = NonInferiority.Of(new ClusteredSample(few, [[.. before.Take(50)]]), new ClusteredSample(few, [[.. before.Take(50).Select((value, i) => i == 0 ? 1 - value : i == 1 ? 1 - value : value)]]));

        Assert.True(same.Shown);
        Assert.Equal(0, same.Change.Value);
        Assert.True(same.P < 0.001);
        Assert.False(lost.Shown);
        Assert.True(lost.P > 0.99);
        Assert.Equal(worse.Average() - before.Average(), lost.Change.Value, 12);
        Assert.False(unsure.Shown);
        Assert.Equal(SmallestEffect.Of(lost.Change.StandardError!.Value), lost.SmallestDetectable);
        // None of 50 changed: up to 1 − 0.025^(1/50) = 7.1 % could have, unseen.
        var unseen = NonInferiority.Of(new ClusteredSample(few, [[.. before.Take(50)]]), new ClusteredSample(few, [[.. before.Take(50)]]));
        Assert.False(unseen.Shown);
        Assert.Equal(-0.0711, unseen.Change.Interval!.Low, 4);
        Assert.Equal(Math.Pow(0.99, 50), unseen.P, 12);
        Assert.Throws<Lethe.Torch.UsageException>(() => NonInferiority.Of(new ClusteredSample(design, [before]), new ClusteredSample(design, [before]), margin: 0));
    }

    [Fact]
    public void The_smallest_effect_is_that_of_the_normal_distribution()
    {
        // 1.959964 + 0.841621, the quantiles of every table.
        Assert.Equal(2.801585, SmallestEffect.Of(1), 6);
        Assert.Equal(0.02 * (1.644854 + 1.281552), SmallestEffect.Of(0.02, alpha: 0.1, power: 0.9), 6);
    }

    private static ClusteredSample Sample(double[] items, Func<int, string> topic, Func<int, int> cluster) =>
        new(new ClusterDesign([.. items.Select((_, i) => topic(i))], [.. items.Select((_, i) => cluster(i))]), [items]);
}
