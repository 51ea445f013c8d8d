using Lethe.Evaluation;
using Lethe.Runs.Results;

namespace Lethe.Runs.Language.Studies;

/// <summary>When the proposed method has shown what it was to show.</summary>
internal static class StudyGoalRules
{
    /// <summary>Share of the gap to close, share of the strongest baseline's rest to leave, and the difference that does as well: 3.22 points, the published claim.</summary>
    public const double Closes = 0.9, Ratio = 0.5, Difference = -0.0322;

    /// <summary>Judges.</summary>
    /// <param name="proposed">The proposed method with its topics.</param>
    /// <param name="comparison">It against the strongest baseline.</param>
    public static StudyGoals Of(StudyMethodResult proposed, StudyComparison comparison)
    {
        var closed = proposed.Topics.Select(topic => (topic.Topic, Closed: topic.Trained?.GapClosed)).ToArray();
        var all = closed.All(topic => topic.Closed is not null);
        var (leastTopic, least) = all ? closed.MinBy(topic => topic.Closed!.Value) : (null, null);
        var within = proposed.Topics.All(topic => topic.Reading is { Figures: not null, Broken.Count: 0 });
        return new StudyGoals(
            new StudyClosesGoal(Closes, least?.Value, leastTopic, within, all && within && least!.Value >= Closes, all && within && closed.All(topic => Low(topic.Closed!) >= Closes)),
            new StudyLeavesLessGoal(comparison.Method, Ratio, Difference,
                comparison.Ratio?.Value <= Ratio || comparison.Difference?.Value <= Difference,
                comparison.Ratio is { } ratio && High(ratio) <= Ratio || comparison.Difference is { } difference && High(difference) <= Difference));
    }

    // Without an interval nothing is certain.
    private static double Low(Measure measure) => measure.Interval?.Low ?? double.NegativeInfinity;

    private static double High(Measure measure) => measure.Interval?.High ?? double.PositiveInfinity;
}
