using System.Globalization;
using Lethe.Evaluation.Statistics;
using Lethe.Torch;
using MathNet.Numerics.Distributions;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;

namespace Lethe.Evaluation.Features;

/// <summary>
/// The Fréchet distance between two normal distributions with the means and covariances of two sets of features (Dowson and Landau 1982;
/// Heusel et al. 2017, arXiv 1706.08500): |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½), squared as in FID.
/// </summary>
/// <remarks>
/// tr (Σ₁Σ₂)^½ = Σᵢ √λᵢ(Σ₁^½ Σ₂ Σ₁^½): two symmetric eigenproblems, so that no complex number and no iteration enters, and singular
/// covariances (features that are always 0) need no ridge. The distance of finite sets is biased upwards; compare only equal numbers of images.
/// </remarks>
public static class FrechetDistance
{
    /// <summary>Measures the distance between real images and samples.</summary>
    /// <param name="real">Judge features of at least 2 × <paramref name="groups"/> real images.</param>
    /// <param name="samples">As many or more samples by the same judge.</param>
    /// <param name="groups">
    /// Groups of the jackknife, at least 2; 20 give a standard error that is itself good to about 16 %. Each costs one eigenproblem of
    /// either set: about 0.1 s in all at 50 features and some seconds at 320.
    /// </param>
    /// <param name="seed">Of the random parting into groups.</param>
    /// <param name="confidence">Of the interval, share of 1.</param>
    /// <returns>The distance; standard error and interval (kind "jackknife", Student with groups − 1 degrees, cut off at 0) by leaving out one group of images at a time.</returns>
    public static Measure Between(JudgeFeatures real, JudgeFeatures samples, int groups = 20, ulong seed = 0, double confidence = 0.95)
    {
        Check.Confidence(confidence);
        Check.AtLeast(groups, 2, "groups of the jackknife");
        JudgeFeatures.CheckPair(real, samples, least: 2 * groups);

        var first = new Moments(real);
        var second = new Moments(samples);
        var (mean1, covariance1) = first.All;
        var (mean2, covariance2) = second.All;
        Matrix<double> root1 = Root(ToMatrix(covariance1)), root2 = Root(ToMatrix(covariance2));
        var value = Distance(mean1, covariance1, mean2, covariance2, root1);

        // The root of the set that stays whole is reused, so that a group costs eigenvalues only.
        var random = new SplitMix64(seed);
        var variance =
            JackknifeVariance(first, real.Count, groups, random, (mean, covariance) => Distance(mean2, covariance2, mean, covariance, root2)) +
            JackknifeVariance(second, samples.Count, groups, random, (mean, covariance) => Distance(mean1, covariance1, mean, covariance, root1));
        var error = Math.Sqrt(variance);
        var half = StudentT.InvCDF(0, 1, groups - 1, 0.5 + confidence / 2) * error;
        return new Measure(value, samples.Count, error, new Interval(Math.Max(0, value - half), value + half, confidence, "jackknife"), Better.Lower);
    }

    /// <summary>The distance between two normal distributions.</summary>
    /// <param name="mean1">d values.</param>
    /// <param name="covariance1">d × d values, row by row, symmetric and positive semidefinite.</param>
    /// <param name="mean2">d values.</param>
    /// <param name="covariance2">As <paramref name="covariance1"/>.</param>
    public static double BetweenGaussians(double[] mean1, double[] covariance1, double[] mean2, double[] covariance2)
    {
        var d = mean1.Length;
        if (mean2.Length != d || covariance1.Length != d * d || covariance2.Length != d * d)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"means of {d} and {mean2.Length} values with covariances of {covariance1.Length} and {covariance2.Length}; d and d × d are needed"));
        return Distance(mean1, covariance1, mean2, covariance2, Root(ToMatrix(covariance1)));
    }

    private static double Distance(double[] mean1, double[] covariance1, double[] mean2, double[] covariance2, Matrix<double> root1)
    {
        var d = mean1.Length;
        double shift = 0, trace = 0;
        for (var i = 0; i < d; i++)
        {
            shift += (mean1[i] - mean2[i]) * (mean1[i] - mean2[i]);
            trace += covariance1[i * d + i] + covariance2[i * d + i];
        }
        var product = root1 * ToMatrix(covariance2) * root1;
        var (values, _) = Decompose((product + product.Transpose()) / 2);
        var cutoff = Cutoff(values);
        var rootTrace = values.Sum(value => value > cutoff ? Math.Sqrt(value) : 0);
        return Math.Max(0, shift + trace - 2 * rootTrace);
    }

    /// <summary>The symmetric root: V √Λ Vᵀ.</summary>
    private static Matrix<double> Root(Matrix<double> covariance)
    {
        var (values, vectors) = Decompose(covariance);
        var cutoff = Cutoff(values);
        var scaled = vectors.Clone();
        for (var column = 0; column < values.Length; column++)
            scaled.SetColumn(column, vectors.Column(column) * (values[column] > cutoff ? Math.Sqrt(values[column]) : 0));
        return scaled.TransposeAndMultiply(vectors);
    }

    /// <summary>Eigenvalues below this are rounding (d·2⁻⁵²·largest); their roots would be eight digits larger than they are.</summary>
    private static double Cutoff(double[] values) => values.Length * Math.Pow(2, -52) * values.Max();

    private static (double[] Values, Matrix<double> Vectors) Decompose(Matrix<double> symmetric)
    {
        var decomposition = symmetric.Evd(Symmetricity.Symmetric);
        return ([.. decomposition.EigenValues.Select(value => value.Real)], decomposition.EigenVectors);
    }

    private static DenseMatrix ToMatrix(double[] symmetric)
    {
        var d = (int)Math.Sqrt(symmetric.Length);
        return new DenseMatrix(d, d, (double[])symmetric.Clone()); // rows are columns: it is symmetric
    }

    /// <summary>The jackknife's variance of <paramref name="distance"/> over groups of images of one set, parted at random: images often come sorted by class.</summary>
    private static double JackknifeVariance(Moments set, int count, int groups, SplitMix64 random, Func<double[], double[], double> distance)
    {
        var order = random.Permutation(count);
        var values = new double[groups];
        for (var group = 0; group < groups; group++)
        {
            int from = (int)((long)count * group / groups), to = (int)((long)count * (group + 1) / groups);
            var (mean, covariance) = set.Without(order.AsSpan(from, to - from));
            values[group] = distance(mean, covariance);
        }
        var deviation = Mean.MeanAndDeviation(values).Deviation;
        return deviation * deviation * (groups - 1) * (groups - 1) / groups;
    }
}
