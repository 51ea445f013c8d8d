using System.CommandLine;
using System.Globalization;
using Lethe.Cli.Frame;
using Lethe.Cli.Reporting;
using Lethe.Reports;
using Lethe.Runs;
using Lethe.Runs.Generative;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Spectre.Console;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe sweep</c>: runs a plan of unlearning at every point of a grid, and draws the trade-off.</summary>
public sealed class SweepVerb : PlanVerb
{
    private readonly Option<Shard?> shard = Typed.Parsed<Shard>("--shard", "i/n", Shard.Parse, "Runs every n-th point from the i-th on, i from 0 to n - 1, so that several processes or machines share a sweep's folder; default: all points.");
    private readonly Option<ReportLanguage?> language = Typed.Parsed<ReportLanguage>("--language", "en|ja", ReportLanguages.Parse, "Writes the page in this language too; default: en, which is always written.");

    /// <inheritdoc/>
    public override string Name => "sweep";

    /// <inheritdoc/>
    public override string Summary => "Runs a plan over a grid of options and draws what forgetting costs.";

    /// <inheritdoc/>
    public override string Description =>
        "Runs a plan of unlearn at every point of a grid, such as strengths, each point a run of its own below the sweep's folder, and writes sweep.json, trade-off.svg and sweep.html. "
        + "What points share is computed once; points that are finished are not run again, so a sweep that was stopped goes on where it was. "
        + "--set lays values over the plan at every point, --seed takes the place of the sweep's seeds. With --shard, the shard that finds all points finished writes the result.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("sweep plans/mnist-vae-sweep-strength.yaml", "the published model forgets 0 at ten strengths"),
        new("sweep plans/mnist-vae-sweep-strength.yaml --shard 0/2", "every second point; another process runs --shard 1/2"),
        new("sweep plans/mnist-vae-sweep-strength.yaml --set forget.0.label=3 --output runs/sweep-3", "another digit"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [.. base.Options, shard, language];

    /// <inheritdoc/>
    public override IReadOnlyList<PlanHelpEntry> PlanKeys => PlanHelp.Entries(typeof(SweepPlan));

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
    {
        var plan = PlanReader.Read<SweepPlan>(PlanFile(call));
        var points = SweepPoints.Of(plan, Set(call), call.Global.Seed);
        var (sweep, folder) = await OnEngine(call, context => SweepPipeline.Run(plan, points, call.Value(shard) ?? Shard.Whole, context), anyDevice: points.All(point => point.Plan.Value is not ImageUnlearnPlan));
        string[] files = [];
        if (sweep.Pending.Count == 0)
        {
            var page = SweepFiles.Write(folder, sweep, ReportLanguage.English);
            files = call.Value(language) is { } other and not ReportLanguage.English ? [page, SweepFiles.Write(folder, sweep, other)] : [page];
        }
        return new Outcome(sweep, console => Show(console, sweep, folder, files));
    }

    private static void Show(IAnsiConsole console, SweepResult sweep, string folder, string[] files)
    {
        var writer = console.Profile.Out.Writer;
        var varied = SweepNames.Varied(sweep);
        var table = new Table().Border(TableBorder.None);
        foreach (var key in varied)
            table.AddColumn(new TableColumn(new Text(key)).RightAligned());
        string[] titles = sweep.Points.FirstOrDefault() is LanguageSweepPoint
            ? ["swap", "margin", "gap closed", "unseen", "retained", "worst", "perplexity", "cost"]
            : ["p(forgotten)", "judged as it", "retained right", "-ELBO"];
        foreach (var title in titles.Prepend("seed").Append("front"))
            table.AddColumn(new TableColumn(new Text(title)).RightAligned());
        foreach (var point in sweep.Points)
        {
            var cells = varied.Select(key => SweepNames.Value(sweep, point, key)).Append(Number($"{point.Seed}")).Concat(Figures(point)).Append(point.OnFront ? "*" : "");
            table.AddRow([.. cells.Select(cell => new Text(cell))]);
        }
        console.Write(table);
        if (sweep.Pending.Count > 0)
            writer.WriteLine($"\n{sweep.Pending.Count} of {sweep.Points.Count + sweep.Pending.Count} points are left to other shards; the last of them writes the result.\nsweep  {folder}");
        else
            writer.WriteLine($"\nsweep   {SweepPipeline.FileOf(folder)}\nchart   {SweepFiles.ChartOf(folder)}\nreport  {string.Join("\n        ", files)}");
    }

    private static string[] Figures(SweepPoint point) => point switch
    {
        ImageSweepPoint image => [Number($"{image.Forget.Value:0.0000}"), Number($"{image.Share.Value:P2}"), Number($"{image.RetainAccuracy.Value:P2}"), Number($"{image.RetainElboChange.Value:+0.00;-0.00;0.00}")],
        LanguageSweepPoint text =>
        [
            Number($"{text.Swap.Value:P1}"), Number($"{text.Margin.Value:+0.00;-0.00;0.00}"), text.GapClosed is { } closed ? Number($"{closed.Value:P0}") : "", text.Unseen is { } unseen ? Number($"{unseen.Value:P1}") : "",
            Number($"{100 * text.RetainChange.Value:+0.0;-0.0;0.0}"), Number($"{100 * text.WorstChange:+0.0;-0.0;0.0} {text.WorstTopic}"), Number($"{100 * text.PerplexityChange.Value:+0.0;-0.0;0.0} %"), Number($"{text.Cost:0.00}"),
        ],
        _ => [],
    };

    private static string Number(FormattableString number) => number.ToString(CultureInfo.InvariantCulture);
}
