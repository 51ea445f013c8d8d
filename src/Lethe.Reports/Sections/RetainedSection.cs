using Lethe.Evaluation;
using Lethe.Reports.Markup;

namespace Lethe.Reports.Sections;

/// <summary>The retained conditions as a whole: accuracy, −ELBO, and distance, precision and recall in the judge's features.</summary>
internal static class RetainedSection
{
    public static Html Render(ReportContext context)
    {
        var t = context.Texts;
        var retain = context.Result.Retain;
        var share = Style.Share(2);
        Html[] rows =
        [
            Row(t.JudgedAsAskedName, retain.AccuracyBefore, retain.AccuracyAfter, Parts.Cell(t, Verdict.AccuracyChange(retain), Style.SignedPoints(2)), t.HigherIsBetter, share),
            Row(t.ElboChangeName, null, null, Parts.Cell(t, retain.NegativeElboChange, Style.Signed(2)), t.LowerIsBetter, share),
            Row(t.FrechetName, retain.JudgeFrechetBefore, retain.JudgeFrechetAfter, Difference(retain.JudgeFrechetBefore, retain.JudgeFrechetAfter, 2, 1), t.LowerIsBetter, Style.Plain(2)),
            Row(t.PrecisionName, retain.JudgePrecisionBefore, retain.JudgePrecisionAfter, Difference(retain.JudgePrecisionBefore, retain.JudgePrecisionAfter, 1, 100), t.HigherIsBetter, Style.Share(1)),
            Row(t.RecallName, retain.JudgeRecallBefore, retain.JudgeRecallAfter, Difference(retain.JudgeRecallBefore, retain.JudgeRecallAfter, 1, 100), t.HigherIsBetter, Style.Share(1)),
        ];
        return Html.Of($"""
            {Parts.Table("measures", Html.Of($"""
            <thead><tr><th scope="col">{t.MeasureColumn}</th><th scope="col" class="num">{t.Before}</th><th scope="col" class="num">{t.After}</th><th scope="col" class="num">{t.Change}</th><th scope="col"></th></tr></thead>
            <tbody>{rows}</tbody>
            """))}
            {Parts.Paragraph(t.RetainedNote)}
            {Parts.Paragraph(t.IntervalLegend)}
            """);

        Html Row(string name, Measure? before, Measure? after, Html change, string better, Style style) =>
            Html.Of($"<tr><th scope=\"row\">{name}</th>{Parts.Cell(t, before, style)}{Parts.Cell(t, after, style)}{change}<td class=\"hint\">{better}</td></tr>\n");

        static Html Difference(Measure before, Measure after, int decimals, double factor) => Parts.Cell(Numbers.Signed(factor * (after.Value - before.Value), decimals));
    }
}
