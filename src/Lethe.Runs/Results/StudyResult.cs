using Lethe.Evaluation;
using Lethe.Evaluation.Language;

namespace Lethe.Runs.Results;

/// <summary>study.json: methods of unlearning on a language model, tuned alike on one topic and reported on others. Every key is documented in docs/metrics.md.</summary>
public sealed record StudyResult
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.study/1";

    /// <summary>The plan's title.</summary>
    public required string Title { get; init; }

    /// <summary>Where and when, of the first run of the study; null as long as there is none.</summary>
    public RunFacts? Run { get; init; }

    /// <summary>What a configuration may cost.</summary>
    public required UtilityBound Bound { get; init; }

    /// <summary>How configurations were chosen.</summary>
    public required StudyTuning Tuning { get; init; }

    /// <summary>The methods, the proposed one first, then baselines, then controls.</summary>
    public required IReadOnlyList<StudyMethodResult> Methods { get; init; }

    /// <summary>The baseline that tuning found strongest, fixed before the test was opened; null until tuning is done.</summary>
    public string? StrongestBaseline { get; init; }

    /// <summary>The proposed method against each other; empty until all is measured.</summary>
    public IReadOnlyList<StudyComparison> Comparisons { get; init; } = [];

    /// <summary>What was to be shown; null until all is measured.</summary>
    public StudyGoals? Goals { get; init; }

    /// <summary>What single options do; null where the plan asks for no such table.</summary>
    public StudySensitivity? Sensitivity { get; init; }

    /// <summary>Names of runs that other shards have not finished yet; empty in study.json, which is written when all are there.</summary>
    public IReadOnlyList<string> Pending { get; init; } = [];
}

/// <summary>How configurations were chosen.</summary>
/// <param name="Topic">The topic; it is not reported.</param>
/// <param name="Part">Which of its entities were asked about: "validation" or "test".</param>
/// <param name="Seeds">Seeds that every configuration was run with.</param>
/// <param name="Keep">Share of each method's configurations that each round but the last kept.</param>
public sealed record StudyTuning(string Topic, string Part, IReadOnlyList<long> Seeds, IReadOnlyList<double> Keep);

/// <summary>A method: what was tried, what was chosen, and what that did.</summary>
public sealed record StudyMethodResult
{
    /// <summary>Its name in the plan.</summary>
    public required string Name { get; init; }

    /// <summary>The method's kind.</summary>
    public required string Kind { get; init; }

    /// <summary>"proposed", "baseline" or "control".</summary>
    public required string Role { get; init; }

    /// <summary>All configurations tried.</summary>
    public required IReadOnlyList<StudyConfiguration> Configurations { get; init; }

    /// <summary>The name of the chosen one; null until tuning is done.</summary>
    public string? Chosen { get; init; }

    /// <summary>Whether the chosen one was within the bound; false where none was and the cheapest was taken.</summary>
    public bool WithinBound { get; init; }

    /// <summary>Whether it is run on the reported topics; false where the plan asks for the strongest baseline only, and this is another.</summary>
    public bool Reported { get; init; } = true;

    /// <summary>The method's options that no configuration varied, with their values.</summary>
    public required IReadOnlyDictionary<string, object?> NotSearched { get; init; }

    /// <summary>What tuning it cost.</summary>
    public required StudyBudget Budget { get; init; }

    /// <summary>What the chosen configuration did to each topic.</summary>
    public IReadOnlyList<StudyTopicResult> Topics { get; init; } = [];

    /// <summary>The same over all topics; null until all is measured, or where a run failed.</summary>
    public StudyPooled? Pooled { get; init; }
}

/// <summary>What tuning a method cost.</summary>
/// <param name="Configurations">Configurations tried.</param>
/// <param name="Runs">Runs of tuning, each seed and round counted.</param>
/// <param name="Seconds">Seconds of forgetting, and of the scores and subspaces that it needs; what several runs share counts once. Measuring is left out.</param>
/// <param name="Tokens">Tokens read while forgetting, of the same runs.</param>
public sealed record StudyBudget(int Configurations, int Runs, double Seconds, long Tokens);

