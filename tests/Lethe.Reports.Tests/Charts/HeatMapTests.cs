using Lethe.Reports.Charts;

namespace Lethe.Reports.Tests.Charts;

public sealed class HeatMapTests
{
    private static readonly double[][] Values = [[0.81, 0.186, 0.004], [0, 1, 0], [0.005, 0, 0.995]];

    [Fact]
    public void Shades_follow_the_root_of_the_share_and_small_ones_stay_empty()
    {
        var svg = PageReader.Parse(new HeatMap("label", "rows", "columns", ["a", "b", "c"], ["a", "b", "c"], Values) { Marked = new HashSet<int> { 1 } }.Render(500).ToString());
        var shades = svg.WithClass("heat").Select(cell => cell.Number("fill-opacity")).ToArray();
        Assert.Equal([0.9, 0.43, 1, 0.07, 1], shades);
        Assert.Equal(["81", "19", "100", "1", "100"], svg.WithClass("cellvalue").Select(text => text.Value));
        Assert.Equal(9, svg.WithClass("cell").Count());
        Assert.Single(svg.WithClass("frame"));
        Assert.Equal("a → b: 18.6%", svg.WithClass("heat").ElementAt(1).Value);
    }

    [Fact]
    public void A_drawing_for_a_phone_keeps_its_names_inside()
    {
        string[] names = [.. Enumerable.Range(0, 10).Select(i => $"class {i}")];
        double[][] values = [.. names.Select((_, i) => names.Select((_, j) => i == j ? 1.0 : 0).ToArray())];
        var svg = PageReader.Parse(new HeatMap("label", "rows", "columns", names, names, values).Render(326).ToString());
        var turned = svg.Descendants().Last(e => e.Attribute("transform") is not null);
        Assert.InRange(turned.Number("x") + TextWidth.Of("class 9", 11) * Math.Cos(50 * Math.PI / 180), 200, 326);
        Assert.All(svg.WithClass("small").Where(e => e.Attribute("transform") is null), row => Assert.True(row.Number("x") - TextWidth.Of(row.Value, 11) >= 0));
    }
}
