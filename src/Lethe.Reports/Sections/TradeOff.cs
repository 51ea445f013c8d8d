using Lethe.Evaluation;
using Lethe.Reports.Charts;
using Lethe.Reports.Markup;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports.Sections;

/// <summary>The trade-off of a sweep: forgetting against −ELBO, and against accuracy, of what had to stay; with all its points as a table.</summary>
internal static class TradeOff
{
    /// <summary>Both charts, and the table.</summary>
    /// <param name="sweep">The sweep.</param>
    /// <param name="run">The run that is being reported, to mark it; null on a page of the sweep alone.</param>
    /// <param name="t">The language.</param>
    /// <param name="open">Whether the table stands open.</param>
    public static Html Render(SweepResult sweep, ImageUnlearnResult? run, Texts t, bool open)
    {
        var varied = SweepNames.Varied(sweep);
        var seeds = sweep.Points.Select(p => p.Seed).Distinct().Count();
        var table = Table(sweep, varied, t);
        return Html.Of($"""
            {Parts.Paragraph(t.TradeOffNote(Numbers.Count(sweep.Points.Count), Numbers.Count(sweep.Points.Count(p => p.OnFront))))}
            {Parts.Pair(Parts.Figure(t.TradeOffElboChart, Parts.Half, width => Elbo(sweep, run, t).Draw(width, 320).Inline()), Parts.Figure(t.TradeOffChart, Parts.Half, width => Accuracy(sweep, run, t).Draw(width, 320).Inline()))}
            {Parts.Paragraph(t.Sentences(seeds > 1 ? [t.PointLabels(string.Join(", ", varied)), t.SeedsMean(Numbers.Count(seeds))] : [t.PointLabels(string.Join(", ", varied))]))}
            {(open ? table : Parts.Details(t.AllPoints, table))}
            """);
    }

    private static ScatterChart Accuracy(SweepResult sweep, ImageUnlearnResult? run, Texts t)
    {
        var points = Points(sweep, run, t, p => p.RetainAccuracy, r => r.Retain.AccuracyAfter, Style.Share(1));
        double[] levels = run is null ? [] : [run.Retain.AccuracyBefore.Value];
        var y = Axis.Linear(
            points.Select(p => p.Y.Low).Concat(levels).DefaultIfEmpty(0).Min(), Math.Min(1, points.Select(p => p.Y.High).Concat(levels).DefaultIfEmpty(1).Max()));
        return new ScatterChart(t.TradeOffChart, ForgetAxis(points), y, t.ForgetAxis, t.AccuracyAxis, points)
        {
            Level = run is null ? null : (run.Retain.AccuracyBefore.Value, t.Before),
            FormatX = value => Numbers.Percent(value, 0),
            FormatY = value => Numbers.Percent(value, Math.Max(0, y.Decimals - 2)),
        };
    }

    /// <summary>Forgetting against −ELBO, the main chart.</summary>
    public static ScatterChart Elbo(SweepResult sweep, ImageUnlearnResult? run, Texts t)
    {
        var points = Points(sweep, run, t, p => p.RetainElboChange, r => r.Retain.NegativeElboChange, Style.Signed(2));
        var x = ForgetAxis(points);
        var y = Axis.Linear(Math.Min(0, points.Select(p => p.Y.Low).DefaultIfEmpty(0).Min()), points.Select(p => p.Y.High).DefaultIfEmpty(1).Max());
        return new ScatterChart(t.TradeOffElboChart, x, y, t.ForgetAxis, t.ElboAxis, points)
        {
            Front = Staircase(sweep),
            FormatX = value => Numbers.Percent(value, 0),
            FormatY = value => Numbers.Signed(value, y.Decimals),
        };
    }

    private static Axis ForgetAxis(IReadOnlyList<ScatterPoint> points) => Axis.Linear(0, points.Select(p => p.X.High).DefaultIfEmpty(1).Max());

