using Lethe.Evaluation.Features;

namespace Lethe.Evaluation.Tests.Features;

public sealed class FrechetDistanceTests
{
    [Fact]
    public void Diagonal_gaussians_have_the_closed_form()
    {
        double[] mean1 = [0, 1, 2], mean2 = [1, 1, 0], variance1 = [1, 4, 9], variance2 = [4, 4, 0.25];
        // Σ (μ₁−μ₂)² + (σ₁−σ₂)² = 1 + 4 + 1 + 0 + 6.25
        Assert.Equal(12.25, FrechetDistance.BetweenGaussians(mean1, Diagonal(variance1), mean2, Diagonal(variance2)), 10);
    }

    [Fact]
    public void Gaussians_that_do_not_commute_have_the_closed_form_in_the_plane()
    {
        // In two dimensions tr √M = √(tr M + 2√det M), with M = Σ₁Σ₂.
        double[] first = [2, 0.5, 0.5, 1], second = [1, -0.3, -0.3, 3];
        double trace = 2 * 1 + 0.5 * -0.3 + (0.5 * -0.3 + 1 * 3), determinant = (2 - 0.25) * (3 - 0.09);
        var expected = 3 + 4 - 2 * Math.Sqrt(trace + 2 * Math.Sqrt(determinant));
        Assert.Equal(expected, FrechetDistance.BetweenGaussians([0, 0], first, [0, 0], second), 12);
    }

    [Fact]
    public void Covariances_without_full_rank_need_no_ridge()
    {
        // One feature is always 0 in both, one only in the first: σ₂² = 9 stays whole.
        Assert.Equal(9 + 1, FrechetDistance.BetweenGaussians([0, 0, 0], Diagonal([4, 0, 0]), [0, 0, 0], Diagonal([9, 9, 0])), 10);
    }

    [Fact]
    public void A_set_is_at_no_distance_from_itself()
    {
        var set = Golden.Features("a");
        Assert.InRange(FrechetDistance.Between(set, set).Value, 0, 1e-10);
    }

    [Fact]
    public void Scaling_all_features_scales_the_distance_by_the_square()
    {
        JudgeFeatures a = Golden.Features("a"), b = Golden.Features("b");
        Golden.Close(9 * FrechetDistance.Between(a, b).Value, FrechetDistance.Between(Scale(a), Scale(b)).Value, 1e-10);
        static JudgeFeatures Scale(JudgeFeatures set) => JudgeFeatures.FromRows([.. set.Rows(0, set.Count).ToArray().Select(x => 3 * x)], set.Dimension);
    }

    /// <summary>The standard error of one drawing of both sets against the spread over 200 drawings.</summary>
    [Fact]
    public void The_jackknife_predicts_the_spread_over_fresh_samples()
    {
        var random = new Random(12);
        JudgeFeatures Fresh(double shift, double scale) => JudgeFeatures.FromRows([.. random.Normals(150 * 3).Select(x => scale * x + shift)], 3);
        var values = new List<double>();
        var errors = new List<double>();
        for (var trial = 0; trial < 200; trial++)
        {
            var measure = FrechetDistance.Between(Fresh(0, 1), Fresh(0.8, 1.5), groups: 10);
            values.Add(measure.Value);
            errors.Add(measure.StandardError!.Value);
        }
        var spread = Math.Sqrt(values.Sum(value => Math.Pow(value - values.Average(), 2)) / (values.Count - 1));
        Assert.InRange(errors.Average() / spread, 0.85, 1.2);
    }

    [Fact]
    public void Leaving_images_out_equals_computing_from_the_rest()
    {
        var set = Golden.Features("b");
        int[] left = [0, 17, 18, 250, 299];
        var (mean, covariance) = new Moments(set).Without(left);
        var (expectedMean, expectedCovariance) = new Moments(set.Select([.. Enumerable.Range(0, set.Count).Except(left)])).All;
        for (var i = 0; i < mean.Length; i++)
            Assert.Equal(expectedMean[i], mean[i], 12);
        for (var i = 0; i < covariance.Length; i++)
            Assert.Equal(expectedCovariance[i], covariance[i], 11);
    }

    [Fact]
    public void Images_sorted_by_class_do_not_inflate_the_error()
    {
        var random = new Random(14);
        double[] Sorted() => [.. Enumerable.Range(0, 400).SelectMany(i => new[] { 10.0 * (i / 100) + random.Normal(), random.Normal() })];
        JudgeFeatures real = JudgeFeatures.FromRows(Sorted(), 2), samples = JudgeFeatures.FromRows(Sorted(), 2);
        int[] shuffle = [.. Enumerable.Range(0, 400).OrderBy(_ => random.Next())];
        var sorted = FrechetDistance.Between(real, samples).StandardError!.Value;
        var mixed = FrechetDistance.Between(real.Select(shuffle), samples.Select(shuffle)).StandardError!.Value;
        Assert.InRange(sorted / mixed, 1 / 1.7, 1.7);
    }

    private static double[] Diagonal(double[] values)
    {
        var matrix = new double[values.Length * values.Length];
        for (var i = 0; i < values.Length; i++)
            matrix[i * values.Length + i] = values[i];
        return matrix;
    }
}
