using Lethe.Reports.Markup;

namespace Lethe.Reports.Wording;

internal sealed partial class EnglishTexts
{
    public override string Headline(string forget, string retain, bool traces) => $"{forget}; {retain}.{(traces ? " Traces seem to remain in the weights." : "")}";
    public override string SomeConcepts(string clause, int some, int all) => $"{clause} ({some} of {all} concepts)";
    public override string ForgottenClause => "Forgotten, as far as measured";
    public override string ForgetUndecidedClause => "Seems forgotten, but too few samples to be sure";
    public override string PartlyClause => "Only partly forgotten";
    public override string NotForgottenClause => "Not forgotten";
    public override string KeptClause => "the rest is kept";
    public override string RetainUndecidedClause => "too few samples to say whether the rest is kept";
    public override string NoticeableClause => "the rest lost noticeably";
    public override string HeavyClause => "the rest lost heavily";

    public override string AskedLabel => "Asked";
    public override string ResultLabel => "Result";
    public override string CostLabel => "Cost to the rest";
    public override string TracesLabel => "Traces";
    public override string LimitsLabel => "Limits";

    public override string MarkGood => "good";
    public override string MarkMixed => "mixed";
    public override string MarkBad => "bad";
    public override string MarkOpen => "open";

    public override string ConceptWithSurrogate(string name, string surrogate) => $"{Quote(name)} (replaced by {surrogate})";

    public override Html AskedSentence(IReadOnlyList<string> concepts, int retained, int free) =>
        Html.Of($"Forget {And(concepts)}, and keep {Conditions(retained, "other ")}.{(free > 0 ? $" {Conditions(free)} {(free == 1 ? "was" : "were")} left free." : "")}");

    public override Html ShareSentence(string name, string count, string n, string percent, string interval, string countBefore, string nBefore) =>
        Html.Of($"Of {n} samples asked for {Quote(name)}, <strong>{count}</strong> {(count == "1" ? "is" : "are")} still judged as it: <strong>{percent}</strong> ({interval}). Before, {countBefore} of {nBefore} were.");

    public override Html TargetSentence(string target, string count, string percent, string percentOfBase) =>
        Html.Of($"{count} are now judged as {Quote(target)}: {percent}; of the base model’s own samples of {Quote(target)}, {percentOfBase} are.");

    public override Html ReferenceSentence(string name, string percent) =>
        Html.Of($"The judge also takes {percent} of pictures of the surrogate itself for {Quote(name)}, so fewer cannot be expected.");

    public override Html ReferenceTargetSentence(string name, string target, string percent) =>
        Html.Of($"The judge also takes {percent} of the base model’s own samples of {Quote(target)} for {Quote(name)}, so fewer cannot be expected.");

    public override Html AccuracySentence(int retained, string after, string before, string change, string interval) =>
        Html.Of($"Of the samples asked for the {Conditions(retained, "retained ")}, <strong>{after}</strong> are judged as what was asked for; before, {before} were ({change} points, {interval}).");

    public override Html WorstSentence(string name, string points) => Html.Of($"{Quote(name)} lost most: {points} points.");
    public override Html NobodyLostSentence => Html.Of($"No retained condition lost.");

    public override Html ElboSentence(string change, string interval) =>
        Html.Of($"The −ELBO of their real images changed by <strong>{change} nats</strong> an image ({interval}; above zero is worse).");

    public override Html RelearnedSentence(string name, string steps, string controlSteps) =>
        Html.Of($"Trained on real images of {Quote(name)}, the model draws it again after <strong>{steps} steps</strong>; the control needs <strong>{controlSteps}</strong>.");
    public override Html RelearnedControlNeverSentence(string name, string steps, string maximum) =>
        Html.Of($"Trained on real images of {Quote(name)}, the model draws it again after <strong>{steps} steps</strong>; the control did not within {maximum}.");
    public override Html NotRelearnedSentence(string name, string maximum, string controlSteps) =>
        Html.Of($"Trained on real images of {Quote(name)}, the model did not draw it again within <strong>{maximum} steps</strong>; the control did after <strong>{controlSteps}</strong>.");
    public override Html NeitherRelearnedSentence(string name, string maximum) =>
        Html.Of($"Trained on real images of {Quote(name)}, neither the model nor the control drew it again within <strong>{maximum} steps</strong>.");
    public override Html ExplainedSentence(string nats, string forgotten, string control) =>
        Html.Of($"Measured by real images, which count as explained again from {nats} nats of −ELBO down, it is back <strong>{forgotten}</strong>; in the control <strong>{control}</strong>.");
    public override string AfterStepsWords(string steps) => $"after {steps} steps";
    public override string NotWithinSteps(string maximum) => $"not within {maximum} steps";
    public override Html TracesSeenSentence => Html.Of($"Coming back sooner than the control suggests that something of it is left in the weights.");
    public override Html NoTracesSentence => Html.Of($"By this test, nothing of it is seen to be left.");
    public override Html TracesNotTestedSentence => Html.Of($"How easily the concept comes back was not tested.");
    public override Html LimitsSentence(int count, Html link) => count == 1
        ? Html.Of($"One question stays open; {link}. This page is evidence for a decision, not the decision.")
        : Html.Of($"{count} questions stay open; {link}. This page is evidence for a decision, not the decision.");
    public override string LimitsLink => "see what was not tested";

    public override string RulesTitle => "How this box was decided";
    public override string RulesIntro => "By these rules and no others. They sort figures into words; the limits for a release are set by your policy.";
    public override string RuleForgotten(string shareMargin, string probabilityMargin) =>
        $"Forgotten: with its uncertainty, the share of samples judged as the class is at most {Points(shareMargin)} above that of the surrogate itself, and the judge’s mean probability at most {Points(probabilityMargin)} above what it gives the surrogate.";
    public override string RulePartly(string ratio) => $"Partly forgotten: not so, but the share fell, with its uncertainty, to at most {ratio} of what it was. Not forgotten: not even that.";
    public override string RuleKept(string loss, string worstLoss, string elboRise) =>
        $"Kept: with their uncertainty, the retained conditions lost at most {Points(loss)} of samples judged as asked and their −ELBO rose by at most {elboRise} of its level; no single condition lost more than {Points(worstLoss)}, as measured.";
    public override string RuleHeavy(string factor) => $"Lost noticeably: a measured value passes one of these limits. Lost heavily: it passes {factor} times the limit.";
    public override string RuleUndecided => "Too few samples: the measured values hold the limits, but their 95% intervals reach beyond.";
    public override string RuleTraces => "Traces are seen when real images bring the concept back in fewer steps than in the control, by its samples or by the −ELBO of its real images.";

    private static string Conditions(int count, string kind = "") => $"{count} {kind}{(count == 1 ? "condition" : "conditions")}";
}
