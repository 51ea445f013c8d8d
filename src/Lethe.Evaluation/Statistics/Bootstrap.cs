using Lethe.Torch;
using MathNet.Numerics.Distributions;

namespace Lethe.Evaluation.Statistics;

/// <summary>Options of <see cref="Bootstrap"/>.</summary>
public sealed record BootstrapOptions
{
    /// <summary>Number of resamples, at least 100; 2,000 are what Efron and Tibshirani (1993) advise for the ends of a 95 % interval.</summary>
    public int Resamples { get; init; } = 2_000;

    /// <summary>Of the interval, share of 1.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>
    /// Whether the ends are corrected for bias and acceleration (BCa, Efron 1987): closer to the stated confidence for skewed statistics, at
    /// the cost of one evaluation more for each item. Otherwise the plain percentiles.
    /// </summary>
    public bool BiasCorrected { get; init; }

    /// <summary>Seed of the draws.</summary>
    public ulong Seed { get; init; }
}

/// <summary>
/// The bootstrap over items: what would the statistic have been with other items from the same source? Items are drawn with replacement;
/// the spread of the statistic over the draws is its standard error.
/// </summary>
public static class Bootstrap
{
    /// <summary>A statistic of the items whose positions are given; positions repeat.</summary>
    public delegate double Statistic(ReadOnlySpan<int> positions);

    /// <summary>Measures a statistic of <paramref name="items"/>.</summary>
    /// <param name="items">At least two values; kept in <see cref="Measure.Items"/>.</param>
    /// <param name="statistic">Computes it from a list of values.</param>
    /// <param name="options">How to draw.</param>
    /// <param name="better">Which direction is better.</param>
    /// <exception cref="RunFailedException">The statistic of the items or of a draw is not finite.</exception>
    public static Measure Of(IReadOnlyList<double> items, Func<double[], double> statistic, BootstrapOptions? options = null, Better better = Better.Neither)
    {
        double[] values = [.. items];
        return Of(values.Length, positions =>
        {
            var drawn = new double[positions.Length];
            for (var i = 0; i < drawn.Length; i++)
                drawn[i] = values[positions[i]];
            return statistic(drawn);
        }, options, better) with { Items = values };
    }

    /// <summary>Measures a statistic of <paramref name="count"/> items of any kind, which <paramref name="statistic"/> holds itself.</summary>
    /// <param name="count">At least 2.</param>
    /// <param name="statistic">Computes it from positions 0 … count − 1.</param>
    /// <param name="options">How to draw.</param>
    /// <param name="better">Which direction is better.</param>
    /// <returns>The statistic of all items; interval of kind "percentile" or "bca".</returns>
    /// <exception cref="RunFailedException">The statistic of the items or of a draw is not finite.</exception>
    public static Measure Of(int count, Statistic statistic, BootstrapOptions? options = null, Better better = Better.Neither)
    {
        options ??= new BootstrapOptions();
        Check.Confidence(options.Confidence);
        Check.AtLeast(count, 2, "items of a bootstrap");
        Check.Option(options.Resamples >= 100, "number of resamples", options.Resamples, "at least 100");

        var positions = Enumerable.Range(0, count).ToArray();
        var value = statistic(positions);
        if (!double.IsFinite(value))
            throw new RunFailedException(FormattableString.Invariant($"The statistic of a bootstrap over {count} items is {value}; it must be a finite number."));

        var random = new SplitMix64(options.Seed);
        var draws = new double[options.Resamples];
        for (var draw = 0; draw < draws.Length; draw++)
        {
            for (var i = 0; i < count; i++)
                positions[i] = random.Below(count);
            draws[draw] = statistic(positions);
        }
        Check.Finite(draws, "drawn by a bootstrap");
        Array.Sort(draws);

        double low = (1 - options.Confidence) / 2, high = 1 - low;
        if (options.BiasCorrected)
            (low, high) = Correct(low, high, value, draws, Jackknife(count, statistic));
        var interval = new Interval(Quantile(draws, low), Quantile(draws, high), options.Confidence, options.BiasCorrected ? "bca" : "percentile");
        return new Measure(value, count, Mean.MeanAndDeviation(draws).Deviation, interval, better);
    }

    /// <summary>
    /// Efron's correction of a level α: Φ(z₀ + (z₀ + z_α)/(1 − a(z₀ + z_α))), with z₀ from the share of draws below the value (ties count
    /// half) and a = Σd³ / (6 (Σd²)^1.5) from the jackknife's deviations d. Left alone where every draw lies on one side of the value,
    /// for then z₀ is infinite, as for a statistic that does not vary.
    /// </summary>
    private static (double Low, double High) Correct(double low, double high, double value, double[] draws, double[] jackknife)
    {
        double below = draws.Count(d => d < value), ties = draws.Count(d => d == value);
        var share = (below + ties / 2) / draws.Length;
        if (share is 0 or 1)
            return (low, high);
        var z0 = Normal.InvCDF(0, 1, share);

        var mean = jackknife.Average();
        double squares = 0, cubes = 0;
        foreach (var leftOut in jackknife)
        {
            var d = mean - leftOut;
            squares += d * d;
            cubes += d * d * d;
        }
        var a = squares == 0 ? 0 : cubes / (6 * Math.Pow(squares, 1.5));
        double Level(double alpha)
        {
            var z = z0 + Normal.InvCDF(0, 1, alpha);
            return Normal.CDF(0, 1, z0 + z / (1 - a * z));
        }
        return (Level(low), Level(high));
    }

    private static double[] Jackknife(int count, Statistic statistic)
    {
        var positions = Enumerable.Range(1, count - 1).ToArray(); // all but 0
        var values = new double[count];
        for (var leftOut = 0; leftOut < count; leftOut++)
        {
            values[leftOut] = statistic(positions);
            if (leftOut < positions.Length)
                positions[leftOut] = leftOut; // back in place of its successor, which goes next
        }
        Check.Finite(values, "of a jackknife");
        return values;
    }

    /// <summary>The value below which a share of the sorted list lies, linear between neighbours (numpy's default).</summary>
    internal static double Quantile(double[] sorted, double level)
    {
        var place = level * (sorted.Length - 1);
        var below = (int)Math.Floor(place);
        return below + 1 < sorted.Length ? sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]) : sorted[^1];
    }
}