/// <summary>A configuration and how far it came.</summary>
/// <param name="Name">Its varied values in words.</param>
/// <param name="Options">Its varied keys with their values.</param>
/// <param name="Rounds">What each round read of it, the first first.</param>
/// <param name="FellInRound">The round, from 1, after which it was dropped; null where it came to the choice.</param>
/// <param name="Chosen">Whether it was chosen.</param>
public sealed record StudyConfiguration(string Name, IReadOnlyDictionary<string, object?> Options, IReadOnlyList<StudyReading> Rounds, int? FellInRound, bool Chosen);

/// <summary>What runs of one configuration on one topic read, averaged over seeds.</summary>
/// <param name="Figures">The figures; null where a run failed.</param>
/// <param name="Broken">Bounds that it broke.</param>
/// <param name="Failed">Why runs failed, in words; empty where none did.</param>
/// <param name="Runs">Folders of the runs, below the study's points/.</param>
public sealed record StudyReading(StudyFigures? Figures, IReadOnlyList<UtilityLoss> Broken, IReadOnlyList<string> Failed, IReadOnlyList<string> Runs);

/// <summary>The proposed method against another.</summary>
/// <param name="Method">The other.</param>
/// <param name="Role">Its role.</param>
/// <param name="Strongest">Whether it is the strongest baseline.</param>
/// <param name="Difference">What the proposed leaves − what the other leaves, mean over topics, paired; null where a run failed.</param>
/// <param name="P">Two-sided p-value of "there is no difference".</param>
/// <param name="Ratio">What the proposed leaves over what the other leaves; null where the other leaves less than a tenth of a point.</param>
/// <param name="SmallestDetectable">The difference that these items would have shown with 80 % power at 5 %; null without an interval.</param>
/// <param name="Topics">Topic by topic.</param>
public sealed record StudyComparison(string Method, string Role, bool Strongest, Measure? Difference, double P, Measure? Ratio, double? SmallestDetectable, IReadOnlyList<StudyTopicDifference> Topics);

/// <summary>The proposed method against another on one topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Difference">What the proposed leaves − what the other leaves.</param>
/// <param name="P">Two-sided p-value of this topic alone.</param>
/// <param name="Holm">The same, corrected for the number of topics.</param>
public sealed record StudyTopicDifference(string Topic, Measure Difference, double P, double Holm);

/// <summary>What was to be shown.</summary>
/// <param name="Closes">The proposed method closes the gap.</param>
/// <param name="LeavesLess">It leaves less than the strongest baseline.</param>
public sealed record StudyGoals(StudyClosesGoal Closes, StudyLeavesLessGoal LeavesLess);

/// <summary>The proposed method closes enough of the gap in every topic within the bound.</summary>
/// <param name="Target">Share of the gap.</param>
/// <param name="Least">The least that it closes of a topic, as measured; null where a run failed or there was no gap.</param>
/// <param name="LeastTopic">That topic.</param>
/// <param name="WithinBound">Whether it kept within the bound in every topic.</param>
/// <param name="Met">Whether the goal is met, as measured.</param>
/// <param name="Certain">Whether it is met with the intervals' lower ends.</param>
public sealed record StudyClosesGoal(double Target, double? Least, string? LeastTopic, bool WithinBound, bool Met, bool Certain);

/// <summary>The proposed method leaves at most a share of what the strongest baseline leaves, or so much less.</summary>
/// <param name="Baseline">The strongest baseline.</param>
/// <param name="TargetRatio">The share.</param>
/// <param name="TargetDifference">The difference, share of 1; negative is less.</param>
/// <param name="Met">Whether one of both is met, as measured.</param>
/// <param name="Certain">Whether one of both is met with its interval's upper end.</param>
public sealed record StudyLeavesLessGoal(string Baseline, double TargetRatio, double TargetDifference, bool Met, bool Certain);

/// <summary>What single options do, one at a time, on the topic of tuning.</summary>
/// <param name="Method">The method.</param>
/// <param name="Base">Its chosen configuration as it is.</param>
/// <param name="Changes">One option changed.</param>
public sealed record StudySensitivity(string Method, StudyReading Base, IReadOnlyList<StudySensitivityRow> Changes);

/// <summary>One option changed.</summary>
/// <param name="Path">The option.</param>
/// <param name="Value">Its value.</param>
/// <param name="Reading">What that gave.</param>
public sealed record StudySensitivityRow(string Path, object? Value, StudyReading Reading);
