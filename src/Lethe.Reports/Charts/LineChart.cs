using Lethe.Reports.Markup;

namespace Lethe.Reports.Charts;

/// <summary>A point of a line, with what its interval leaves possible.</summary>
internal readonly record struct LinePoint(double X, double Y, double? Low = null, double? High = null);

/// <summary>A line: name, points in ascending order of X, class of its colour, shape of its points.</summary>
internal sealed record LineSeries(string Name, IReadOnlyList<LinePoint> Points, string CssClass, Marker Marker);

/// <summary>Lines with interval bands, named at their ends instead of in a legend.</summary>
internal sealed record LineChart(string Label, Axis X, Axis Y, string XName, string YName, IReadOnlyList<LineSeries> Series)
{
    /// <summary>A level that matters, with its name.</summary>
    public (double Value, string Name)? Threshold { get; init; }

    /// <summary>How ticks of the horizontal axis are written.</summary>
    public Func<double, string> FormatX { get; init; } = value => Numbers.Count((long)value);

    /// <summary>How ticks and tips of the vertical axis are written.</summary>
    public Func<double, string> FormatY { get; init; } = value => Numbers.Percent(value, 0);

    /// <summary>How a range of the vertical axis is written in tips.</summary>
    public required Func<double, double, string> FormatRange { get; init; }

    /// <summary>The chart for a page.</summary>
    public Html Render(double width, double height) => Draw(width, height).Inline();

    /// <summary>Draws the chart.</summary>
    public Svg Draw(double width, double height)
    {
        var svg = new Svg(width, height, Label);
        // A narrow drawing has no room beside the plot: names go into a corner of it instead.
        var beside = width >= 480;
        var right = beside ? 10 + Series.Max(series => TextWidth.Of(series.Name, Svg.FontSize)) : 10;
        var plot = new Plot(X, Y, width, height, Plot.RoomFor(Y, FormatY), right);
        plot.Draw(svg, XName, YName, FormatX, FormatY);
        if (Threshold is { } threshold)
        {
            svg.Line(plot.Left, plot.Y(threshold.Value), plot.Right, plot.Y(threshold.Value), "threshold");
            svg.Text(plot.Left + 6, plot.Y(threshold.Value) - 5, threshold.Name, "remark");
        }
        foreach (var series in Series)
            DrawBand(svg, plot, series);
        foreach (var series in Series)
            DrawLine(svg, plot, series);
        if (beside)
            NameAtEnds(svg, plot);
        else
            NameInside(svg, plot);
        return svg;
    }

    private static void DrawBand(Svg svg, Plot plot, LineSeries series)
    {
        var banded = series.Points.Where(p => p is { Low: not null, High: not null }).ToArray();
        var upper = banded.Select(p => (plot.X(p.X), plot.Y(p.High!.Value)));
        var lower = banded.Reverse().Select(p => (plot.X(p.X), plot.Y(p.Low!.Value)));
        svg.Path(upper.Concat(lower), $"band {series.CssClass}", closed: true);
    }

    private void DrawLine(Svg svg, Plot plot, LineSeries series)
    {
        svg.Path(series.Points.Select(p => (plot.X(p.X), plot.Y(p.Y))), $"line {series.CssClass}");
        foreach (var p in series.Points)
        {
            var range = p is { Low: { } low, High: { } high } ? $" ({FormatRange(low, high)})" : "";
            svg.Marker(series.Marker, plot.X(p.X), plot.Y(p.Y), 3, $"point {series.CssClass}", $"{series.Name}: {FormatX(p.X)} → {FormatY(p.Y)}{range}");
        }
    }

    private void NameAtEnds(Svg svg, Plot plot)
    {
        // From the top down, each name at least a line below the one before.
        var lowest = double.NegativeInfinity;
        foreach (var series in Series.Where(s => s.Points.Count > 0).OrderBy(s => plot.Y(s.Points[^1].Y)))
        {
            lowest = Math.Max(lowest + 15, plot.Y(series.Points[^1].Y) + 4);
            svg.Text(plot.Right + 8, lowest, series.Name, $"direct {series.CssClass}");
        }
    }

    private void NameInside(Svg svg, Plot plot)
    {
        var wide = 22 + Series.Max(series => TextWidth.Of(series.Name, Svg.FontSize));
        var high = 15.0 * Series.Count + 4;
        // The corner that the lines touch least; a rising curve leaves the upper left one free.
        (double Left, double Top)[] corners =
        [
            (plot.Left + 6, plot.Top + 4), (plot.Right - wide, plot.Bottom - high - 4), (plot.Right - wide, plot.Top + 4), (plot.Left + 6, plot.Bottom - high - 4),
        ];
        var (left, top) = corners.MinBy(corner => Series.Sum(series => Crossings(plot, series, corner.Left, corner.Top, corner.Left + wide, corner.Top + high)));
        foreach (var series in Series)
        {
            top += 15;
            svg.Marker(series.Marker, left + 6, top - 4, 3, $"point {series.CssClass}");
            svg.Text(left + 14, top, series.Name, $"direct {series.CssClass}");
        }
    }

    // How many of the places along a line lie inside a box.
    private static int Crossings(Plot plot, LineSeries series, double left, double top, double right, double bottom)
    {
        const int Places = 16;
        var count = 0;
        for (var i = 1; i < series.Points.Count; i++)
        {
            var (a, b) = (series.Points[i - 1], series.Points[i]);
            for (var k = 0; k <= Places; k++)
            {
                var x = plot.X(a.X) + (double)k / Places * (plot.X(b.X) - plot.X(a.X));
                var y = plot.Y(a.Y) + (double)k / Places * (plot.Y(b.Y) - plot.Y(a.Y));
                if (x > left && x < right && y > top && y < bottom)
                    count++;
            }
        }
        return count;
    }
}
