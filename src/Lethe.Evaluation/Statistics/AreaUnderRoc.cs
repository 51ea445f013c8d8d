using System.Globalization;
using Lethe.Torch;
using MathNet.Numerics.Distributions;

namespace Lethe.Evaluation.Statistics;

/// <summary>
/// The area under the ROC curve: the chance that a positive item scores above a negative one, ties counting one half.
/// </summary>
/// <remarks>
/// The standard error is that of DeLong, DeLong and Clarke-Pearson (1988), which assumes no distribution, computed from midranks (Sun and
/// Xu 2014). It is 0 for perfectly separated sets, so that the interval is Newcombe's (2006, method 5): Wilson's idea carried to the
/// variance of Hanley and McNeil, which stays honest at 0 and 1.
/// </remarks>
public static class AreaUnderRoc
{
    /// <summary>Measures how well <paramref name="scores"/> tell positive items from negative ones.</summary>
    /// <param name="scores">One finite score for each item; positives should be higher.</param>
    /// <param name="labels">Whether each item is positive; at least one of each kind.</param>
    /// <param name="better">Which direction is better; for a probe of a forgotten concept, lower.</param>
    /// <param name="confidence">Of the interval, share of 1.</param>
    /// <returns>The area; the standard error is null where only one item of a kind exists.</returns>
    /// <exception cref="RunFailedException">A score is not finite, or one kind of item is absent.</exception>
    public static Measure Of(IReadOnlyList<double> scores, IReadOnlyList<bool> labels, Better better = Better.Neither, double confidence = 0.95)
    {
        Check.Confidence(confidence);
        var parts = Placements(scores, labels);
        return new Measure(parts.Area, scores.Count, StandardError(parts.Positive, parts.Negative), Newcombe(parts.Area, parts.Positive.Length, parts.Negative.Length, confidence), better);
    }

    /// <summary>Measures the change of the area when the same items get other scores, with DeLong's standard error of the paired difference.</summary>
    /// <param name="before">Scores before.</param>
    /// <param name="after">Scores of the same items after.</param>
    /// <param name="labels">Whether each item is positive.</param>
    /// <param name="better">Which direction of the change is better.</param>
    /// <param name="confidence">Of the interval (kind "normal"), share of 1.</param>
    /// <exception cref="RunFailedException">A score is not finite, or one kind of item is absent.</exception>
    public static Measure Change(IReadOnlyList<double> before, IReadOnlyList<double> after, IReadOnlyList<bool> labels, Better better = Better.Neither, double confidence = 0.95)
    {
        Check.Confidence(confidence);
        Check.SameLength(before.Count, after.Count, "scores");
        var first = Placements(before, labels);
        var second = Placements(after, labels);
        // Placements are means of kernels, so that those of a difference are differences of placements.
        var positive = second.Positive.Zip(first.Positive, (x, y) => x - y).ToArray();
        var negative = second.Negative.Zip(first.Negative, (x, y) => x - y).ToArray();
        var change = second.Area - first.Area;
        if (StandardError(positive, negative) is not { } error)
            return new Measure(change, before.Count, Better: better);
        var half = Normal.InvCDF(0, 1, 0.5 + confidence / 2) * error;
        return new Measure(change, before.Count, error, new Interval(change - half, change + half, confidence, "normal"), better);
    }

    /// <summary>
    /// Each positive item's share of negatives below it, and each negative item's share of positives above it: its rank among all less
    /// its rank among its own kind counts the others below.
    /// </summary>
    private static (double Area, double[] Positive, double[] Negative) Placements(IReadOnlyList<double> scores, IReadOnlyList<bool> labels)
    {
        if (scores.Count != labels.Count)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{scores.Count} scores for {labels.Count} labels; each item needs one of each"));
        double[] all = [.. scores];
        Check.Finite(all, "of a ROC curve");
        var positives = all.Where((_, i) => labels[i]).ToArray();
        var negatives = all.Where((_, i) => !labels[i]).ToArray();
        if (positives.Length == 0 || negatives.Length == 0)
            throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"A ROC curve needs items of both kinds, but {positives.Length} are positive and {negatives.Length} negative."));

        double[] ranks = Ranks.Of(all), own = Ranks.Of(positives), others = Ranks.Of(negatives);
        double[] above = new double[positives.Length], below = new double[negatives.Length];
        int p = 0, q = 0;
        for (var i = 0; i < all.Length; i++)
            if (labels[i])
            {
                above[p] = (ranks[i] - own[p]) / negatives.Length;
                p++;
            }
            else
            {
                below[q] = 1 - (ranks[i] - others[q]) / positives.Length;
                q++;
            }
        return (above.Average(), above, below);
    }

    private static double? StandardError(double[] positive, double[] negative)
    {
        if (positive.Length < 2 || negative.Length < 2)
            return null;
        double p = Mean.MeanAndDeviation(positive).Deviation, n = Mean.MeanAndDeviation(negative).Deviation;
        return Math.Sqrt(p * p / positive.Length + n * n / negative.Length);
    }

    /// <summary>The areas θ with |area − θ| ≤ z·√V(θ), each end found by bisection.</summary>
    private static Interval Newcombe(double area, int positives, int negatives, double confidence)
    {
        var z = Normal.InvCDF(0, 1, 0.5 + confidence / 2);
        double m = positives, n = negatives, mean = (m + n) / 2;
        double Variance(double t) => t * (1 - t) * (1 + (mean - 1) * ((1 - t) / (2 - t) + t / (1 + t))) / (m * n);
        double End(double outer)
        {
            double inside = area, outside = outer;
            for (var i = 0; i < 100; i++)
            {
                var middle = (inside + outside) / 2;
                if (Math.Abs(area - middle) <= z * Math.Sqrt(Variance(middle)))
                    inside = middle;
                else
                    outside = middle;
            }
            return inside;
        }
        return new Interval(area == 0 ? 0 : End(0), area == 1 ? 1 : End(1), confidence, "newcombe");
    }
}
