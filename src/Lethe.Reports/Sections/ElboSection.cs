using Lethe.Reports.Charts;
using Lethe.Reports.Markup;
using Lethe.Runs.Results;

namespace Lethe.Reports.Sections;

/// <summary>−ELBO of real held-out images of every class before and after.</summary>
internal static class ElboSection
{
    public static Html Render(ReportContext context)
    {
        var t = context.Texts;
        var classes = context.Result.Classes;
        var chart = new BarChart(t.ElboChart, [.. classes.Select(c => new Bar(c.Name, c.After.NegativeElbo.Value, Numbers.Fixed(c.Before.NegativeElbo.Value, 1), Numbers.Fixed(c.After.NegativeElbo.Value, 1))
        {
            Mark = c.Before.NegativeElbo.Value,
            CssClass = c.Role == Roles.Forgotten ? "forget" : "after",
            Strong = c.Role == Roles.Forgotten,
        })])
        {
            Columns = [t.Before, t.After],
        };
        var rows = classes.Select(c => Html.Of($"""
            <tr class="{Parts.RoleClass(c.Role)}"><th scope="row"><span class="name">{c.Name}</span></th>{Parts.Cell(t, c.Before.NegativeElbo, Style.Plain(2))}{Parts.Cell(t, c.After.NegativeElbo, Style.Plain(2))}{Change(context, c)}</tr>

            """));
        var table = Parts.Table("measures", Html.Of($"""
            <thead><tr><th scope="col">{t.Condition}</th><th scope="col" class="num">{t.Before}</th><th scope="col" class="num">{t.After}</th><th scope="col" class="num">{t.Change}</th></tr></thead>
            <tbody>{rows}</tbody>
            """));
        var worst = classes.Where(c => c.Role == Roles.Retained).MaxBy(Rise)!;
        return Html.Of($"""
            {Parts.Paragraph(t.ElboNote)}
            <div class="pair"><div>{Parts.Figure(t.ElboChart, Parts.Half, chart.Render)}{Parts.Paragraph(t.ElboWorst(worst.Name, Numbers.Signed(Rise(worst), 2)))}</div>{table}</div>
            """);
    }

    private static double Rise(ClassResult c) => c.NegativeElboChange?.Value ?? c.After.NegativeElbo.Value - c.Before.NegativeElbo.Value;

    // The two measures share images and noise, so without the paired change the error of the difference is not known.
    private static Html Change(ReportContext context, ClassResult c) => c.NegativeElboChange is { } paired
        ? Parts.Cell(context.Texts, paired, Style.Signed(2))
        : Parts.Cell(Numbers.Signed(Rise(c), 2));
}
