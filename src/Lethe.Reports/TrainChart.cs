using Lethe.Reports.Charts;
using Lethe.Runs;

namespace Lethe.Reports;

/// <summary>The loss of a training run along its steps, as a drawing of its own; light or dark as its reader's system is.</summary>
public static class TrainChart
{
    private static readonly (string Css, Marker Marker)[] Looks = [("control", Marker.Circle), ("forget", Marker.Square), ("best", Marker.Diamond)];

    /// <summary>Draws it.</summary>
    /// <param name="title">The run's title.</param>
    /// <param name="curves">At least one with a finite point; at most three are told apart.</param>
    /// <returns>The SVG document, for a file in UTF-8.</returns>
    public static string Render(string title, IReadOnlyList<TrainCurve> curves)
    {
        var series = curves.Select((curve, k) => new LineSeries(
            curve.Name, [.. curve.Points.Where(point => double.IsFinite(point.Value)).Select(point => new LinePoint(point.Step, point.Value))], Looks[k % Looks.Length].Css, Looks[k % Looks.Length].Marker)).ToArray();
        var all = series.SelectMany(line => line.Points).ToArray();
        var y = Axis.Linear(all.Select(point => point.Y).DefaultIfEmpty(0).Min(), all.Select(point => point.Y).DefaultIfEmpty(1).Max(), 6);
        var chart = new LineChart(title, Axis.Fixed(0, Math.Max(1, all.Select(point => point.X).DefaultIfEmpty(1).Max())), y, "steps", "loss, nats a token", series)
        {
            FormatY = value => Numbers.Fixed(value, y.Decimals),
            FormatRange = (low, high) => $"{Numbers.Fixed(low, y.Decimals)} to {Numbers.Fixed(high, y.Decimals)}",
        };
        return chart.Draw(720, 400).Document("en");
    }
}
