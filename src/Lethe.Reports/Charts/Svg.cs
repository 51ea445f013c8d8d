using System.Globalization;
using Lethe.Reports.Markup;

namespace Lethe.Reports.Charts;

/// <summary>How a text is anchored at its point.</summary>
internal enum Anchor
{
    /// <summary>Begins there.</summary>
    Start,
    /// <summary>Is centred there.</summary>
    Middle,
    /// <summary>Ends there.</summary>
    End,
}

/// <summary>
/// A drawing as inline SVG: pixels as units, classes instead of colours (charts.css gives them, light, dark and printed), its
/// meaning in a label for those who cannot see it.
/// </summary>
internal sealed class Svg(double width, double height, string label)
{
    /// <summary>Font size of ordinary labels, pixels.</summary>
    public const double FontSize = 12;

    private readonly List<Html> _shapes = [];

    /// <summary>A number as an attribute: at most two decimals, for a hundredth of a pixel is enough.</summary>
    public static string N(double value) => Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>A line.</summary>
    public void Line(double x1, double y1, double x2, double y2, string cssClass) =>
        _shapes.Add(Html.Of($"<line class=\"{cssClass}\" x1=\"{N(x1)}\" y1=\"{N(y1)}\" x2=\"{N(x2)}\" y2=\"{N(y2)}\" />"));

    /// <summary>A rectangle.</summary>
    public void Rectangle(double x, double y, double width, double height, string cssClass, double? opacity = null, string? tip = null) =>
        Add($"rect class=\"{Html.Escape(cssClass)}\" x=\"{N(x)}\" y=\"{N(y)}\" width=\"{N(Math.Max(0, width))}\" height=\"{N(Math.Max(0, height))}\""
            + (opacity is { } o ? $" fill-opacity=\"{N(o)}\"" : ""), "rect", tip);

    /// <summary>A marker: a shape of about the given radius, so that series differ by more than colour.</summary>
    public void Marker(Marker shape, double x, double y, double radius, string cssClass, string? tip = null)
    {
        cssClass = Html.Escape(cssClass);
        switch (shape)
        {
            case Charts.Marker.Circle:
                Add($"circle class=\"{cssClass}\" cx=\"{N(x)}\" cy=\"{N(y)}\" r=\"{N(radius)}\"", "circle", tip);
                break;
            case Charts.Marker.Square:
                Add($"rect class=\"{cssClass}\" x=\"{N(x - radius)}\" y=\"{N(y - radius)}\" width=\"{N(2 * radius)}\" height=\"{N(2 * radius)}\"", "rect", tip);
                break;
            case Charts.Marker.Diamond:
                var r = 1.35 * radius;
                Add($"path class=\"{cssClass}\" d=\"M{N(x)} {N(y - r)}L{N(x + r)} {N(y)}L{N(x)} {N(y + r)}L{N(x - r)} {N(y)}Z\"", "path", tip);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(shape), shape, "No such marker.");
        }
    }

    /// <summary>A path through points; closed it is an area.</summary>
    public void Path(IEnumerable<(double X, double Y)> points, string cssClass, bool closed = false)
    {
        var steps = string.Concat(points.Select((p, i) => $"{(i == 0 ? 'M' : 'L')}{N(p.X)} {N(p.Y)}"));
        if (steps.Length > 0)
            _shapes.Add(Html.Of($"<path class=\"{cssClass}\" d=\"{steps}{(closed ? "Z" : "")}\" />"));
    }

    /// <summary>A text; turned by degrees about its point where asked.</summary>
    public void Text(double x, double y, string text, string cssClass, Anchor anchor = Anchor.Start, double turn = 0)
    {
        var at = anchor switch { Anchor.Start => "start", Anchor.Middle => "middle", _ => "end" };
        var rotate = turn == 0 ? "" : $" transform=\"rotate({N(turn)} {N(x)} {N(y)})\"";
        _shapes.Add(Html.Of($"<text class=\"{cssClass}\" x=\"{N(x)}\" y=\"{N(y)}\" text-anchor=\"{at}\"{Html.Trusted(rotate)}>{text}</text>"));
    }

    /// <summary>The drawing for a page.</summary>
    public Html Inline() =>
        Html.Of($"<svg class=\"chart\" role=\"img\" aria-label=\"{label}\" width=\"{N(width)}\" height=\"{N(height)}\" viewBox=\"0 0 {N(width)} {N(height)}\">{_shapes}</svg>");

    /// <summary>The drawing as a file of its own, with its colours.</summary>
    public string Document(string language)
    {
        var style = Html.Trusted(Resources.Text("charts.css"));
        // The page around an inline drawing gives it a margin and a caption; alone, it has its own.
        const double Margin = 20, Caption = 34;
        var (w, h) = (width + 2 * Margin, height + 2 * Margin + Caption);
        return Html.Of($"""
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" class="chart" lang="{language}" role="img" aria-label="{label}" width="{N(w)}" height="{N(h)}" viewBox="{N(-Margin)} {N(-Margin - Caption)} {N(w)} {N(h)}">
            <title>{label}</title>
            <style>
            {style}
            </style>
            <rect class="paper" x="{N(-Margin)}" y="{N(-Margin - Caption)}" width="{N(w)}" height="{N(h)}" />
            <text class="caption" x="0" y="{N(16 - Caption)}">{label}</text>
            {_shapes}
            </svg>

            """).ToString();
    }

    private void Add(string opening, string element, string? tip) =>
        _shapes.Add(Html.Trusted(tip is null ? $"<{opening} />" : $"<{opening}><title>{Html.Escape(tip)}</title></{element}>"));
}

/// <summary>Shapes of data points.</summary>
internal enum Marker
{
    /// <summary>A disc.</summary>
    Circle,
    /// <summary>A square.</summary>
    Square,
    /// <summary>A square on its corner.</summary>
    Diamond,
}
