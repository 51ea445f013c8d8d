using Lethe.Reports.Charts;

namespace Lethe.Reports.Tests.Charts;

public sealed class ScatterChartTests
{
    private static ScatterPoint Point(double x, double y, string? label, double spread = 0.05, Marker marker = Marker.Circle) =>
        new(new Spread(x, x - spread, x + spread), new Spread(y, y - spread, y + spread), label, "best", marker, "tip");

    private static System.Xml.Linq.XElement Draw(IReadOnlyList<ScatterPoint> points, (double, string)? level = null) => PageReader.Parse(new ScatterChart("label", Axis.Fixed(0, 1), Axis.Fixed(0, 1), "x", "y", points)
    {
        Front = [(0.1, 0.2), (0.5, 0.2), (0.5, 0.8)],
        Level = level,
        FormatX = value => Numbers.Fixed(value, 1),
        FormatY = value => Numbers.Fixed(value, 1),
    }.Draw(500, 320).Inline().ToString());

    [Fact]
    public void Points_error_bars_and_front_lie_where_their_values_are()
    {
        var svg = Draw([Point(0.1, 0.2, "a"), Point(0.5, 0.8, "b")]);
        var points = svg.WithClass("point").ToArray();
        var bars = svg.WithClass("error").ToArray();
        Assert.Equal(points[0].Number("cx"), (bars[0].Number("x1") + bars[0].Number("x2")) / 2, 0.02);
        Assert.Equal(points[0].Number("cy"), bars[0].Number("y1"), 0.01);
        Assert.Equal(points[1].Number("cy"), (bars[3].Number("y1") + bars[3].Number("y2")) / 2, 0.02);
        // 0.1 of the width is twice the reach of a bar; 0.4 is what parts the points.
        Assert.Equal(0.4 / 0.1, (points[1].Number("cx") - points[0].Number("cx")) / (bars[0].Number("x2") - bars[0].Number("x1")), 0.01);
        string Corner(double x, double y) => $"{Svg.N(x)} {Svg.N(y)}";
        Assert.Equal(
            $"M{Corner(points[0].Number("cx"), points[0].Number("cy"))}L{Corner(points[1].Number("cx"), points[0].Number("cy"))}L{Corner(points[1].Number("cx"), points[1].Number("cy"))}",
            (string?)svg.WithClass("front").Single().Attribute("d"));
    }

    [Fact]
    public void Labels_hide_no_point_and_no_other_label()
    {
        var points = Enumerable.Range(0, 12).Select(i => Point(0.2 + 0.015 * i, 0.5 + 0.02 * (i % 4), $"label {i}")).ToArray();
        var svg = Draw(points, (0.55, "before"));
        var boxes = svg.WithClass("direct").Concat(svg.WithClass("remark")).Select(Box).ToArray();
        Assert.True(boxes.Length > 4);
        for (var i = 0; i < boxes.Length; i++)
        {
            for (var j = i + 1; j < boxes.Length; j++)
                Assert.False(Overlap(boxes[i], boxes[j]), $"labels {i} and {j} overlap");
            foreach (var point in svg.WithClass("point"))
                Assert.False(Overlap(boxes[i], (point.Number("cx") - 3, point.Number("cy") - 3, point.Number("cx") + 3, point.Number("cy") + 3)), $"label {i} hides a point");
        }
    }

    [Fact]
    public void The_run_itself_is_labelled_first_and_drawn_as_another_shape()
    {
        var crowd = Enumerable.Range(0, 40).Select(i => Point(0.5 + 0.001 * i, 0.5, $"{i}")).Append(Point(0.52, 0.5, "this run", marker: Marker.Diamond)).ToArray();
        var svg = Draw(crowd);
        Assert.Contains(svg.WithClass("direct"), text => text.Value == "this run");
        Assert.Single(svg.WithClass("point"), point => point.Name.LocalName == "path");
    }

    private static (double Left, double Top, double Right, double Bottom) Box(System.Xml.Linq.XElement text)
    {
        var wide = TextWidth.Of(text.Value, Svg.FontSize);
        var left = text.Number("x") - (string?)text.Attribute("text-anchor") switch { "end" => wide, "middle" => wide / 2, _ => 0 };
        return (left, text.Number("y") - 9, left + wide, text.Number("y") + 2);
    }

    private static bool Overlap((double Left, double Top, double Right, double Bottom) a, (double Left, double Top, double Right, double Bottom) b) =>
        a.Left < b.Right && b.Left < a.Right && a.Top < b.Bottom && b.Top < a.Bottom;
}
