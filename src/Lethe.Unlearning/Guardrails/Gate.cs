using System.Numerics;

namespace Lethe.Unlearning.Guardrails;

/// <summary>
/// Decides, position by position, whether a row may be edited: a statistic of what fired up to and at the position, over a threshold. It looks at nothing that comes later, and all it knows of the past
/// is a few numbers, so that text read in pieces gives what text read at once gives, to the bit.
/// </summary>
/// <param name="threshold">What the statistic has to exceed.</param>
/// <param name="latch">Whether a gate that opened stays open to the end of the row.</param>
internal abstract class Gate(double threshold, bool latch = false)
{
    /// <summary>What the statistic has to exceed.</summary>
    public double Threshold => threshold;

    /// <summary>Numbers that it keeps for a position: the statistic's own, and whether it has ever opened.</summary>
    public int Fields => StatisticFields + 1;

    /// <summary>Numbers that the statistic keeps.</summary>
    protected abstract int StatisticFields { get; }

    /// <summary>Goes on by a position that counts.</summary>
    /// <param name="state">The numbers after the position before, all 0 at the beginning; then those after this one.</param>
    /// <param name="level">The largest of the chosen latents, in the options' unit; over 0 where one fires.</param>
    /// <param name="statistic">The statistic at this position.</param>
    /// <returns>Whether the gate is open at this position.</returns>
    public bool Next(Span<double> state, double level, out double statistic)
    {
        statistic = Next(state[..StatisticFields], level);
        if (statistic > threshold)
            state[^1] = 1;
        return latch ? state[^1] != 0 : statistic > threshold;
    }

    /// <summary>The statistic at this position.</summary>
    protected abstract double Next(Span<double> state, double level);
}

/// <summary>The level itself: open where a latent exceeds the threshold. Remembers nothing.</summary>
internal sealed class LevelGate(double threshold) : Gate(threshold)
{
    protected override int StatisticFields => 0;

    protected override double Next(Span<double> state, double level) => level;
}

/// <summary>ρ_t = (positions up to t at which a latent fires) / max(t, beginning).</summary>
internal sealed class ShareGate(double threshold, int beginning) : Gate(threshold)
{
    protected override int StatisticFields => 2;

    protected override double Next(Span<double> state, double level)
    {
        state[0]++;
        if (level > 0)
            state[1]++;
        return state[1] / Math.Max(state[0], beginning);
    }
}

/// <summary>S_t = max(0, S_{t−1} + f_t − drift): Page's cumulative sum (1954).</summary>
internal sealed class CumulativeSumGate(double threshold, double drift, bool latch) : Gate(threshold, latch)
{
    protected override int StatisticFields => 1;

    protected override double Next(Span<double> state, double level) => state[0] = Math.Max(0, state[0] + (level > 0 ? 1 : 0) - drift);

    /// <summary>
    /// The drift with which the sum is that of log-likelihood ratios of a firing rate p₁ against p₀ (in units of one firing), which finds the change soonest at a given rate of false alarms
    /// (Lorden 1971): k = ln((1 − p₀)/(1 − p₁)) / ln(p₁(1 − p₀)/(p₀(1 − p₁))), between p₀ and p₁.
    /// </summary>
    public static double Drift(double benign, double wanted) =>
        Math.Log((1 - benign) / (1 - wanted)) / Math.Log(wanted * (1 - benign) / (benign * (1 - wanted)));
}

/// <summary>Share of the last positions at which a latent fires; at a row's beginning the positions that are not there count as quiet.</summary>
internal sealed class WindowGate(double threshold, int window, bool latch) : Gate(threshold, latch)
{
    /// <summary>The longest window: its bits are kept as one whole number, which a double holds exactly up to 2⁵³.</summary>
    public const int Longest = 48;

    protected override int StatisticFields => 1;

    protected override double Next(Span<double> state, double level)
    {
        var fired = (((ulong)state[0] << 1) | (level > 0 ? 1UL : 0)) & ((1UL << window) - 1);
        state[0] = fired;
        return (double)BitOperations.PopCount(fired) / window;
    }
}
