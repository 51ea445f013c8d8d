namespace Lethe.Evaluation.Statistics;

/// <summary>What the two-sample Kolmogorov–Smirnov test found.</summary>
/// <param name="Statistic">D, the largest distance between the two empirical distribution functions, 0 to 1.</param>
/// <param name="P">Two-sided p-value of "both come from one continuous distribution".</param>
/// <param name="Exact">Whether <paramref name="P"/> was counted exactly and not taken from the limit for large samples.</param>
public sealed record KolmogorovSmirnovResult(double Statistic, double P, bool Exact);

/// <summary>The two-sample Kolmogorov–Smirnov test. With ties the exact p-value is conservative.</summary>
public static class KolmogorovSmirnov
{
    /// <summary>Samples up to this size are counted exactly (m·n additions, 0.2 s at the most); scipy's bound.</summary>
    private const int LargestExact = 10_000;

    /// <summary>Compares two samples.</summary>
    /// <param name="first">At least one finite value.</param>
    /// <param name="second">At least one finite value.</param>
    /// <exception cref="Torch.RunFailedException">A value is not finite.</exception>
    public static KolmogorovSmirnovResult TwoSample(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        Check.AtLeast(first.Count, 1, "values");
        Check.AtLeast(second.Count, 1, "values");
        double[] a = [.. first], b = [.. second];
        Check.Finite(a, "of a Kolmogorov–Smirnov test");
        Check.Finite(b, "of a Kolmogorov–Smirnov test");
        Array.Sort(a);
        Array.Sort(b);

        var distance = LargestDistance(a, b);
        var statistic = distance / ((double)a.Length * b.Length);
        return Math.Max(a.Length, b.Length) <= LargestExact
            ? new(statistic, ExactP(a.Length, b.Length, distance), Exact: true)
            : new(statistic, LimitP(statistic * Math.Sqrt((double)a.Length * b.Length / ((double)a.Length + b.Length))), Exact: false);
    }

    /// <summary>D·m·n, a whole number: max |i·n − j·m| over all points where i of the first and j of the second lie at or below.</summary>
    private static long LargestDistance(double[] a, double[] b)
    {
        long largest = 0;
        int i = 0, j = 0;
        while (i < a.Length && j < b.Length)
        {
            var value = Math.Min(a[i], b[j]);
            while (i < a.Length && a[i] == value)
                i++;
            while (j < b.Length && b[j] == value)
                j++;
            largest = Math.Max(largest, Math.Abs((long)i * b.Length - (long)j * a.Length));
        }
        return largest;
    }

    /// <summary>
    /// Share of all orders of m and n items whose D reaches the observed one. outside[j] is that share among the paths to (i, j): the last
    /// step of a random path came from (i−1, j) with probability i/(i+j). Adding up what is outside, not what is inside, keeps the digits
    /// of small p-values.
    /// </summary>
    private static double ExactP(int m, int n, long distance)
    {
        var outside = new double[n + 1];
        for (var i = 0; i <= m; i++)
            for (var j = 0; j <= n; j++)
                if (Math.Abs((long)i * n - (long)j * m) >= distance)
                    outside[j] = 1;
                else if (i > 0)
                    outside[j] = j == 0 ? outside[0] : (i * outside[j] + j * outside[j - 1]) / (i + j);
                else
                    outside[j] = j == 0 ? 0 : outside[j - 1];
        return outside[n];
    }

    /// <summary>Kolmogorov's limit: 2 Σ (−1)^(k−1) exp(−2k²x²).</summary>
    private static double LimitP(double x)
    {
        if (x < 0.2)
            return 1; // the series converges slowly there, and the sum is 1 to 12 digits
        var sum = 0.0;
        for (var k = 1; k <= 100; k++)
        {
            var term = Math.Exp(-2.0 * k * k * x * x);
            sum += k % 2 == 1 ? term : -term;
            if (term < 1e-17)
                break;
        }
        return Math.Clamp(2 * sum, 0, 1);
    }
}
