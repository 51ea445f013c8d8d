using Lethe.Reports.Charts;
using Lethe.Reports.Markup;
using Lethe.Reports.Sections;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports.Language;

/// <summary>How the configurations of a study came to be chosen: all that were tried, what single options do, what that cost, and what nobody searched.</summary>
internal static class StudyTuningSections
{
    public static Html Tried(StudyResult study, Texts t)
    {
        var rows = study.Methods.SelectMany(method => method.Configurations.Select(own => Html.Of($"""
            <tr class="{(own.Chosen ? "best" : "other")}"><th scope="row">{method.Name}</th><td>{own.Name}</td>{Figures(own.Rounds.LastOrDefault(), t)}<td>{(own.Chosen ? t.StChosenWord : own.FellInRound is { } round ? t.StFell(Numbers.Count(round)) : t.StCameToChoice)}</td></tr>

            """)));
        return Html.Of($"""
            {Parts.Paragraph(t.StTradeOffNote)}
            {Parts.Figure(t.LmTradeOffChart, Parts.Wide, width => Chart(study, t).Draw(width, 400).Inline())}
            {Parts.Paragraph(t.LmCostNote)}
            {Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\">{t.StMethod}</th><th scope=\"col\">{t.StConfiguration}</th>{Head(t)}<th scope=\"col\">{t.StFate}</th></tr></thead><tbody>{rows}</tbody>"))}
            """);
    }

    public static Html Sensitivity(StudySensitivity sensitivity, string topic, Texts t)
    {
        var rows = sensitivity.Changes.Select(row => Html.Of($"<tr><th scope=\"row\"><code>{row.Path}</code></th><td>{OptionText.Of(row.Value)}</td>{Figures(row.Reading, t)}</tr>\n"));
        return Html.Of($"""
            {Parts.Paragraph(t.StSensitivityNote(sensitivity.Method, topic))}
            {Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\">{t.StOption}</th><th scope=\"col\">{t.StValue}</th>{Head(t)}</tr></thead><tbody><tr class=\"best\"><th scope=\"row\">{t.StAsChosen}</th><td></td>{Figures(sensitivity.Base, t)}</tr>\n{rows}</tbody>"))}
            """);
    }

    public static Html Budget(StudyResult study, Texts t)
    {
        var rows = study.Methods.Select(method => Html.Of($"<tr><th scope=\"row\">{method.Name}</th>{Parts.Cell(Numbers.Count(method.Budget.Configurations))}{Parts.Cell(Numbers.Count(method.Budget.Runs))}{Parts.Cell(t.Duration(method.Budget.Seconds))}{Parts.Cell(Numbers.Count(method.Budget.Tokens))}</tr>\n"));
        return Html.Of($"""
            {Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\">{t.StMethod}</th><th scope=\"col\" class=\"num\">{t.StConfigurations}</th><th scope=\"col\" class=\"num\">{t.StRuns}</th><th scope=\"col\" class=\"num\">{t.StSeconds}</th><th scope=\"col\" class=\"num\">{t.LmTokensSeen}</th></tr></thead><tbody>{rows}</tbody>"))}
            {Parts.Paragraph(t.StBudgetNote)}
            """);
    }

    public static Html NotSearched(StudyResult study, Texts t)
    {
        var rows = study.Methods.Select(method => Html.Of($"<tr><th scope=\"row\">{method.Name}</th><td>{string.Join(", ", method.NotSearched.Select(option => $"{option.Key}: {OptionText.Of(option.Value)}"))}</td></tr>\n"));
        return Html.Of($"""
            {Parts.Paragraph(t.StNotSearchedNote)}
            {Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\">{t.StMethod}</th><th scope=\"col\">{t.StFixed}</th></tr></thead><tbody>{rows}</tbody>"))}
            """);
    }

    /// <summary>Swap accuracy against cost, on the topic of tuning: chosen configurations large and named.</summary>
    private static ScatterChart Chart(StudyResult study, Texts t)
    {
        ScatterPoint[] points = [.. study.Methods.SelectMany(method => method.Configurations.Select(own => (Method: method, Own: own, own.Rounds.LastOrDefault()?.Figures)))
            .Where(entry => entry.Figures is { } figures && double.IsFinite(figures.Cost)).OrderBy(entry => entry.Own.Chosen).Select(entry =>
            {
                var (figures, chosen) = (entry.Figures!, entry.Own.Chosen);
                // Beyond ten bounds it does not matter any more by how much.
                var cost = Math.Clamp(figures.Cost, 0, 10);
                return new ScatterPoint(new Spread(figures.Swap, figures.Swap, figures.Swap), new Spread(cost, cost, cost), chosen ? entry.Method.Name : null,
                    entry.Method.Role == "proposed" ? "this" : chosen ? "best" : "other", entry.Method.Role switch { "proposed" => Marker.Diamond, "control" => Marker.Square, _ => Marker.Circle },
                    $"{entry.Method.Name} · {entry.Own.Name}: {Numbers.Percent(figures.Swap, 1)}, {Numbers.Fixed(figures.Cost, 2)}") { Radius = chosen ? 5.5 : 2.5 };
            })];
        var y = Axis.Linear(0, points.Select(point => point.Y.High).Append(1).Max());
        return new ScatterChart(t.LmTradeOffChart, Axis.Linear(points.Select(point => point.X.Low).DefaultIfEmpty(0).Min(), points.Select(point => point.X.High).DefaultIfEmpty(1).Max()), y, t.LmSwapAxis, t.LmCostAxis, points)
        {
            Level = (1, t.LmBound),
            FormatX = value => Numbers.Percent(value, 0),
            FormatY = value => Numbers.Fixed(value, y.Decimals),
        };
    }

    private static Html Head(Texts t) => Html.Of($"<th scope=\"col\" class=\"num\">{t.LmGapClosed}</th><th scope=\"col\" class=\"num\">{t.LmSwapName}</th><th scope=\"col\" class=\"num\">{t.LmRetainColumn}</th><th scope=\"col\" class=\"num\">{t.StWorstNeighbour}</th><th scope=\"col\" class=\"num\">{t.LmPerplexityColumn}</th><th scope=\"col\" class=\"num\">{t.LmCostColumn}</th><th scope=\"col\">{t.StBroken}</th>");

    private static Html Figures(StudyReading? reading, Texts t)
    {
        if (reading?.Figures is not { } figures)
            return Html.Of($"<td colspan=\"6\"></td><td>{string.Join(" ", reading?.Failed ?? [t.StFailed])}</td>");
        return Html.Of($"{Parts.Cell(Numbers.Percent(figures.GapClosed, 1))}{Parts.Cell(Numbers.Percent(figures.Swap, 1))}{Parts.Cell(Numbers.Signed(100 * figures.RetainChange, 1))}<td class=\"num\"><span class=\"v\">{Numbers.Signed(100 * figures.WorstNeighbourChange, 1)}</span><span class=\"i\">{figures.WorstNeighbour}</span></td>{Parts.Cell(Numbers.Signed(100 * figures.PerplexityChange, 1))}{Parts.Cell(Numbers.Fixed(figures.Cost, 2))}<td>{StudyTopicSections.Broken(reading, t)}</td>");
    }
}
