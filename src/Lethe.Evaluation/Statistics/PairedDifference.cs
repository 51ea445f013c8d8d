namespace Lethe.Evaluation.Statistics;

/// <summary>The mean change of the same items, with the standard error of the paired differences: what items have in common cancels.</summary>
public static class PairedDifference
{
    /// <summary>Measures mean(after − before).</summary>
    /// <param name="before">One value for each item.</param>
    /// <param name="after">The same items in the same order.</param>
    /// <param name="better">Which direction of the change is better.</param>
    /// <param name="confidence">Of the interval, share of 1.</param>
    /// <returns>The mean change; <see cref="Measure.Items"/> holds each item's change.</returns>
    /// <exception cref="Torch.RunFailedException">A change is not finite.</exception>
    public static Measure Of(IReadOnlyList<double> before, IReadOnlyList<double> after, Better better = Better.Neither, double confidence = 0.95)
    {
        Check.SameLength(before.Count, after.Count, "items");
        var changes = new double[before.Count];
        for (var i = 0; i < changes.Length; i++)
            changes[i] = after[i] - before[i];
        return Mean.Of(changes, better, confidence);
    }
}
