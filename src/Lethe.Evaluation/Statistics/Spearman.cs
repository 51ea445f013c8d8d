using Lethe.Torch;
using MathNet.Numerics.Distributions;

namespace Lethe.Evaluation.Statistics;

/// <summary>Spearman's rank correlation ρ: Pearson's correlation of the midranks.</summary>
public static class Spearman
{
    /// <summary>Measures how well one order agrees with the other.</summary>
    /// <param name="first">At least two values, not all equal.</param>
    /// <param name="second">As many, not all equal.</param>
    /// <param name="confidence">Of the interval, share of 1.</param>
    /// <returns>
    /// ρ from −1 to 1. Standard error and interval through Fisher's z with the variance (1 + ρ²/2)/(n − 3) of Bonett and Wright (2000);
    /// null below four items and where |ρ| = 1, where that variance says nothing.
    /// </returns>
    /// <exception cref="RunFailedException">All values of one side are equal, so that they have no order.</exception>
    public static Measure Correlation(IReadOnlyList<double> first, IReadOnlyList<double> second, double confidence = 0.95)
    {
        Check.Confidence(confidence);
        Check.SameLength(first.Count, second.Count, "values");
        Check.AtLeast(first.Count, 2, "values");
        double[] a = [.. first], b = [.. second];
        Check.Finite(a, "of a rank correlation");
        Check.Finite(b, "of a rank correlation");
        var rho = Pearson(Ranks.Of(a), Ranks.Of(b));
        if (a.Length < 4 || Math.Abs(rho) >= 1 - 1e-12)
            return new Measure(rho, a.Length);

        var error = Math.Sqrt((1 + rho * rho / 2) / (a.Length - 3)); // of atanh ρ
        var half = Normal.InvCDF(0, 1, 0.5 + confidence / 2) * error;
        var z = Math.Atanh(rho);
        return new Measure(rho, a.Length, (1 - rho * rho) * error, new Interval(Math.Tanh(z - half), Math.Tanh(z + half), confidence, "fisher-z"));
    }

    private static double Pearson(double[] a, double[] b)
    {
        double meanA = a.Average(), meanB = b.Average();
        double ab = 0, aa = 0, bb = 0;
        for (var i = 0; i < a.Length; i++)
        {
            double x = a[i] - meanA, y = b[i] - meanB;
            ab += x * y;
            aa += x * x;
            bb += y * y;
        }
        if (aa == 0 || bb == 0)
            throw new RunFailedException($"All {a.Length} values of one side of a rank correlation are equal, so they have no order to compare.");
        return Math.Clamp(ab / Math.Sqrt(aa * bb), -1, 1);
    }
}
