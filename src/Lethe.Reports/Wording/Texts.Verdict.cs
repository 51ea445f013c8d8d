using Lethe.Reports.Markup;

namespace Lethe.Reports.Wording;

internal abstract partial class Texts
{
    public abstract string Headline(string forget, string retain, bool traces);
    public abstract string SomeConcepts(string clause, int some, int all);
    public abstract string ForgottenClause { get; }
    public abstract string ForgetUndecidedClause { get; }
    public abstract string PartlyClause { get; }
    public abstract string NotForgottenClause { get; }
    public abstract string KeptClause { get; }
    public abstract string RetainUndecidedClause { get; }
    public abstract string NoticeableClause { get; }
    public abstract string HeavyClause { get; }

    public abstract string AskedLabel { get; }
    public abstract string ResultLabel { get; }
    public abstract string CostLabel { get; }
    public abstract string TracesLabel { get; }
    public abstract string LimitsLabel { get; }

    /// <summary>What a mark says to those who cannot see it.</summary>
    public abstract string MarkGood { get; }
    public abstract string MarkMixed { get; }
    public abstract string MarkBad { get; }
    public abstract string MarkOpen { get; }

    public abstract string ConceptWithSurrogate(string name, string surrogate);
    public abstract Html AskedSentence(IReadOnlyList<string> concepts, int retained, int free);
    public abstract Html ShareSentence(string name, string count, string n, string percent, string interval, string countBefore, string nBefore);
    public abstract Html TargetSentence(string target, string count, string percent, string percentOfBase);
    public abstract Html ReferenceSentence(string name, string percent);
    public abstract Html ReferenceTargetSentence(string name, string target, string percent);
    public abstract Html AccuracySentence(int retained, string after, string before, string change, string interval);
    public abstract Html WorstSentence(string name, string points);
    public abstract Html NobodyLostSentence { get; }
    public abstract Html ElboSentence(string change, string interval);
    public abstract Html RelearnedSentence(string name, string steps, string controlSteps);
    public abstract Html RelearnedControlNeverSentence(string name, string steps, string maximum);
    public abstract Html NotRelearnedSentence(string name, string maximum, string controlSteps);
    public abstract Html NeitherRelearnedSentence(string name, string maximum);
    public abstract Html ExplainedSentence(string nats, string forgotten, string control);
    public abstract string AfterStepsWords(string steps);
    public abstract string NotWithinSteps(string maximum);

    /// <summary>When something was reached, or that it was not.</summary>
    public string AfterSteps(long? steps, long maximum) => steps is { } reached ? AfterStepsWords(Numbers.Count(reached)) : NotWithinSteps(Numbers.Count(maximum));

    public abstract Html TracesSeenSentence { get; }
    public abstract Html NoTracesSentence { get; }
    public abstract Html TracesNotTestedSentence { get; }
    public abstract Html LimitsSentence(int count, Html link);
    public abstract string LimitsLink { get; }

    public abstract string RulesTitle { get; }
    public abstract string RulesIntro { get; }
    public abstract string RuleForgotten(string shareMargin, string probabilityMargin);
    public abstract string RulePartly(string ratio);
    public abstract string RuleKept(string loss, string worstLoss, string elboRise);
    public abstract string RuleHeavy(string factor);
    public abstract string RuleUndecided { get; }
    public abstract string RuleTraces { get; }
}
