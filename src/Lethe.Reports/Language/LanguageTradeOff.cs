using Lethe.Reports.Charts;
using Lethe.Reports.Markup;
using Lethe.Reports.Sections;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports.Language;

/// <summary>The trade-off of a sweep over a language model: what is left of the topic against what forgetting cost, with all points as a table.</summary>
internal static class LanguageTradeOff
{
    public static Html Render(SweepResult sweep, Texts t)
    {
        var varied = SweepNames.Varied(sweep);
        return Html.Of($"""
            {Parts.Paragraph(t.TradeOffNote(Numbers.Count(sweep.Points.Count), Numbers.Count(sweep.Points.Count(point => point.OnFront))))}
            {Parts.Figure(t.LmTradeOffChart, Parts.Wide, width => Chart(sweep, t).Draw(width, 360).Inline())}
            {Parts.Paragraph(t.Sentences([t.PointLabels(string.Join(", ", varied)), t.LmCostNote]))}
            {Table(sweep, varied, t)}
            """);
    }

    /// <summary>Swap accuracy against cost.</summary>
    public static ScatterChart Chart(SweepResult sweep, Texts t)
    {
        var named = new HashSet<string>();
        ScatterPoint[] points = [.. Points(sweep).Where(point => double.IsFinite(point.Cost)).Select(point =>
        {
            var name = SweepNames.Name(sweep, point);
            var cost = Math.Max(0, point.Cost);
            return new ScatterPoint(
                new Spread(point.Swap.Value, Numbers.Lower(point.Swap), Numbers.Upper(point.Swap)), new Spread(cost, cost, cost), named.Add(name) ? name : null, point.OnFront ? "best" : "other", Marker.Circle,
                $"{name} · {t.Seed} {point.Seed}: {Numbers.Percent(point.Swap.Value, 1)}, {Numbers.Fixed(point.Cost, 2)}");
        })];
        var y = Axis.Linear(0, points.Select(point => point.Y.High).DefaultIfEmpty(1).Append(1).Max());
        return new ScatterChart(t.LmTradeOffChart, Axis.Linear(points.Select(point => point.X.Low).DefaultIfEmpty(0).Min(), Math.Max(1, points.Select(point => point.X.High).DefaultIfEmpty(1).Max())), y, t.LmSwapAxis, t.LmCostAxis, points)
        {
            Level = (1, t.LmBound),
            FormatX = value => Numbers.Percent(value, 0),
            FormatY = value => Numbers.Fixed(value, y.Decimals),
        };
    }

    private static IEnumerable<LanguageSweepPoint> Points(SweepResult sweep) => sweep.Points.Cast<LanguageSweepPoint>();

    private static Html Table(SweepResult sweep, IReadOnlyList<string> varied, Texts t)
    {
        var share = Style.Share(1);
        var rows = Points(sweep).Select(point => Html.Of($"""
            <tr class="{(point.OnFront ? "best" : "other")}">{varied.Select(key => Html.Of($"<td class=\"num\">{SweepNames.Value(sweep, point, key)}</td>"))}<td class="num">{Numbers.Plain(point.Seed)}</td>{Parts.Cell(t, point.Swap, share)}{Parts.Cell(t, point.Margin, Style.Signed(2))}{Parts.Cell(t, point.GapClosed, share)}{Parts.Cell(t, point.Unseen, share)}{Parts.Cell(t, point.RetainChange, Style.SignedPoints(1))}<td class="num"><span class="v">{Numbers.Signed(100 * point.WorstChange, 1)}</span><span class="i">{point.WorstTopic}</span></td>{Parts.Cell(t, point.PerplexityChange, Style.SignedPoints(1))}<td class="num">{Numbers.Fixed(point.Cost, 2)}</td><td class="num">{t.Duration(point.ForgetSeconds)}</td><td>{(point.OnFront ? "●" : "")}</td><td><code>{point.Run}</code></td></tr>

            """));
        return Parts.Table("measures long", Html.Of($"""
            <thead><tr>{varied.Select(key => Html.Of($"<th scope=\"col\" class=\"num\"><code>{key}</code></th>"))}<th scope="col" class="num">{t.Seed}</th><th scope="col" class="num">{t.LmSwapName}</th><th scope="col" class="num">{t.LmMarginName}</th><th scope="col" class="num">{t.LmGapClosed}</th><th scope="col" class="num">{t.LmUnseenName}</th><th scope="col" class="num">{t.LmRetainColumn}</th><th scope="col" class="num">{t.LmWorstColumn}</th><th scope="col" class="num">{t.LmPerplexityColumn}</th><th scope="col" class="num">{t.LmCostColumn}</th><th scope="col" class="num">{t.StageForget}</th><th scope="col">{t.OnFront}</th><th scope="col">{t.Run}</th></tr></thead>
            <tbody>{rows}</tbody>
            """));
    }
}
