namespace Lethe.Reports.Charts;

/// <summary>The frame of a chart with two axes: it draws grid, ticks and axis names, and maps values to pixels.</summary>
internal sealed class Plot
{
    private readonly Axis _x;
    private readonly Axis _y;

    /// <summary>Lays the frame out inside a drawing.</summary>
    /// <param name="x">Horizontal axis.</param>
    /// <param name="y">Vertical axis.</param>
    /// <param name="width">Width of the drawing.</param>
    /// <param name="height">Height of the drawing.</param>
    /// <param name="left">Room on the left, for tick labels.</param>
    /// <param name="right">Room on the right, for direct labels.</param>
    public Plot(Axis x, Axis y, double width, double height, double left, double right)
    {
        (_x, _y) = (x, y);
        (Left, Right, Top, Bottom) = (left, width - right, 26, height - 42);
    }

    /// <summary>Left edge of the frame.</summary>
    public double Left { get; }
    /// <summary>Right edge.</summary>
    public double Right { get; }
    /// <summary>Upper edge; the name of the vertical axis stands above it.</summary>
    public double Top { get; }
    /// <summary>Lower edge.</summary>
    public double Bottom { get; }

    /// <summary>Pixel of a value on the horizontal axis.</summary>
    public double X(double value) => Left + _x.Position(value) * (Right - Left);

    /// <summary>Pixel of a value on the vertical axis.</summary>
    public double Y(double value) => Bottom - _y.Position(value) * (Bottom - Top);

    /// <summary>Draws grid, ticks and the names of the axes. The vertical axis is named above it, upright, where it is read first.</summary>
    public void Draw(Svg svg, string xName, string yName, Func<double, string> formatX, Func<double, string> formatY)
    {
        foreach (var tick in _y.Ticks)
        {
            svg.Line(Left, Y(tick), Right, Y(tick), "grid");
            svg.Text(Left - 7, Y(tick) + 4, formatY(tick), "tick", Anchor.End);
        }
        foreach (var tick in _x.Ticks)
        {
            svg.Line(X(tick), Bottom, X(tick), Bottom + 4, "axis");
            svg.Text(X(tick), Bottom + 17, formatX(tick), "tick", Anchor.Middle);
        }
        svg.Line(Left, Bottom, Right, Bottom, "axis");
        svg.Text(0, 12, yName, "axisname");
        svg.Text(Right, Bottom + 35, xName, "axisname", Anchor.End);
    }

    /// <summary>Room that the tick labels of a vertical axis need.</summary>
    public static double RoomFor(Axis y, Func<double, string> format) =>
        12 + y.Ticks.Max(tick => TextWidth.Of(format(tick), Svg.FontSize));
}
