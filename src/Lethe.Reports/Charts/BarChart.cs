using Lethe.Reports.Markup;

namespace Lethe.Reports.Charts;

/// <summary>A bar: its name, value, a mark to compare with, its figures, and its colour.</summary>
/// <param name="Name">Written on the left.</param>
/// <param name="Value">Length.</param>
/// <param name="Texts">Figures in words: one stands behind the bar; several stand in columns at the right.</param>
internal sealed record Bar(string Name, double Value, params IReadOnlyList<string> Texts)
{
    /// <summary>Where the value was before, drawn as an upright stroke.</summary>
    public double? Mark { get; init; }

    /// <summary>Class of its colour.</summary>
    public string CssClass { get; init; } = "after";

    /// <summary>Whether it is set off.</summary>
    public bool Strong { get; init; }
}

/// <summary>Bars from the left on one scale from zero, names before them, figures behind them or in columns.</summary>
internal sealed record BarChart(string Label, IReadOnlyList<Bar> Bars)
{
    /// <summary>Height of a row.</summary>
    public const double RowHeight = 22;

    private const double Head = 20;

    /// <summary>Value at the full width; null for the largest bar or mark.</summary>
    public double? Maximum { get; init; }

    /// <summary>Names of the columns of figures; empty where a single figure stands behind each bar.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>Draws the chart.</summary>
    public Html Render(double width)
    {
        var head = Columns.Count > 0 ? Head : 0;
        var bottom = head + Bars.Count * RowHeight + 6;
        var svg = new Svg(width, bottom, Label);
        var names = Math.Min(0.42 * width, 10 + Bars.Max(bar => Width(bar.Name, bar.Strong)));
        var columns = ColumnWidths();
        var full = Math.Max(20, width - names - columns.Sum());
        var largest = Maximum ?? Bars.SelectMany(bar => new[] { bar.Value, bar.Mark ?? 0 }).Where(double.IsFinite).DefaultIfEmpty(0).Max();
        // What is not finite has no length; its figure says so.
        double X(double value) => names + (largest > 0 && double.IsFinite(value) ? Math.Clamp(value / largest, 0, 1) : 0) * full;

        svg.Line(names, head, names, bottom, "axis");
        for (var (column, right) = (Columns.Count - 1, width); column >= 0; right -= columns[column], column--)
            svg.Text(right, 12, Columns[column], "head", Anchor.End);
        for (var i = 0; i < Bars.Count; i++)
        {
            var bar = Bars[i];
            var top = head + 3 + i * RowHeight;
            var baseline = top + RowHeight / 2 + 4;
            svg.Text(names - 8, baseline, TextWidth.Fit(bar.Name, Svg.FontSize, names - 8), bar.Strong ? "label strong" : "label", Anchor.End);
            svg.Rectangle(names, top + 4, X(bar.Value) - names, RowHeight - 8, $"bar {bar.CssClass}", tip: $"{bar.Name}: {string.Join(" → ", bar.Texts)}");
            if (bar.Mark is { } mark)
                svg.Line(X(mark), top + 1, X(mark), top + RowHeight - 1, "mark");
            var style = bar.Strong ? "value strong" : "value";
            if (Columns.Count == 0)
                svg.Text(X(bar.Value) + 6, baseline, bar.Texts[0], style);
            else
                for (var (column, right) = (Columns.Count - 1, width); column >= 0; right -= columns[column], column--)
                    svg.Text(right, baseline, bar.Texts[column], style, Anchor.End);
        }
        return svg.Inline();
    }

    private double[] ColumnWidths() => Columns.Count == 0
        ? [8 + Bars.Max(bar => Width(bar.Texts[0], bar.Strong))]
        : [.. Columns.Select((name, column) => 14 + Math.Max(Width(name, strong: false), Bars.Max(bar => Width(bar.Texts[column], bar.Strong))))];

    private static double Width(string text, bool strong) => TextWidth.Of(text, Svg.FontSize) * (strong ? 1.08 : 1);
}
