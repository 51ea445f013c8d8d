using Lethe.Reports.Charts;
using Lethe.Reports.Markup;
using Lethe.Runs.Results;

namespace Lethe.Reports.Sections;

/// <summary>How fast real images bring each concept back, against a model that never learned it.</summary>
internal static class RelearningSection
{
    public static Html Render(ReportContext context)
    {
        var t = context.Texts;
        if (context.Result.Relearning is not { Count: > 0 } curves)
            return Parts.Paragraph(t.RelearningOff);
        var rows = curves.Select(curve => Html.Of($"""
            <tr><th scope="row">{context.Name(curve.Label)}</th>{Parts.Cell(Steps(curve.StepsForgotten, curve))}{Parts.Cell(Steps(curve.StepsControl, curve))}</tr>

            """));
        var kinds = curves.Select(curve => t.ControlWords(curve.ControlKind)).Distinct();
        return Html.Of($"""
            {Parts.Paragraph(t.RelearningNote(Numbers.Percent(curves[0].Threshold, 0)))}
            {Parts.Pair(curves.Select(curve => Parts.Figure(t.RelearningChart(context.Name(curve.Label)), Parts.Half, width => Chart(context, curve).Render(width, 280))))}
            {Parts.Table("measures", Html.Of($"""
            <thead><tr><th scope="col">{t.StepsUntilBack}</th><th scope="col" class="num">{t.ForgottenModel}</th><th scope="col" class="num">{t.ControlModel}</th></tr></thead>
            <tbody>{rows}</tbody>
            """))}
            {kinds.Select(kind => Parts.Paragraph(t.ControlIs(kind)))}
            {Parts.Details(t.CurveTable, Html.Join(curves.Select(curve => Points(context, curve))))}
            """);

        string Steps(long? steps, RelearnResult curve) => steps is { } reached ? Numbers.Count(reached) : t.NeverWithin(Numbers.Count(curve.MaximumSteps));
    }

    private static LineChart Chart(ReportContext context, RelearnResult curve)
    {
        var t = context.Texts;
        var steps = curve.Forgotten.Concat(curve.Control).Select(point => point.Step).ToArray();
        var last = steps.DefaultIfEmpty(1).Max();
        // Curves that are read more densely at first are drawn so, else their beginning would be a heap at the left.
        var dense = steps.Where(step => step > 0).DefaultIfEmpty(last).Min() * 20 < last;
        return new LineChart(
            t.RelearningChart(context.Name(curve.Label)), dense ? Axis.LogOnePlus(last) : Axis.Fixed(0, Math.Max(1, last)), Axis.Fixed(0, 1, 6), t.StepsOnRealImages,
            t.JudgedAsName(context.Name(curve.Label)),
            [
                new LineSeries(t.ForgottenModel, Line(curve.Forgotten), "forget", Marker.Circle),
                new LineSeries(t.ControlModel, Line(curve.Control), "control", Marker.Square),
            ])
        {
            Threshold = (curve.Threshold, t.ThresholdName(Numbers.Percent(curve.Threshold, 0))),
            FormatRange = (low, high) => t.Range(low, high, Style.Share(1).Value),
        };
    }

    private static LinePoint[] Line(IReadOnlyList<RelearnPoint> points) =>
        [.. points.OrderBy(p => p.Step).Select(p => new LinePoint(p.Step, p.Share.Value, p.Share.Interval?.Low, p.Share.Interval?.High))];

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
