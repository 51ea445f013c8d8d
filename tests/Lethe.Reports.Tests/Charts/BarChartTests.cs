using Lethe.Reports.Charts;

namespace Lethe.Reports.Tests.Charts;

public sealed class BarChartTests
{
    [Fact]
    public void Bars_are_as_long_as_their_values_and_marks_stand_at_theirs()
    {
        var chart = new BarChart("label", [new Bar("a", 0.5, "50%", "x") { Mark = 1 }, new Bar("b", 0.25, "25%", "y") { Mark = 0 }]) { Maximum = 1, Columns = ["Before", "After"] };
        var svg = PageReader.Parse(chart.Render(500).ToString());
        var bars = svg.WithClass("bar").ToArray();
        Assert.Equal(bars[0].Number("width"), 2 * bars[1].Number("width"), 0.02);
        var zero = bars[0].Number("x");
        var marks = svg.WithClass("mark").ToArray();
        Assert.Equal(2 * bars[0].Number("width"), marks[0].Number("x1") - zero, 0.02);
        Assert.Equal(zero, marks[1].Number("x1"), 0.01);
        Assert.Equal(BarChart.RowHeight, bars[1].Number("y") - bars[0].Number("y"), 9);
        Assert.Equal("label", (string?)svg.Attribute("aria-label"));
        Assert.Equal(["Before", "After"], svg.WithClass("head").Select(head => head.Value).Order(StringComparer.Ordinal).Reverse());
    }

    [Fact]
    public void The_largest_bar_and_its_figure_stay_inside_the_drawing()
    {
        var svg = PageReader.Parse(new BarChart("label", [new Bar("a name", 3, "3,000 things"), new Bar("b", 1, "1")]).Render(326).ToString());
        var largest = svg.WithClass("bar").First();
        Assert.InRange(largest.Number("x") + largest.Number("width") + 6 + TextWidth.Of("3,000 things", Svg.FontSize), 200, 326);
    }

    [Fact]
    public void A_value_that_is_not_finite_has_no_length_and_the_others_keep_their_scale()
    {
        var svg = PageReader.Parse(new BarChart("label", [new Bar("a", double.PositiveInfinity, "–"), new Bar("b", 2, "2"), new Bar("c", 1, "1")]).Render(400).ToString());
        var widths = svg.WithClass("bar").Select(bar => bar.Number("width")).ToArray();
        Assert.Equal(0, widths[0]);
        Assert.True(widths[1] > 100);
        Assert.Equal(widths[1], 2 * widths[2], 0.02);
    }
}
