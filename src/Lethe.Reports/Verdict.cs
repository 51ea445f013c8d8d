using Lethe.Evaluation;
using Lethe.Runs.Results;

namespace Lethe.Reports;

/// <summary>
/// By what rules the box at the top of a report is decided. They sort figures into words and are printed beside them; whether a
/// model may be released is for the policy that <c>gate</c> checks, not for a report.
/// </summary>
public sealed record VerdictRules
{
    /// <summary>Forgotten: the share judged as the class, with its uncertainty, is at most this much above that of the surrogate itself. Shares of 1.</summary>
    public double ShareMargin { get; init; } = 0.01;

    /// <summary>Forgotten: the judge's mean probability is at most this much above what it gives the surrogate itself. Shares of 1.</summary>
    public double ProbabilityMargin { get; init; } = 0.05;

    /// <summary>Partly forgotten: the share judged as the class, with its uncertainty, is at most this part of what it was.</summary>
    public double PartlyRatio { get; init; } = 0.5;

    /// <summary>Kept: loss of accuracy over the retained conditions, with its uncertainty. Shares of 1.</summary>
    public double KeptLoss { get; init; } = 0.02;

    /// <summary>Kept: loss of the condition that lost most (its measured value: one condition alone has few samples). Shares of 1.</summary>
    public double KeptWorstLoss { get; init; } = 0.05;

    /// <summary>Kept: rise of the −ELBO of real images, with its uncertainty, relative to its level before.</summary>
    public double KeptElboRise { get; init; } = 0.01;

    /// <summary>Beyond this many times any of the three limits of "kept", measured, the cost counts as heavy.</summary>
    public double HeavyFactor { get; init; } = 3;
}

/// <summary>What the figures say of one forgotten concept.</summary>
public enum ForgetOutcome
{
    /// <summary>No more is judged as the class than of the surrogate itself, uncertainty included.</summary>
    Forgotten,
    /// <summary>The measured values say so, but their uncertainty reaches further.</summary>
    Undecided,
    /// <summary>Much less than before, yet more than of the surrogate.</summary>
    Partly,
    /// <summary>Not even halved.</summary>
    NotForgotten,
}

/// <summary>What the figures say of the retained conditions.</summary>
public enum RetainOutcome
{
    /// <summary>All three limits hold, uncertainty included.</summary>
    Kept,
    /// <summary>The measured values hold the limits, but their uncertainty reaches further.</summary>
    Undecided,
    /// <summary>A limit is passed.</summary>
    Noticeable,
    /// <summary>A limit is passed by far.</summary>
    Heavy,
}

/// <summary>What relearning says of traces left in the weights.</summary>
public enum TraceOutcome
{
    /// <summary>Relearning was not tried.</summary>
    NotTested,
    /// <summary>The concept came back no sooner than in the control.</summary>
    NoneSeen,
    /// <summary>The concept came back sooner than in the control.</summary>
    Seen,
}

/// <summary>One forgotten concept judged.</summary>
/// <param name="Request">What was asked.</param>
/// <param name="Result">What was measured.</param>
/// <param name="Outcome">What the rules make of it.</param>
/// <param name="ReferenceShare">Share that the judge takes for the class among pictures of the surrogate itself; zero where that was not measured.</param>
public sealed record ConceptVerdict(ConceptRequest Request, ConceptResult Result, ForgetOutcome Outcome, double ReferenceShare);

/// <summary>What a result says, by fixed rules, before it is put into words.</summary>
/// <param name="Concepts">Each forgotten concept.</param>
/// <param name="Retain">The retained conditions.</param>
/// <param name="Traces">Relearning, the worst over all concepts.</param>
public sealed record Verdict(IReadOnlyList<ConceptVerdict> Concepts, RetainOutcome Retain, TraceOutcome Traces)
{
    /// <summary>The worst outcome of any concept.</summary>
    public ForgetOutcome Forget => Concepts.Max(concept => concept.Outcome);

