using System.Xml.Linq;
using Lethe.Reports.Tests.Example;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Reports.Tests;

public sealed class SweepReportTests
{
    public static TheoryData<ReportLanguage> Languages => new(Enum.GetValues<ReportLanguage>());

    [Theory]
    [MemberData(nameof(Languages))]
    public void The_page_has_every_point_as_a_row_and_in_both_charts(ReportLanguage language)
    {
        var page = PageReader.Parse(SweepReport.Render(ExampleRun.Sweep, language));
        var rows = page.Descendants("tbody").Single().Elements("tr").ToArray();
        Assert.Equal(14, rows.Length);
        Assert.Equal(ExampleRun.Sweep.Points.Select(p => p.Run), rows.Select(row => row.Descendants("code").Last().Value));
        Assert.Equal(["0.0400", "0.00%", "87.10%", "+4.90"], rows[0].WithClass("v").Select(value => value.Value));
        Assert.Equal(7, rows.Count(row => (string?)row.Attribute("class") == "best"));
        Assert.All(page.Descendants("svg"), svg => Assert.Equal(14, svg.WithClass("point").Count()));
        Assert.Equal(4, page.Descendants("svg").Count());
    }

    [Fact]
    public void Only_the_options_that_vary_name_the_points_and_each_value_once()
    {
        var svg = PageReader.Parse(SweepReport.Render(ExampleRun.Sweep, ReportLanguage.English)).Descendants("svg").First();
        Assert.Equal(["1", "5", "20", "50", "200", "1000", "5000"], svg.WithClass("direct").Select(text => text.Value).OrderBy(double.Parse));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void The_drawing_alone_brings_its_colours_its_caption_and_its_namespace(ReportLanguage language)
    {
        var svg = PageReader.Parse(SweepReport.Chart(ExampleRun.Sweep, language, ExampleRun.Result));
        XNamespace ns = "http://www.w3.org/2000/svg";
        Assert.Equal(ns + "svg", svg.Name);
        Assert.Contains("prefers-color-scheme: dark", svg.Element(ns + "style")!.Value);
        Assert.Equal(svg.Element(ns + "title")!.Value, svg.WithClass("caption").Single().Value);
        // The reported run is one of the fourteen, and is marked.
        Assert.Equal(14, svg.WithClass("point").Count());
        Assert.Single(svg.WithClass("point"), point => point.Name.LocalName == "path");
    }

    [Fact]
    public void A_run_outside_the_sweep_is_added_to_the_chart()
    {
        var other = ExampleRun.Result with { Run = ExampleRun.Result.Run with { Id = "another" } };
        Assert.Equal(15, PageReader.Parse(SweepReport.Chart(ExampleRun.Sweep, ReportLanguage.English, other)).WithClass("point").Count());
    }

    [Fact]
    public void A_sweep_without_points_is_refused() =>
        Assert.Contains("no points", Assert.Throws<BadInputException>(() => SweepReport.Render(ExampleRun.Sweep with { Points = [] }, ReportLanguage.English)).Message);

    [Fact]
    public void Whole_sections_are_named_by_their_kind_and_by_what_tells_those_of_a_kind_apart()
    {
        string[] methods = ["{\"kind\":\"rmu\",\"layer\":1,\"steps\":9}", "{\"kind\":\"sspu\",\"layers\":[1],\"steps\":9}", "{\"kind\":\"sspu\",\"layers\":[1,2],\"steps\":9}"];
        var points = methods.Select(method => ExampleRun.Sweep.Points[0] with { Options = new Dictionary<string, object?> { ["method"] = method } });
        var sweep = new SweepResult("x", [.. points]);

        Assert.Equal(["rmu", "sspu, layers [1]", "sspu, layers [1,2]"], sweep.Points.Select(point => SweepNames.Name(sweep, point)));
    }
}
