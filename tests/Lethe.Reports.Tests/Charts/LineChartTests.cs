using Lethe.Reports.Charts;

namespace Lethe.Reports.Tests.Charts;

public sealed class LineChartTests
{
    private static LineChart Chart(params LineSeries[] series) => new("label", Axis.Fixed(0, 100), Axis.Fixed(0, 1, 6), "steps", "share", series)
    {
        Threshold = (0.5, "half"),
        FormatRange = (low, high) => $"{low}–{high}",
    };

    [Fact]
    public void Points_lie_where_their_values_are()
    {
        var svg = PageReader.Parse(Chart(new LineSeries("model", [new(0, 0), new(50, 0.5, 0.4, 0.6), new(100, 1)], "forget", Marker.Circle)).Render(600, 300).ToString());
        var points = svg.WithClass("point").ToArray();
        Assert.Equal(3, points.Length);
        Assert.Equal((points[0].Number("cx") + points[2].Number("cx")) / 2, points[1].Number("cx"), 0.01);
        Assert.Equal((points[0].Number("cy") + points[2].Number("cy")) / 2, points[1].Number("cy"), 0.01);
        // The axis stands at zero and the threshold at a half, where the middle point is.
        Assert.Equal(svg.WithClass("axis").Max(line => line.Number("y1")), points[0].Number("cy"), 0.01);
        Assert.Equal(svg.WithClass("threshold").Single().Number("y1"), points[1].Number("cy"), 0.01);
        Assert.Equal("model: 50 → 50% (0.4–0.6)", points[1].Value);
    }

    [Fact]
    public void Two_series_differ_by_shape_and_are_named_where_they_end_without_touching()
    {
        var chart = Chart(
            new LineSeries("model", [new(0, 0, 0, 0), new(100, 0.99, 0.98, 1)], "forget", Marker.Circle),
            new LineSeries("control", [new(0, 0, 0, 0), new(100, 0.98, 0.97, 0.99)], "control", Marker.Square));
        var svg = PageReader.Parse(chart.Render(600, 300).ToString());
        Assert.Equal(2, svg.Descendants().Count(e => e.Name.LocalName == "circle"));
        Assert.Equal(2, svg.WithClass("band").Count());
        var names = svg.WithClass("direct").ToArray();
        Assert.Equal(["model", "control"], names.Select(name => name.Value));
        Assert.True(names[1].Number("y") - names[0].Number("y") >= 15);
        Assert.All(names, name => Assert.InRange(name.Number("x") + TextWidth.Of(name.Value, Svg.FontSize), 500, 600));
    }

    [Fact]
    public void On_a_phone_the_names_stand_in_a_corner_that_the_lines_leave_free()
    {
        var rising = Chart(new LineSeries("a model", [new(0, 0), new(50, 0.05), new(100, 1)], "forget", Marker.Circle));
        var name = PageReader.Parse(rising.Render(326, 280).ToString()).WithClass("direct").Single();
        Assert.True(name.Number("x") < 163 && name.Number("y") < 140);
        var falling = Chart(new LineSeries("a model", [new(0, 1), new(50, 0.95), new(100, 0.9)], "forget", Marker.Circle));
        Assert.True(PageReader.Parse(falling.Render(326, 280).ToString()).WithClass("direct").Single().Number("y") > 140);
    }
}
