using Lethe.Reports.Charts;
using Lethe.Reports.Markup;

namespace Lethe.Reports.Sections;

/// <summary>How far each tensor moved, and how much of that the samples of the base model depend on.</summary>
internal static class MovedSection
{
    private const int Shown = 16;

    public static Html Render(ReportContext context)
    {
        var t = context.Texts;
        var all = context.Result.Moved;
        if (all.Count == 0)
            return Parts.Paragraph(Numbers.None);
        // The ones that moved most, in the order of the checkpoint, so that layers stand together.
        var chosen = all.OrderByDescending(tensor => tensor.Relative).Take(Shown).ToHashSet();
        var shown = all.Where(chosen.Contains).ToArray();
        var total = all.Sum(tensor => tensor.FisherWeighted);
        var relative = new BarChart(t.MovedRelativeChart, [.. shown.Select(tensor => new Bar(tensor.Name, tensor.Relative, Numbers.Percent(tensor.Relative, 1)))]);
        var weighted = new BarChart(t.MovedFisherChart, [.. shown.Select(tensor => new Bar(tensor.Name, Part(tensor.FisherWeighted), Numbers.Percent(Part(tensor.FisherWeighted), 1)))]);
        var rows = all.Select(tensor => Html.Of($"""
            <tr><th scope="row"><code>{tensor.Name}</code></th><td>{string.Join(" × ", tensor.Shape.Select(Numbers.Plain))}</td>{Parts.Cell(Numbers.Significant(tensor.Norm))}{Parts.Cell(Numbers.Percent(tensor.Relative, 2))}{Parts.Cell(Numbers.Significant(tensor.FisherWeighted))}{Parts.Cell(Numbers.Significant(tensor.Largest))}</tr>

            """));
        var table = Parts.Table("measures long", Html.Of($"""
            <thead><tr><th scope="col">{t.Tensor}</th><th scope="col">{t.Shape}</th><th scope="col" class="num">{t.NormColumn}</th><th scope="col" class="num">{t.RelativeColumn}</th><th scope="col" class="num">{t.FisherColumn}</th><th scope="col" class="num">{t.LargestColumn}</th></tr></thead>
            <tbody>{rows}</tbody>
            """));
        return Html.Of($"""
            {Parts.Paragraph(t.MovedNote)}
            {Parts.Pair(Parts.Figure(t.MovedRelativeChart, Parts.Half, relative.Render), Parts.Figure(t.MovedFisherChart, Parts.Half, weighted.Render))}
            {(all.Count > Shown ? Parts.Paragraph(t.MovedTop(Shown, all.Count)) : Html.Empty)}
            {Parts.Details(t.MovedTable(all.Count), table)}
            """);

        double Part(double weightedChange) => total > 0 ? weightedChange / total : 0;
    }
}
