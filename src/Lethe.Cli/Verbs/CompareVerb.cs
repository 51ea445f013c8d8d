using System.CommandLine;
using System.Globalization;
using Lethe.Cli.Frame;
using Lethe.Cli.Reporting;
using Lethe.Reports;
using Lethe.Runs;
using Lethe.Runs.Language.Studies;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Spectre.Console;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe compare</c>: compares methods of unlearning by one plan, each tuned alike on a topic that is not reported.</summary>
public sealed class CompareVerb : PlanVerb
{
    private readonly Option<Shard?> shard = Typed.Parsed<Shard>("--shard", "i/n", Shard.Parse, "Does every n-th run of each round from the i-th on, i from 0 to n - 1, so that several processes or machines share a study's folder; default: all runs.");
    private readonly Option<ReportLanguage?> language = Typed.Parsed<ReportLanguage>("--language", "en|ja", ReportLanguages.Parse, "Writes the page in this language too; default: en, which is always written.");

    /// <inheritdoc/>
    public override string Name => "compare";

    /// <inheritdoc/>
    public override string Summary => "Compares methods of unlearning at equal utility, tuned alike, by one plan.";

    /// <inheritdoc/>
    public override string Description =>
        "Tunes the configurations of every method by successive halving on one topic, chooses each method's most forgetting configuration within the bound, and reports the chosen ones on other topics and seeds: study.json and study.html. "
        + "Each run is one of unlearn below the study's folder; runs that are finished are not run again, so a study that was stopped goes on where it was. --set lays values over the study's plan, --seed takes the place of its seeds. "
        + "With --shard, a shard ends when its share of a round is done and others are not; call it again for what is next. The one that finds everything finished writes the result.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("compare plans/smollm2-study.yaml", "SSPU and nine others forget topics of WordNet"),
        new("compare plans/smollm2-study.yaml --shard 0/2", "half of each round; another process does --shard 1/2"),
        new("compare plans/smollm2-study.yaml --device cuda --language ja", "on a GPU, with a page in Japanese too"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [.. base.Options, shard, language];

    /// <inheritdoc/>
    public override IReadOnlyList<PlanHelpEntry> PlanKeys => PlanHelp.Entries(typeof(StudyPlan));

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
    {
        var seeds = call.Global.Seed is { } seed ? (IEnumerable<string>)[string.Create(CultureInfo.InvariantCulture, $"tune.seeds=[{seed}]"), string.Create(CultureInfo.InvariantCulture, $"report.seeds=[{seed}]")] : [];
        var plan = PlanReader.Read<StudyPlan>(PlanFile(call), Set(call).Concat(seeds));
        var (study, folder) = await OnEngine(call, context => StudyPipeline.Run(plan, call.Value(shard) ?? Shard.Whole, context), anyDevice: true);
        string[] files = [];
        if (study.Pending.Count == 0)
        {
            var page = StudyFiles.Write(folder, study, ReportLanguage.English);
            files = call.Value(language) is { } other and not ReportLanguage.English ? [page, StudyFiles.Write(folder, study, other)] : [page];
        }
        return new Outcome(study, console => Show(console, study, folder, files));
    }

    private static void Show(IAnsiConsole console, StudyResult study, string folder, string[] files)
    {
        var writer = console.Profile.Out.Writer;
        if (study.Pending.Count > 0)
        {
            writer.WriteLine($"{study.Pending.Count} {(study.Pending.Count == 1 ? "run is" : "runs are")} left to other shards; when they are done, run this again for what comes next.\nstudy  {folder}");
            return;
        }
        writer.Write(StudyReport.Summary(study, ReportLanguage.English));
        writer.WriteLine($"\nstudy   {StudyPipeline.FileOf(folder)}\nreport  {string.Join("\n        ", files)}");
    }
}