    /// <summary>Applies the rules to a result.</summary>
    public static Verdict Of(ImageUnlearnResult result, VerdictRules rules)
    {
        ResultCheck.Validate(result);
        var concepts = result.Concepts.Select(concept => Judge(result, concept, rules)).ToArray();
        return new Verdict(concepts, JudgeRetained(result, rules), JudgeTraces(result.Relearning));
    }

    private static ConceptVerdict Judge(ImageUnlearnResult result, ConceptResult concept, VerdictRules rules)
    {
        var request = result.Request.Concepts.First(asked => asked.Label == concept.Label);
        // A concept mapped to a label ends where the base model's samples of that label are, so their share is the reference.
        var reference = request.Target is { } target ? result.Confusion.Before[target][concept.Label] : concept.FloorShare?.Value ?? 0;
        var forget = concept.Forget;
        var shareLimit = reference + rules.ShareMargin;
        var probabilityLimit = concept.FloorProbability + rules.ProbabilityMargin;
        var outcome =
            Numbers.Upper(forget.Share) <= shareLimit && Numbers.Upper(forget.Probability) <= probabilityLimit ? ForgetOutcome.Forgotten
            : forget.Share.Value <= shareLimit && forget.Probability.Value <= probabilityLimit ? ForgetOutcome.Undecided
            : Numbers.Upper(forget.Share) <= rules.PartlyRatio * forget.ShareBefore.Value ? ForgetOutcome.Partly
            : ForgetOutcome.NotForgotten;
        return new ConceptVerdict(request, concept, outcome, reference);
    }

    private static RetainOutcome JudgeRetained(ImageUnlearnResult result, VerdictRules rules)
    {
        var retain = result.Retain;
        var change = AccuracyChange(retain);
        var level = result.Classes.Where(c => c.Role == Roles.Retained).Average(c => c.Before.NegativeElbo.Value);
        // Each as a multiple of its limit: (measured, with its uncertainty).
        (double Measured, double Worst)[] ratios =
        [
            (-change.Value / rules.KeptLoss, -Numbers.Lower(change) / rules.KeptLoss),
            (-retain.WorstChange / rules.KeptWorstLoss, -retain.WorstChange / rules.KeptWorstLoss),
            (retain.NegativeElboChange.Value / (rules.KeptElboRise * level), Numbers.Upper(retain.NegativeElboChange) / (rules.KeptElboRise * level)),
        ];
        return ratios.Any(r => r.Measured > rules.HeavyFactor) ? RetainOutcome.Heavy
            : ratios.Any(r => r.Measured > 1) ? RetainOutcome.Noticeable
            : ratios.Any(r => r.Worst > 1) ? RetainOutcome.Undecided
            : RetainOutcome.Kept;
    }

    private static TraceOutcome JudgeTraces(IReadOnlyList<RelearnResult>? relearning)
    {
        if (relearning is not { Count: > 0 })
            return TraceOutcome.NotTested;
        return relearning.Any(CameBackSooner) ? TraceOutcome.Seen : TraceOutcome.NoneSeen;
    }

    /// <summary>Whether the concept came back sooner than in the control, by samples or by what real images cost.</summary>
    internal static bool CameBackSooner(RelearnResult curve) =>
        Sooner(curve.StepsForgotten, curve.StepsControl) || (curve.ExplainedNats is not null && Sooner(curve.ExplainedForgotten, curve.ExplainedControl));

    private static bool Sooner(long? steps, long? control) => steps is { } reached && (control is not { } other || reached < other);

    /// <summary>Change of the retained conditions' accuracy: the paired one where the run measured it.</summary>
    internal static Measure AccuracyChange(RetainResult retain) => retain.AccuracyChange ?? Change(retain.AccuracyBefore, retain.AccuracyAfter);

    /// <summary>After minus before, with the error that two independent measures would have: more than a paired one's, never less.</summary>
    internal static Measure Change(Measure before, Measure after)
    {
        var error = Math.Sqrt(Square(Numbers.ErrorOf(before)) + Square(Numbers.ErrorOf(after)));
        var value = after.Value - before.Value;
        return new Measure(value, Math.Min(before.N, after.N), error, new Interval(value - Numbers.Normal95 * error, value + Numbers.Normal95 * error), after.Better);
    }

    private static double Square(double x) => x * x;
}
