using Lethe.Reports.Charts;
using Lethe.Reports.Markup;
using Lethe.Reports.Sections;

namespace Lethe.Reports.Language;

/// <summary>How far each edited tensor of a language model moved.</summary>
internal static class LanguageMovedSection
{
    private const int Shown = 16;

    public static Html Render(LanguageContext context)
    {
        var t = context.Texts;
        var moved = context.Result.Moved;
        if (moved.Count == 0)
            return Parts.Paragraph(Numbers.None);
        var chart = new BarChart(t.MovedRelativeChart, [.. moved.OrderByDescending(tensor => tensor.Relative).Take(Shown).Select(tensor => new Bar(tensor.Name, tensor.Relative, Numbers.Percent(tensor.Relative, 2)))]);
        var rows = moved.Select(tensor => Html.Of($"""
            <tr><th scope="row"><code>{tensor.Name}</code></th><td>{string.Join(" × ", tensor.Shape.Select(Numbers.Plain))}</td>{Parts.Cell(Numbers.Significant(tensor.Norm))}{Parts.Cell(Numbers.Percent(tensor.Relative, 2))}{Parts.Cell(Numbers.Significant(tensor.Largest))}</tr>

            """));
        return Html.Of($"""
            {Parts.Paragraph(t.LmMovedNote)}
            {Parts.Figure(t.MovedRelativeChart, Parts.Wide, chart.Render)}
            {Parts.Details(t.MovedTable(moved.Count), Parts.Table("measures long", Html.Of($"<thead><tr><th scope=\"col\">{t.Tensor}</th><th scope=\"col\">{t.Shape}</th><th scope=\"col\" class=\"num\">{t.NormColumn}</th><th scope=\"col\" class=\"num\">{t.RelativeColumn}</th><th scope=\"col\" class=\"num\">{t.LargestColumn}</th></tr></thead><tbody>{rows}</tbody>")))}
            """);
    }
}
