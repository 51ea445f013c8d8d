using Lethe.Evaluation.Statistics;

namespace Lethe.Evaluation.Language;

/// <summary>How well a model predicts texts, from the log-likelihood of each and a count of its units (words, bytes, tokens).</summary>
public static class Perplexity
{
    /// <summary>e to the power of minus the log-likelihood a unit: how many equally likely units the model hesitates between.</summary>
    /// <param name="logProbabilities">One for each text, nats.</param>
    /// <param name="units">Units of each text.</param>
    /// <returns>The measure; null where the texts have no units or the value is beyond a double. The standard error is that of a ratio of means over texts (delta method); absent for one text.</returns>
    public static Measure? Of(IReadOnlyList<double> logProbabilities, IReadOnlyList<long> units) =>
        Ratio(logProbabilities, units) is { } rate && double.IsFinite(Math.Exp(rate.Value))
            ? new Measure(Math.Exp(rate.Value), rate.N, rate.StandardError * Math.Exp(rate.Value), null, Better.Lower)
            : null;

    /// <summary>Minus the log-likelihood a byte in bits.</summary>
    /// <param name="logProbabilities">One for each text, nats.</param>
    /// <param name="bytes">Bytes of each text.</param>
    /// <returns>The measure; null where the texts have no bytes.</returns>
    public static Measure? BitsPerByte(IReadOnlyList<double> logProbabilities, IReadOnlyList<long> bytes) =>
        Ratio(logProbabilities, bytes) is { } rate ? new Measure(rate.Value / Math.Log(2), rate.N, rate.StandardError / Math.Log(2), null, Better.Lower) : null;

    // −Σ log p / Σ units with the error of a ratio estimator, √(n/(n−1) Σ (yᵢ − r xᵢ)²) / Σ x (Cochran 1977, 2.46 without finite correction).
    private static Measure? Ratio(IReadOnlyList<double> logProbabilities, IReadOnlyList<long> units)
    {
        Check.SameLength(logProbabilities.Count, units.Count, "texts");
        Check.Finite([.. logProbabilities], "log-likelihoods");
        var all = units.Sum();
        if (all == 0)
            return null;
        // 0 − x, so that no text at all gives 0 and not −0.
        var rate = (0 - logProbabilities.Sum()) / all;
        var n = logProbabilities.Count;
        if (n < 2)
            return new Measure(rate, n);
        var squares = 0.0;
        for (var i = 0; i < n; i++)
            squares += Math.Pow(-logProbabilities[i] - rate * units[i], 2);
        return new Measure(rate, n, Math.Sqrt(squares * n / (n - 1)) / all);
    }
}
