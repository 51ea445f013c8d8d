using Lethe.Evaluation.Features;

namespace Lethe.Evaluation.Tests.Features;

/// <summary>The kernel distance and the neighbourhood metrics, and the tiles that both go through.</summary>
public sealed class PairMetricTests
{
    /// <summary>Sizes around the tile and vector widths; every product against the plain sum.</summary>
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(49, 51, 3)]
    [InlineData(97, 48, 10)]
    [InlineData(5, 100, 17)]
    public void Tiles_visit_every_pair_once_with_its_product(int m, int n, int d)
    {
        var random = new Random(m);
        JudgeFeatures first = JudgeFeatures.FromRows(random.Normals(m * d), d), second = JudgeFeatures.FromRows(random.Normals(n * d), d);
        var seen = new int[m, n];
        var products = new double[m, n];
        Pairs.ForEach(first, second, (row, start, values) =>
        {
            for (var i = 0; i < values.Length; i++)
            {
                seen[row, start + i]++;
                products[row, start + i] = values[i];
            }
        });
        for (var i = 0; i < m; i++)
            for (var j = 0; j < n; j++)
            {
                Assert.Equal(1, seen[i, j]);
                var expected = 0.0;
                for (var k = 0; k < d; k++)
                    expected += first[i][k] * second[j][k];
                Assert.Equal(expected, products[i, j], tolerance: 1e-12);
            }
    }

    [Fact]
    public void The_jackknife_of_the_kernel_distance_equals_leaving_images_out_one_by_one()
    {
        var random = new Random(20);
        JudgeFeatures real = JudgeFeatures.FromRows(random.Normals(12 * 2), 2), samples = JudgeFeatures.FromRows(random.Normals(9 * 2), 2);
        double Variance(JudgeFeatures set, Func<JudgeFeatures, double> distance)
        {
            var values = Enumerable.Range(0, set.Count).Select(left => distance(set.Select([.. Enumerable.Range(0, set.Count).Where(i => i != left)]))).ToArray();
            return values.Sum(value => Math.Pow(value - values.Average(), 2)) * (set.Count - 1) / set.Count;
        }
        var expected = Math.Sqrt(Variance(real, set => KernelDistance.Between(set, samples).Value) + Variance(samples, set => KernelDistance.Between(real, set).Value));
        Golden.Close(expected, KernelDistance.Between(real, samples).StandardError!.Value, 1e-9);
    }

    [Fact]
    public void The_kernel_distance_of_equal_distributions_is_0_within_its_error()
    {
        var random = new Random(22);
        var within = 0;
        for (var trial = 0; trial < 50; trial++)
        {
            var measure = KernelDistance.Between(JudgeFeatures.FromRows(random.Normals(60 * 4), 4), JudgeFeatures.FromRows(random.Normals(60 * 4), 4));
            within += Math.Abs(measure.Value) <= 3 * measure.StandardError!.Value ? 1 : 0;
        }
        Assert.InRange(within, 46, 50);
    }

    [Fact]
    public void Neighbourhoods_on_a_line_are_as_counted_by_hand()
    {
        // k = 1: radii of 0 1 3 6 are 1 1 2 3, those of 0.5 2.5 20 are 2 2 17.5.
        JudgeFeatures real = JudgeFeatures.FromRows([0, 1, 3, 6], 1), samples = JudgeFeatures.FromRows([0.5, 2.5, 20], 1);
        var result = Neighbourhoods.Between(real, samples, k: 1);
        Assert.Equal(2 / 3.0, result.Precision.Value, 12); // 20 lies in no ball
        Assert.Equal(1, result.Recall.Value);              // 6 lies in the wide ball of 20
        Assert.Equal((2 + 1 + 0) / 3.0, result.Density.Value, 12); // 0.5 in two balls; 2.5 in that of 3 only
        Assert.Equal(3 / 4.0, result.Coverage.Value, 12);  // no sample within 3 of 6
        Assert.Equal(4, result.Recall.N);
        Assert.Equal("wilson", result.Coverage.Interval!.Kind);
    }

    [Fact]
    public void A_collapsed_set_of_samples_is_precise_and_recalls_little()
    {
        var random = new Random(24);
        var real = JudgeFeatures.FromRows(random.Normals(200 * 2), 2);
        var collapsed = JudgeFeatures.FromRows([.. random.Normals(200 * 2).Select(x => 0.01 * x)], 2);
        var result = Neighbourhoods.Between(real, collapsed);
        Assert.True(result.Precision.Value > 0.95, $"{result.Precision.Value}");
        Assert.True(result.Recall.Value < 0.1, $"{result.Recall.Value}");
        Assert.True(result.Coverage.Value < 0.1, $"{result.Coverage.Value}");
    }

    [Fact]
    public void Too_few_images_for_k_are_refused() =>
        Assert.Contains("at least 4", Assert.Throws<ArgumentException>(() => Neighbourhoods.Between(JudgeFeatures.FromRows([1, 2, 3], 1), JudgeFeatures.FromRows([1, 2, 3], 1))).Message, StringComparison.Ordinal);
}
