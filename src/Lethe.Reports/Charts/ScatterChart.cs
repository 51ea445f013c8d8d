using Lethe.Reports.Markup;

namespace Lethe.Reports.Charts;

/// <summary>A value with what its interval leaves possible.</summary>
internal readonly record struct Spread(double Value, double Low, double High);

/// <summary>A point with error bars both ways; its label stands beside it where there is room.</summary>
internal sealed record ScatterPoint(Spread X, Spread Y, string? Label, string CssClass, Marker Marker, string Tip)
{
    /// <summary>Its marker's radius, pixels.</summary>
    public double Radius { get; init; } = 4;
}

/// <summary>Points with error bars and, if given, the line that joins those which nothing beats.</summary>
internal sealed record ScatterChart(string Label, Axis X, Axis Y, string XName, string YName, IReadOnlyList<ScatterPoint> Points)
{
    /// <summary>Corners of the front, in values; empty for none.</summary>
    public IReadOnlyList<(double X, double Y)> Front { get; init; } = [];

    /// <summary>A level of the vertical axis that matters, with its name.</summary>
    public (double Value, string Name)? Level { get; init; }

    /// <summary>How ticks of the horizontal axis are written.</summary>
    public required Func<double, string> FormatX { get; init; }

    /// <summary>How ticks of the vertical axis are written.</summary>
    public required Func<double, string> FormatY { get; init; }

    /// <summary>Draws the chart.</summary>
    public Svg Draw(double width, double height)
    {
        var svg = new Svg(width, height, Label);
        var plot = new Plot(X, Y, width, height, Plot.RoomFor(Y, FormatY), 14);
        plot.Draw(svg, XName, YName, FormatX, FormatY);
        if (Level is { } level)
            svg.Line(plot.Left, plot.Y(level.Value), plot.Right, plot.Y(level.Value), "threshold");
        svg.Path(Front.Select(corner => (plot.X(corner.X), plot.Y(corner.Y))), "front");
        foreach (var point in Points)
        {
            var (x, y) = (plot.X(point.X.Value), plot.Y(point.Y.Value));
            svg.Line(plot.X(point.X.Low), y, plot.X(point.X.High), y, $"error {point.CssClass}");
            svg.Line(x, plot.Y(point.Y.Low), x, plot.Y(point.Y.High), $"error {point.CssClass}");
        }
        foreach (var point in Points)
            svg.Marker(point.Marker, plot.X(point.X.Value), plot.Y(point.Y.Value), point.Radius, $"point {point.CssClass}", point.Tip);
        PlaceLabels(svg, plot);
        return svg;
    }

    /// <summary>
    /// Puts each label on the first side of its point where it hides neither a point, a bar nor a label already placed, the last
    /// point's first, for it lies on top. Farther off, a thin line leads to it; one that fits nowhere is left out, and the table
    /// beside the chart has it.
    /// </summary>
    private void PlaceLabels(Svg svg, Plot plot)
    {
        List<Box> taken =
        [
            .. Points.Select(p => Box.Around(plot.X(p.X.Value), plot.Y(p.Y.Value), 6)),
            .. Points.Select(p => new Box(plot.X(p.X.Value) - 1, plot.Y(p.Y.High), plot.X(p.X.Value) + 1, plot.Y(p.Y.Low))),
        ];
        // The front runs along the axes, so each of its pieces is a box.
        taken.AddRange(Front.Zip(Front.Skip(1), (a, b) => Box.Between((plot.X(a.X), plot.Y(a.Y)), (plot.X(b.X), plot.Y(b.Y)))));
        if (Level is { } level)
        {
            PlaceLevel(svg, plot, level.Name, plot.Y(level.Value) - 5, taken);
            taken.Add(Box.Between((plot.Left, plot.Y(level.Value)), (plot.Right, plot.Y(level.Value))));
        }
        List<Box> placed = [];
        foreach (var point in Points.Reverse().Where(p => p.Label is not null))
        {
            var (x, y) = (plot.X(point.X.Value), plot.Y(point.Y.Value));
            var wide = TextWidth.Of(point.Label!, Svg.FontSize) * (point.Marker == Marker.Diamond ? 1.08 : 1) + 2;
            foreach (var side in Sides)
            {
                var at = (X: x + side.X, Y: y + side.Y);
                var left = side.Anchor switch { Anchor.Start => at.X, Anchor.End => at.X - wide, _ => at.X - wide / 2 };
                var box = new Box(left, at.Y - 10, left + wide, at.Y + 3);
                var leader = Math.Abs(side.X) > 10 ? Box.Along((x, y), (at.X - Math.Sign(side.X) * 2, at.Y - 4)) : [];
                if (left < plot.Left || box.Right > plot.Right + 12 || box.Top < plot.Top - 8 || box.Bottom > plot.Bottom - 1
                    || taken.Any(box.Overlaps) || placed.Any(label => leader.Any(label.Overlaps)))
                    continue;
                taken.AddRange([box, .. leader]);
                placed.Add(box);
                if (leader.Length > 0)
                    svg.Line(x, y, at.X - Math.Sign(side.X) * 2, at.Y - 4, "leader");
                svg.Text(at.X, at.Y, point.Label!, $"direct {point.CssClass}", side.Anchor);
                break;
            }
        }
    }

    // Offsets of a label from its point, the better first.
    private static readonly (double X, double Y, Anchor Anchor)[] Sides =
    [
        (9, 4, Anchor.Start), (9, -6, Anchor.Start), (9, 14, Anchor.Start), (-9, 4, Anchor.End), (-9, -6, Anchor.End), (-9, 14, Anchor.End),
        (0, -11, Anchor.Middle), (0, 21, Anchor.Middle),
        (24, -14, Anchor.Start), (24, 24, Anchor.Start), (24, -30, Anchor.Start), (24, 42, Anchor.Start), (-24, -14, Anchor.End), (-24, 24, Anchor.End),
        (40, 40, Anchor.Start), (40, -40, Anchor.Start), (60, 60, Anchor.Start), (-40, 40, Anchor.End),
    ];

    // From the right end of its line leftwards, to where it hides nothing.
    private static void PlaceLevel(Svg svg, Plot plot, string name, double y, List<Box> taken)
    {
        var wide = TextWidth.Of(name, Svg.FontSize);
        for (var right = plot.Right; right - wide > plot.Left; right -= 12)
        {
            var box = new Box(right - wide, y - 10, right, y + 5);
            if (taken.Any(box.Overlaps))
                continue;
            taken.Add(box);
            svg.Text(right, y, name, "remark", Anchor.End);
            return;
        }
    }

    private readonly record struct Box(double Left, double Top, double Right, double Bottom)
    {
        public static Box Around(double x, double y, double radius) => new(x - radius, y - radius, x + radius, y + radius);

        public static Box Between((double X, double Y) a, (double X, double Y) b) =>
            new(Math.Min(a.X, b.X) - 0.5, Math.Min(a.Y, b.Y) - 0.5, Math.Max(a.X, b.X) + 0.5, Math.Max(a.Y, b.Y) + 0.5);

        // A slanted line as a chain of small boxes.
        public static Box[] Along((double X, double Y) from, (double X, double Y) to) =>
            [.. Enumerable.Range(1, 7).Select(i => Around(from.X + i / 8.0 * (to.X - from.X), from.Y + i / 8.0 * (to.Y - from.Y), 2))];

        public bool Overlaps(Box other) => Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;
    }
}
