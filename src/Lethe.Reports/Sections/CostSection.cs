using Lethe.Reports.Charts;
using Lethe.Reports.Markup;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports.Sections;

/// <summary>What the run cost, stage by stage.</summary>
internal static class CostSection
{
    public static Html Render(CostResult cost, Texts t)
    {
        if (cost.Seconds.Count == 0)
            return Parts.Paragraph(Numbers.None);
        var cached = cost.Cached.ToHashSet();
        var chart = new BarChart(t.CostChart, [.. cost.Seconds.Select(stage => new Bar(t.Stage(stage.Key), stage.Value, t.Duration(stage.Value) + (cached.Contains(stage.Key) ? $" · {t.FromCache}" : ""))
        {
            CssClass = cached.Contains(stage.Key) ? "hollow" : "after",
        })]);
        return Html.Of($"""
            {Parts.Figure("", Parts.Wide, chart.Render)}
            {Parts.Paragraph(t.CostTotal(t.Duration(cost.Seconds.Values.Sum()), Numbers.Bytes(cost.PeakMemoryBytes)))}
            {(cached.Count > 0 ? Parts.Paragraph(t.CacheNote) : Html.Empty)}
            """);
    }
}
