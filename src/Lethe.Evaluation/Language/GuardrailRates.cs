using Lethe.Evaluation.Statistics;
using Lethe.Torch;

namespace Lethe.Evaluation.Language;

/// <summary>What a guardrail did to one text.</summary>
/// <param name="Edited">Positions that were edited.</param>
/// <param name="Counted">Positions that count: all but the first.</param>
/// <param name="Largest">The largest value of what it decides by.</param>
public readonly record struct GuardedText(long Edited, long Counted, double Largest)
{
    /// <summary>Whether anything was edited.</summary>
    public bool IsTouched => Edited > 0;
}

/// <summary>How well a guardrail tells texts that it is for from others.</summary>
/// <param name="FalsePositiveRate">Share of harmless texts in which something was edited; Wilson's interval.</param>
/// <param name="InterventionRate">Share of texts that it is for in which something was edited; Wilson's interval. Null where no such text was read.</param>
/// <param name="BenignPositions">Share of the harmless texts' positions that were edited; no interval, since positions of a text hang together.</param>
/// <param name="ForgetPositions">The same of the texts that it is for.</param>
/// <param name="Separation">The chance that what it decides by is larger on a text that it is for than on a harmless one (area under the ROC curve), whatever the threshold.</param>
public sealed record GuardrailRates(Measure FalsePositiveRate, Measure? InterventionRate, Measure BenignPositions, Measure? ForgetPositions, Measure? Separation)
{
    /// <summary>Measures.</summary>
    /// <param name="benign">Harmless texts, one at least.</param>
    /// <param name="forget">Texts that it is for; none leaves out what needs them.</param>
    /// <exception cref="RunFailedException">There is no harmless text.</exception>
    public static GuardrailRates Of(IReadOnlyList<GuardedText> benign, IReadOnlyList<GuardedText> forget)
    {
        if (benign.Count == 0)
            throw new RunFailedException("A false-positive rate needs at least one harmless text.");
        static Measure Touched(IReadOnlyList<GuardedText> texts, Better better) => Proportion.Share([.. texts.Select(text => text.IsTouched)], better);
        static Measure Positions(IReadOnlyList<GuardedText> texts, Better better) =>
            new((double)texts.Sum(text => text.Edited) / Math.Max(1, texts.Sum(text => text.Counted)), texts.Sum(text => text.Counted), Better: better);
        return new GuardrailRates(Touched(benign, Better.Lower), forget.Count == 0 ? null : Touched(forget, Better.Higher),
            Positions(benign, Better.Lower), forget.Count == 0 ? null : Positions(forget, Better.Neither),
            forget.Count == 0 ? null : AreaUnderRoc.Of([.. benign.Concat(forget).Select(text => text.Largest)], [.. benign.Select(_ => false), .. forget.Select(_ => true)], Better.Higher));
    }
}
