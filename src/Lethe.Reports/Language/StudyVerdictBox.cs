using Lethe.Reports.Markup;
using Lethe.Reports.Sections;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports.Language;

/// <summary>The box at the top of a study's page: the goals, how configurations were chosen, and what the study does not say.</summary>
internal static class StudyVerdictBox
{
    public static Html Render(StudyResult study, Texts t)
    {
        var (closes, leaves) = (ClosesMark(study), LeavesMark(study));
        var whole = new[] { closes, leaves }.Max();
        return Html.Of($"""
            <section class="verdict {VerdictMarks.Class(whole)}" aria-labelledby="verdict">
            <h2 id="verdict">{VerdictMarks.Icon(whole, t)}<span>{Headline(study, t)}</span></h2>
            <dl>
            {VerdictMarks.Line(t.StClosesLabel, closes, Html.Text(Closes(study, t)), t)}
            {VerdictMarks.Line(t.StLeavesLabel, leaves, Html.Text(Leaves(study, t)), t)}
            {VerdictMarks.Line(t.StChoiceLabel, study.Methods.All(method => method.WithinBound) ? null : Mark.Mixed, Html.Text(Choice(study, t)), t)}
            {VerdictMarks.Line(t.StLimitsLabel, null, Html.Text(t.StLimitsSentence(Numbers.Count(study.Methods[0].Topics.Count), Numbers.Count(study.Methods[0].Topics.Select(topic => topic.Seeds.Count).FirstOrDefault()))), t)}
            </dl></section>

            """);
    }

    /// <summary>The verdicts in one line.</summary>
    public static string Headline(StudyResult study, Texts t) => t.StHeadline(Word(ClosesMark(study), t), Word(LeavesMark(study), t));

    private static Mark ClosesMark(StudyResult study) => study.Goals?.Closes switch
    {
        null or { Least: null } => Mark.Open,
        { Certain: true } => Mark.Good,
        { Met: true } => Mark.Mixed,
        _ => Mark.Bad,
    };

    private static Mark LeavesMark(StudyResult study) => study.Goals?.LeavesLess switch
    {
        null => Mark.Open,
        { Certain: true } => Mark.Good,
        { Met: true } => Mark.Mixed,
        _ => Strongest(study)?.Difference is null ? Mark.Open : Mark.Bad,
    };

    private static string Word(Mark mark, Texts t) => mark switch { Mark.Good => t.StMetSure, Mark.Mixed => t.StMetMeasured, Mark.Bad => t.StMissed, _ => t.StNoGap };

    private static StudyComparison? Strongest(StudyResult study) => study.Comparisons.FirstOrDefault(comparison => comparison.Strongest);

    private static string Closes(StudyResult study, Texts t) => study.Goals?.Closes is { Least: { } least } goal
        ? t.Sentences([t.StClosesSentence(study.Methods[0].Name, Numbers.Percent(least, 1), goal.LeastTopic!, Numbers.Percent(goal.Target, 0)), $"{(goal.WithinBound ? t.StWithin : t.StOutside)}{(t.Language == ReportLanguage.Japanese ? "。" : ".")}"])
        : t.StNoGap;

    private static string Leaves(StudyResult study, Texts t)
    {
        var points = Style.SignedPoints(2);
        return Strongest(study) is { Difference: { } difference } comparison
            && study.Methods[0].Pooled is { } ours && study.Methods.First(method => method.Name == comparison.Method).Pooled is { } theirs
            ? t.StLeavesSentence(study.Methods[0].Name, comparison.Method, Numbers.Fixed(100 * ours.Left.Value, 2), Numbers.Fixed(100 * theirs.Left.Value, 2),
                comparison.Ratio is { } ratio ? $"{Numbers.Fixed(ratio.Value, 2)} ({Parts.IntervalWords(t, ratio, Style.Plain(2))})" : Numbers.None,
                $"{points.Value(difference.Value)} ({Parts.IntervalWords(t, difference, points)})")
            : t.StNoComparison(study.StrongestBaseline ?? Numbers.None);
    }

    private static string Choice(StudyResult study, Texts t)
    {
        List<string> sentences = [t.StChoiceSentence(study.Tuning.Topic, Numbers.Count(study.Methods.Sum(method => method.Configurations.Count)), study.StrongestBaseline ?? Numbers.None), t.StTied];
        if (study.Methods.Any(method => !method.Reported))
            sentences.Add(t.StOnlyStrongest);
        if (study.Methods.Where(method => !method.WithinBound).Select(method => method.Name).ToArray() is { Length: > 0 } outside)
            sentences.Add(t.StOutsideSentence(t.And(outside)));
        return t.Sentences(sentences);
    }
}
