using System.Globalization;
using MathNet.Numerics;
using MathNet.Numerics.Distributions;

namespace Lethe.Evaluation.Statistics;

/// <summary>Shares of independent yes-or-no items, and intervals that hold at 0 and 1 too.</summary>
public static class Proportion
{
    /// <summary>Measures a share: value k/n, standard error √(p(1−p)/n), Wilson's interval.</summary>
    /// <param name="successes">k, from 0 to <paramref name="trials"/>.</param>
    /// <param name="trials">n, at least 1.</param>
    /// <param name="better">Which direction is better.</param>
    /// <param name="confidence">Of the interval, share of 1.</param>
    public static Measure Share(long successes, long trials, Better better = Better.Neither, double confidence = 0.95)
    {
        var interval = Wilson(successes, trials, confidence);
        var share = (double)successes / trials;
        return new Measure(share, trials, Math.Sqrt(share * (1 - share) / trials), interval, better);
    }

    /// <summary>Measures the share of items that are true; they are kept in <see cref="Measure.Items"/> as 0 and 1.</summary>
    /// <param name="items">At least one.</param>
    /// <param name="better">Which direction is better.</param>
    /// <param name="confidence">Of the interval, share of 1.</param>
    public static Measure Share(IReadOnlyList<bool> items, Better better = Better.Neither, double confidence = 0.95)
    {
        var values = new double[items.Count];
        var successes = 0;
        for (var i = 0; i < values.Length; i++)
            if (items[i])
            {
                values[i] = 1;
                successes++;
            }
        return Share(successes, values.Length, better, confidence) with { Items = values };
    }

    /// <summary>Wilson's score interval (1927): the shares that a normal test at this confidence does not reject.</summary>
    /// <param name="successes">k, from 0 to <paramref name="trials"/>.</param>
    /// <param name="trials">n, at least 1.</param>
    /// <param name="confidence">Share of 1.</param>
    public static Interval Wilson(long successes, long trials, double confidence = 0.95)
    {
        CheckCounts(successes, trials);
        Check.Confidence(confidence);
        var z = Normal.InvCDF(0, 1, 0.5 + confidence / 2);
        double n = trials, p = successes / n;
        var centre = (p + z * z / (2 * n)) / (1 + z * z / n);
        var half = z / (1 + z * z / n) * Math.Sqrt(p * (1 - p) / n + z * z / (4 * n * n));
        // The ends are exact where all or none succeeded; rounding would leave 1e-17.
        return new Interval(successes == 0 ? 0 : centre - half, successes == trials ? 1 : centre + half, confidence, "wilson");
    }

    /// <summary>The interval of Clopper and Pearson (1934), from the binomial distribution itself: never too narrow, often too wide.</summary>
    /// <param name="successes">k, from 0 to <paramref name="trials"/>.</param>
    /// <param name="trials">n, at least 1.</param>
    /// <param name="confidence">Share of 1.</param>
    public static Interval ClopperPearson(long successes, long trials, double confidence = 0.95)
    {
        CheckCounts(successes, trials);
        Check.Confidence(confidence);
        var tail = (1 - confidence) / 2;
        return new Interval(
            successes == 0 ? 0 : BetaQuantile(successes, trials - successes + 1, tail),
            successes == trials ? 1 : BetaQuantile(successes + 1, trials - successes, 1 - tail),
            confidence, "clopper-pearson");
    }

    /// <summary>
    /// Where the beta distribution reaches <paramref name="probability"/>, by bisection to the last bit: MathNet's own quantile stops at
    /// 1e-8, which is too coarse for small shares.
    /// </summary>
    private static double BetaQuantile(double a, double b, double probability)
    {
        double low = 0, high = 1;
        while (true)
        {
            var middle = low + (high - low) / 2;
            if (middle <= low || middle >= high)
                return middle;
            if (SpecialFunctions.BetaRegularized(a, b, middle) < probability)
                low = middle;
            else
                high = middle;
        }
    }

    private static void CheckCounts(long successes, long trials)
    {
        if (trials < 1)
            throw new ArgumentOutOfRangeException(nameof(trials), trials, "a share needs at least one trial");
        if (successes < 0 || successes > trials)
            throw new ArgumentOutOfRangeException(nameof(successes), successes, string.Create(CultureInfo.InvariantCulture, $"successes lie between 0 and the {trials} trials"));
    }
}
