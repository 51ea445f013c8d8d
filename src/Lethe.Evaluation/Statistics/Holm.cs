namespace Lethe.Evaluation.Statistics;

/// <summary>
/// Holm's step-down correction (1979) for several tests at once: rejecting where the adjusted p is at most α keeps the chance of any
/// false rejection at α, whatever the dependence, and rejects never less than Bonferroni's.
/// </summary>
public static class Holm
{
    /// <summary>Adjusted p-values, in the order of the input: the i-th smallest of m is multiplied by m − i + 1, made monotone and capped at 1.</summary>
    /// <param name="p">p-values, each from 0 to 1.</param>
    public static IReadOnlyList<double> Adjust(IReadOnlyList<double> p)
    {
        foreach (var value in p)
            if (!(value >= 0 && value <= 1))
                throw new ArgumentOutOfRangeException(nameof(p), value, "a p-value lies between 0 and 1");
        var adjusted = new double[p.Count];
        var running = 0.0;
        var rank = 0;
        foreach (var index in Enumerable.Range(0, p.Count).OrderBy(i => p[i]))
        {
            running = Math.Max(running, Math.Min(1, p[index] * (p.Count - rank)));
            adjusted[index] = running;
            rank++;
        }
        return adjusted;
    }
}
