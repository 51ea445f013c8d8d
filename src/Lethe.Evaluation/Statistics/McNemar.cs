using MathNet.Numerics.Distributions;

namespace Lethe.Evaluation.Statistics;

/// <summary>What McNemar's test found.</summary>
/// <param name="Gained">Items that were wrong before and right after.</param>
/// <param name="Lost">Items that were right before and wrong after.</param>
/// <param name="P">Two-sided exact p-value of "gains and losses are equally likely"; 1 if nothing changed.</param>
public sealed record McNemarResult(long Gained, long Lost, double P);

/// <summary>
/// McNemar's exact test (1947): has the accuracy on the same items changed? Only items whose answer changed speak; under the null
/// hypothesis their direction is a fair coin.
/// </summary>
public static class McNemar
{
    /// <summary>Tests two lists of outcomes of the same items.</summary>
    /// <param name="before">Whether each item was right before.</param>
    /// <param name="after">Whether each item is right after; as many.</param>
    public static McNemarResult Exact(IReadOnlyList<bool> before, IReadOnlyList<bool> after)
    {
        Check.SameLength(before.Count, after.Count, "outcomes");
        long gained = 0, lost = 0;
        for (var i = 0; i < before.Count; i++)
            if (before[i] != after[i])
            {
                if (after[i])
                    gained++;
                else
                    lost++;
            }
        return Exact(gained, lost);
    }

    /// <summary>Tests the two counts of changed items.</summary>
    /// <param name="gained">Items that became right, at least 0.</param>
    /// <param name="lost">Items that became wrong, at least 0.</param>
    public static McNemarResult Exact(long gained, long lost)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(gained);
        ArgumentOutOfRangeException.ThrowIfNegative(lost);
        var changed = checked((int)(gained + lost));
        var p = changed == 0 ? 1 : Math.Min(1, 2 * Binomial.CDF(0.5, changed, Math.Min(gained, lost)));
        return new McNemarResult(gained, lost, p);
    }
}
