using MathNet.Numerics.Distributions;

namespace Lethe.Evaluation.Statistics;

/// <summary>The mean of independent items with its standard error s/√n and Student's interval.</summary>
public static class Mean
{
    /// <summary>Measures the mean of <paramref name="items"/>.</summary>
    /// <param name="items">One value for each item, at least one, all finite; kept in <see cref="Measure.Items"/>.</param>
    /// <param name="better">Which direction is better.</param>
    /// <param name="confidence">Of the interval, share of 1.</param>
    /// <returns>The mean; standard error and interval (kind "student") are null for a single item, which says nothing of its spread.</returns>
    /// <exception cref="Torch.RunFailedException">An item is not finite.</exception>
    public static Measure Of(IReadOnlyList<double> items, Better better = Better.Neither, double confidence = 0.95)
    {
        Check.Confidence(confidence);
        Check.AtLeast(items.Count, 1, "items");
        var values = items as double[] ?? [.. items];
        Check.Finite(values, "of a mean");

        var (mean, deviation) = MeanAndDeviation(values);
        if (values.Length == 1)
            return new Measure(mean, 1, Better: better) { Items = values };
        var error = deviation / Math.Sqrt(values.Length);
        var half = StudentT.InvCDF(0, 1, values.Length - 1, 0.5 + confidence / 2) * error;
        return new Measure(mean, values.Length, error, new Interval(mean - half, mean + half, confidence, "student"), better) { Items = values };
    }

    /// <summary>Mean and standard deviation with n − 1; two passes, so that a large offset costs no digits. The deviation of one value is 0.</summary>
    internal static (double Mean, double Deviation) MeanAndDeviation(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value;
        var mean = sum / values.Length;
        double squares = 0, rest = 0;
        foreach (var value in values)
        {
            var difference = value - mean;
            squares += difference * difference;
            rest += difference;
        }
        // The sum of the differences would be 0 without rounding; what is left of it mends both results.
        squares -= rest * rest / values.Length;
        mean += rest / values.Length;
        return (mean, values.Length > 1 ? Math.Sqrt(Math.Max(0, squares) / (values.Length - 1)) : 0);
    }
}
