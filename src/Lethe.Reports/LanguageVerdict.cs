using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Reports;

/// <summary>By what rules the box at the top of a language model's report is decided. They sort figures into words and are printed beside them.</summary>
public sealed record LanguageVerdictRules
{
    /// <summary>Forgotten: at least this share of the gap is closed, uncertainty included. Share of 1.</summary>
    public double ForgottenGap { get; init; } = 0.9;

    /// <summary>Partly forgotten: at least this share of the gap is closed, as measured.</summary>
    public double PartlyGap { get; init; } = 0.5;

    /// <summary>Kept: loss of the mean over the topics that had to stay, with its uncertainty. Share of 1.</summary>
    public double KeptLoss { get; init; } = 0.01;

    /// <summary>Kept: loss of the topic that lost most, as measured: one topic alone has few questions. Share of 1.</summary>
    public double KeptWorstLoss { get; init; } = 0.03;

    /// <summary>Kept: rise of perplexity, with its uncertainty. Share of 1.</summary>
    public double KeptPerplexityRise { get; init; } = 0.02;

    /// <summary>Beyond this many times any of the limits of "kept", measured, the cost counts as heavy.</summary>
    public double HeavyFactor { get; init; } = 3;
}

/// <summary>What the figures say of a forgotten topic.</summary>
public enum TopicOutcome
{
    /// <summary>The gap is closed, uncertainty included.</summary>
    Forgotten,
    /// <summary>The measured value says so, but its uncertainty reaches further.</summary>
    Undecided,
    /// <summary>The model did not know enough of it before to say anything.</summary>
    NotKnown,
    /// <summary>Half of it or more.</summary>
    Partly,
    /// <summary>Less.</summary>
    NotForgotten,
}

/// <summary>What a language model's result says, by fixed rules, before it is put into words.</summary>
/// <param name="Forget">The topic.</param>
/// <param name="Retain">What had to stay.</param>
public sealed record LanguageVerdict(TopicOutcome Forget, RetainOutcome Retain)
{
    /// <summary>Applies the rules to a result.</summary>
    /// <exception cref="BadInputException">Parts of the result are missing.</exception>
    public static LanguageVerdict Of(LanguageUnlearnResult result, LanguageVerdictRules rules)
    {
        if (result.Retain.Topics.Count == 0 || result.Retain.Topics.All(topic => topic.Topic != result.Retain.WorstTopic))
            throw new BadInputException("The result cannot be reported: retain.topics does not hold retain.worst_topic; run the evaluation again or mend the file.");
        return new LanguageVerdict(JudgeForget(result.Forget, rules), JudgeRetain(result, rules));
    }

    private static TopicOutcome JudgeForget(LanguageForgetResult forget, LanguageVerdictRules rules) => forget switch
    {
        { Qualifies: false } or { Trained.GapClosed: null } => TopicOutcome.NotKnown,
        { Trained.GapClosed: { } closed } when closed.Value >= rules.ForgottenGap => Numbers.Lower(closed) >= rules.ForgottenGap ? TopicOutcome.Forgotten : TopicOutcome.Undecided,
        { Trained.GapClosed.Value: var value } => value >= rules.PartlyGap ? TopicOutcome.Partly : TopicOutcome.NotForgotten,
    };

    private static RetainOutcome JudgeRetain(LanguageUnlearnResult result, LanguageVerdictRules rules)
    {
        // Each as a multiple of its limit: (measured, with its uncertainty).
        (double Measured, double Worst)[] ratios =
        [
            (-result.Retain.Change.Value / rules.KeptLoss, -Numbers.Lower(result.Retain.Change) / rules.KeptLoss),
            (-result.Retain.WorstChange / rules.KeptWorstLoss, -result.Retain.WorstChange / rules.KeptWorstLoss),
            (result.Perplexity.Change.Value / rules.KeptPerplexityRise, Numbers.Upper(result.Perplexity.Change) / rules.KeptPerplexityRise),
        ];
        return ratios.Any(r => !(r.Measured <= rules.HeavyFactor)) ? RetainOutcome.Heavy
            : ratios.Any(r => r.Measured > 1) ? RetainOutcome.Noticeable
            : ratios.Any(r => r.Worst > 1) ? RetainOutcome.Undecided
            : RetainOutcome.Kept;
    }
}
