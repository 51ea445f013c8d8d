using Lethe.Reports.Markup;

namespace Lethe.Reports.Charts;

/// <summary>A table of shares as shades, with figures in the cells where they fit; rows may be set off.</summary>
internal sealed record HeatMap(string Label, string RowsName, string ColumnsName, IReadOnlyList<string> Rows, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<double>> Values)
{
    private const double SmallFont = 11;
    private const double Turn = -50;

    /// <summary>Rows that are set off.</summary>
    public IReadOnlySet<int> Marked { get; init; } = new HashSet<int>();

    /// <summary>Draws the map.</summary>
    public Html Render(double width)
    {
        var names = Math.Min(0.32 * width, 12 + Rows.Max(row => TextWidth.Of(row, SmallFont)));
        var slant = Columns.Max(column => TextWidth.Of(column, SmallFont));
        var sine = Math.Sin(-Turn * Math.PI / 180);
        var cosine = Math.Cos(-Turn * Math.PI / 180);
        // The last column's name leans out over the right edge.
        var cell = Math.Min(36, (width - names - Math.Min(slant, 90) * cosine - 2) / Columns.Count);
        var head = 22 + Math.Min(slant, 90) * sine + 6;
        var height = head + Rows.Count * cell + 2;
        var svg = new Svg(width, height, Label);
        svg.Text(0, 12, $"{RowsName} ↓  {ColumnsName} →", "axisname");
        for (var j = 0; j < Columns.Count; j++)
            svg.Text(names + (j + 0.5) * cell + 3, head - 5, TextWidth.Fit(Columns[j], SmallFont, 90), "small", Anchor.Start, Turn);
        for (var i = 0; i < Rows.Count; i++)
        {
            var top = head + i * cell;
            svg.Text(names - 7, top + cell / 2 + 4, TextWidth.Fit(Rows[i], SmallFont, names - 7), Marked.Contains(i) ? "small strong" : "small", Anchor.End);
            for (var j = 0; j < Columns.Count; j++)
                DrawCell(svg, names + j * cell, top, cell, Values[i][j], Marked.Contains(i) ? "heat forget" : "heat after", $"{Rows[i]} → {Columns[j]}: {Numbers.Percent(Values[i][j], 1)}");
        }
        foreach (var i in Marked)
            svg.Rectangle(names, head + i * cell, Columns.Count * cell, cell, "frame");
        return svg.Inline();
    }

    private static void DrawCell(Svg svg, double x, double y, double cell, double share, string cssClass, string tip)
    {
        svg.Rectangle(x, y, cell, cell, "cell");
        if (!(share >= 0.005)) // rounds to nothing
            return;
        // Shade by the square root: a hundredth is a light tint, yet seen.
        svg.Rectangle(x + 0.5, y + 0.5, cell - 1, cell - 1, cssClass, Math.Sqrt(Math.Min(1, share)), tip);
        if (cell >= 20)
            svg.Text(x + cell / 2, y + cell / 2 + 4, Numbers.Fixed(Math.Round(100 * share, MidpointRounding.AwayFromZero), 0), share >= 0.3 ? "cellvalue dark" : "cellvalue", Anchor.Middle);
    }
}
