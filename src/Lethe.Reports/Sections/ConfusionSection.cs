using Lethe.Reports.Charts;
using Lethe.Reports.Markup;
using Lethe.Runs.Results;

namespace Lethe.Reports.Sections;

/// <summary>What the judge takes the forgotten concepts' samples for, as bars; and all conditions, as shaded tables.</summary>
internal static class ConfusionSection
{
    // Beyond this many classes a shaded table has no room for its names, and the bars show the largest only.
    private const int MostClasses = 20;

    public static Html Render(ReportContext context)
    {
        var t = context.Texts;
        var result = context.Result;
        var bars = context.Verdict.Concepts.Select(concept => Parts.Figure(t.ConfusionBars(concept.Request.Name), Parts.Half, width => Bars(context, concept).Render(width)));
        var intoNoise = context.Verdict.Concepts.Any(concept => concept.Request.Surrogate == Surrogates.Noise);
        var maps = result.Request.Labels.Count > MostClasses ? Html.Empty : Html.Of($"""
            {Parts.Pair(Map(context, t.Before, result.Confusion.Before), Map(context, t.After, result.Confusion.After))}{Parts.Paragraph(t.ConfusionMapNote)}
            """);
        return Html.Of($"{Parts.Pair(bars)}{Parts.Paragraph(t.ConfusionBarsNote)}{(intoNoise ? Parts.Paragraph(t.NoiseNote) : Html.Empty)}{maps}");
    }

    private static BarChart Bars(ReportContext context, ConceptVerdict concept)
    {
        var (before, after) = (context.Result.Confusion.Before[concept.Request.Label], context.Result.Confusion.After[concept.Request.Label]);
        var labels = Enumerable.Range(0, after.Count);
        if (after.Count > MostClasses)
            labels = labels.OrderByDescending(label => Math.Max(after[label], before[label])).Take(MostClasses).Order();
        var bars = labels.Select(label => new Bar(context.Name(label), after[label], Numbers.Percent(before[label], 1), Numbers.Percent(after[label], 1))
        {
            Mark = before[label],
            CssClass = label == concept.Request.Label ? "forget" : "after",
            Strong = label == concept.Request.Label || label == concept.Request.Target,
        });
        return new BarChart(context.Texts.ConfusionBars(concept.Request.Name), [.. bars])
        {
            Maximum = 1,
            Columns = [context.Texts.Before, context.Texts.After],
        };
    }

    private static Html Map(ReportContext context, string when, IReadOnlyList<IReadOnlyList<double>> values)
    {
        var t = context.Texts;
        var labels = context.Result.Request.Labels;
        var map = new HeatMap(t.HeatMapTitle(when), t.AskedFor, t.JudgedAs, labels, labels, values)
        {
            Marked = context.Result.Classes.Where(c => c.Role == Roles.Forgotten).Select(c => c.Label).ToHashSet(),
        };
        return Parts.Figure(t.HeatMapTitle(when), Parts.Half, map.Render);
    }
}
