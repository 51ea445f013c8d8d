using Lethe.Evaluation;
using Lethe.Reports.Charts;
using Lethe.Reports.Markup;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports.Sections;

/// <summary>How fast real images bring each concept back, against a control.</summary>
internal static class RelearningSection
{
    private const double Height = 270;

    public static Html Render(ReportContext context)
    {
        var t = context.Texts;
        if (context.Result.Relearning is not { Count: > 0 } curves)
            return Parts.Paragraph(t.RelearningOff);
        var rows = curves.SelectMany(curve => Rows(context, curve));
        var kinds = curves.Select(curve => t.ControlWords(curve.ControlKind)).Distinct();
        return Html.Of($"""
            {Parts.Paragraph(t.RelearningNote(Numbers.Percent(curves[0].Threshold, 0)))}
            {Parts.Pair(curves.SelectMany(curve => new[]
            {
                Parts.Figure(t.RelearningChart(context.Name(curve.Label)), Parts.Half, width => Samples(context, curve).Render(width, Height)),
                Parts.Figure(t.RelearningElboChart(context.Name(curve.Label)), Parts.Half, width => RealImages(context, curve).Render(width, Height)),
            }))}
            {Parts.Paragraph(t.RelearningSamplesNote)}
            {Parts.Table("measures", Html.Of($"""
            <thead><tr><th scope="col">{t.StepsUntilBack}</th><th scope="col" class="num">{t.ForgottenModel}</th><th scope="col" class="num">{t.ControlModel}</th></tr></thead>
            <tbody>{rows}</tbody>
            """))}
            {kinds.Select(kind => Parts.Paragraph(t.ControlIs(kind)))}
            {Parts.Details(t.CurveTable, Html.Join(curves.Select(curve => Points(context, curve))))}
            """);
    }

    private static IEnumerable<Html> Rows(ReportContext context, RelearnResult curve)
    {
        var t = context.Texts;
        yield return Row(t.BySamples, curve.StepsForgotten, curve.StepsControl);
        if (curve.ExplainedNats is not null)
            yield return Row(t.ByRealImages, curve.ExplainedForgotten, curve.ExplainedControl);

        Html Row(string by, long? forgotten, long? control) =>
            Html.Of($"<tr><th scope=\"row\">{context.Name(curve.Label)} · {by}</th>{Parts.Cell(Steps(forgotten))}{Parts.Cell(Steps(control))}</tr>\n");

        string Steps(long? steps) => steps is { } reached ? Numbers.Count(reached) : t.NeverWithin(Numbers.Count(curve.MaximumSteps));
    }

    private static LineChart Samples(ReportContext context, RelearnResult curve)
    {
        var t = context.Texts;
        return new LineChart(t.RelearningChart(context.Name(curve.Label)), StepAxis(curve), Axis.Fixed(0, 1, 6), t.StepsOnRealImages, t.JudgedAsName(context.Name(curve.Label)), Lines(t, curve, point => point.Share))
        {
            Threshold = (curve.Threshold, t.ThresholdName(Numbers.Percent(curve.Threshold, 0))),
            FormatRange = (low, high) => t.Range(low, high, Style.Share(1).Value),
        };
    }

    private static LineChart RealImages(ReportContext context, RelearnResult curve)
    {
        var t = context.Texts;
        var lines = Lines(t, curve, point => point.NegativeElbo);
        var all = lines.SelectMany(line => line.Points).ToArray();
        double[] levels = curve.ExplainedNats is { } nats ? [nats] : [];
        var y = Axis.Linear(all.Select(p => p.Low ?? p.Y).Concat(levels).DefaultIfEmpty(0).Min(), all.Select(p => p.High ?? p.Y).Concat(levels).DefaultIfEmpty(1).Max(), 6);
        return new LineChart(t.RelearningElboChart(context.Name(curve.Label)), StepAxis(curve), y, t.StepsOnRealImages, t.ElboName, lines)
        {
            Threshold = curve.ExplainedNats is { } level ? (level, t.ExplainedName(Numbers.Fixed(level, 0))) : null,
            FormatY = value => Numbers.Fixed(value, y.Decimals),
            FormatRange = (low, high) => t.Range(low, high, Style.Plain(1).Value),
        };
    }

    private static Axis StepAxis(RelearnResult curve)
    {
        var steps = curve.Forgotten.Concat(curve.Control).Select(point => point.Step).ToArray();
        var last = steps.DefaultIfEmpty(1).Max();
        // Curves that are read more densely at first are drawn so, else their beginning would be a heap at the left.
        var dense = steps.Where(step => step > 0).DefaultIfEmpty(last).Min() * 20 < last;
        return dense ? Axis.LogOnePlus(last) : Axis.Fixed(0, Math.Max(1, last));
    }

    private static LineSeries[] Lines(Texts t, RelearnResult curve, Func<RelearnPoint, Measure> of) =>
    [
        new LineSeries(t.ForgottenModel, Line(curve.Forgotten, of), "forget", Marker.Circle),
        new LineSeries(t.ControlModel, Line(curve.Control, of), "control", Marker.Square),
    ];

    private static LinePoint[] Line(IReadOnlyList<RelearnPoint> points, Func<RelearnPoint, Measure> of) =>
        [.. points.Where(p => double.IsFinite(of(p).Value)).OrderBy(p => p.Step).Select(p => new LinePoint(p.Step, of(p).Value, Numbers.Lower(of(p)), Numbers.Upper(of(p))))];

    private static Html Points(ReportContext context, RelearnResult curve)
    {
        var t = context.Texts;
        var control = curve.Control.ToDictionary(p => p.Step);
        var forgotten = curve.Forgotten.ToDictionary(p => p.Step);
        var rows = forgotten.Keys.Union(control.Keys).Order().Select(step => Html.Of($"""
            <tr><th scope="row" class="num">{Numbers.Count(step)}</th>{Cells(forgotten.GetValueOrDefault(step))}{Cells(control.GetValueOrDefault(step))}</tr>

            """));
        return Parts.Table("measures long", Html.Of($"""
            <thead><tr><th scope="col" rowspan="2">{context.Name(curve.Label)}<br />{t.StepsColumn}</th><th scope="colgroup" colspan="2" class="group">{t.ForgottenModel}</th><th scope="colgroup" colspan="2" class="group">{t.ControlModel}</th></tr>
            <tr><th scope="col" class="num">{t.JudgedAs}</th><th scope="col" class="num">{t.ElboName}</th><th scope="col" class="num">{t.JudgedAs}</th><th scope="col" class="num">{t.ElboName}</th></tr></thead>
            <tbody>{rows}</tbody>
            """));

        Html Cells(RelearnPoint? point) => Html.Of($"{Parts.Cell(t, point?.Share, Style.Share(1))}{Parts.Cell(t, point?.NegativeElbo, Style.Plain(1))}");
    }
}