    private static List<ScatterPoint> Points(SweepResult sweep, ImageUnlearnResult? run, Texts t, Func<ImageSweepPoint, Measure> ofPoint, Func<ImageUnlearnResult, Measure> ofRun, Style style)
    {
        var named = new HashSet<string>();
        List<ScatterPoint> points = [];
        foreach (var point in Images(sweep))
        {
            var name = SweepNames.Name(sweep, point);
            var isRun = run is not null && point.Run == run.Run.Id;
            // Repetitions with other seeds go unnamed: the first of them bears the name.
            var first = named.Add(name);
            var label = isRun ? $"{t.ThisRun} ({name})" : first ? name : null;
            points.Add(new ScatterPoint(
                Spread(point.Share), Spread(ofPoint(point)), label, isRun ? "this" : point.OnFront ? "best" : "other", isRun ? Marker.Diamond : Marker.Circle,
                Tip($"{name} · {t.Seed} {point.Seed}", point.Share, ofPoint(point))));
        }
        // The run being reported is drawn last, over the others.
        points = [.. points.OrderBy(point => point.Marker == Marker.Diamond)];
        if (run is not null && sweep.Points.All(p => p.Run != run.Run.Id))
            points.Add(new ScatterPoint(Spread(run.Forget.Share), Spread(ofRun(run)), t.ThisRun, "this", Marker.Diamond, Tip(t.ThisRun, run.Forget.Share, ofRun(run))));
        points.RemoveAll(point => !double.IsFinite(point.X.Value) || !double.IsFinite(point.Y.Value));
        return points;

        string Tip(string name, Measure forget, Measure keep) => $"{name}: {Numbers.Percent(forget.Value, 2)}, {style.Value(keep.Value)}";
        static Spread Spread(Measure measure) => new(measure.Value, Numbers.Lower(measure), Numbers.Upper(measure));
    }

    // What the front leaves possible: up to the next point's share, no smaller rise than this one's.
    private static IReadOnlyList<(double X, double Y)> Staircase(SweepResult sweep)
    {
        List<(double X, double Y)> corners = [];
        foreach (var point in Images(sweep).Where(p => p.OnFront).OrderBy(p => p.Share.Value))
        {
            if (corners.Count > 0)
                corners.Add((point.Share.Value, corners[^1].Y));
            corners.Add((point.Share.Value, point.RetainElboChange.Value));
        }
        return corners;
    }

    private static IEnumerable<ImageSweepPoint> Images(SweepResult sweep) => sweep.Points.Cast<ImageSweepPoint>();

    private static Html Table(SweepResult sweep, IReadOnlyList<string> varied, Texts t)
    {
        var rows = Images(sweep).Select(p => Html.Of($"""
            <tr class="{(p.OnFront ? "best" : "other")}">{varied.Select(key => Html.Of($"<td class=\"num\">{SweepNames.Value(sweep, p, key)}</td>"))}<td class="num">{Numbers.Plain(p.Seed)}</td>{Parts.Cell(t, p.Forget, Style.Plain(4))}{Parts.Cell(t, p.Share, Style.Share(2))}{Parts.Cell(t, p.RetainAccuracy, Style.Share(2))}{Parts.Cell(t, p.RetainElboChange, Style.Signed(2))}<td>{(p.OnFront ? "●" : "")}</td><td><code>{p.Run}</code></td></tr>

            """));
        return Parts.Table("measures long", Html.Of($"""
            <thead><tr>{varied.Select(key => Html.Of($"<th scope=\"col\" class=\"num\"><code>{key}</code></th>"))}<th scope="col" class="num">{t.Seed}</th><th scope="col" class="num">{t.ForgetColumn}</th><th scope="col" class="num">{t.ShareColumn}</th><th scope="col" class="num">{t.AccuracyColumn}</th><th scope="col" class="num">{t.ElboColumn}</th><th scope="col">{t.OnFront}</th><th scope="col">{t.Run}</th></tr></thead>
            <tbody>{rows}</tbody>
            """));
    }
}
