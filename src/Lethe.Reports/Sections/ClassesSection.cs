using Lethe.Reports.Markup;
using Lethe.Runs.Results;

namespace Lethe.Reports.Sections;

/// <summary>Every condition before and after, as the judge reads its samples.</summary>
internal static class ClassesSection
{
    public static Html Render(ReportContext context)
    {
        var t = context.Texts;
        var share = Style.Share(Numbers.ShareDecimals(context.Result.Classes.Max(c => c.After.Accuracy.N)));
        var rows = context.Result.Classes.Select(c => Html.Of($"""
            <tr class="{Parts.RoleClass(c.Role)}"><th scope="row"><span class="name">{c.Name}</span>{(c.Role == Roles.Retained ? Html.Empty : Parts.Chip(t, c.Role))}</th>{Parts.Cell(t, c.Before.Accuracy, share)}{Parts.Cell(t, c.After.Accuracy, share)}{Parts.Cell(t, c.Before.Probability, Style.Plain(4))}{Parts.Cell(t, c.After.Probability, Style.Plain(4))}{Parts.Cell(t, c.Before.Entropy, Style.Plain(3))}{Parts.Cell(t, c.After.Entropy, Style.Plain(3))}</tr>

            """));
        var beforeAfter = Html.Of($"<th scope=\"col\" class=\"num\">{t.Before}</th><th scope=\"col\" class=\"num\">{t.After}</th>");
        return Html.Of($"""
            {Parts.Paragraph(t.ClassesNote)}
            {Parts.Table("classes", Html.Of($"""
            <thead><tr><th scope="col" rowspan="2">{t.Condition}</th><th scope="colgroup" colspan="2" class="group">{t.JudgedAsAskedName}</th><th scope="colgroup" colspan="2" class="group">{t.ProbabilityName}</th><th scope="colgroup" colspan="2" class="group">{t.EntropyName}</th></tr>
            <tr>{beforeAfter}{beforeAfter}{beforeAfter}</tr></thead>
            <tbody>{rows}</tbody>
            """))}
            {Parts.Paragraph(t.IntervalLegend)}
            """);
    }
}
