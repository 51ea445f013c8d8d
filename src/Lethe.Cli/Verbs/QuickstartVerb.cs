using System.CommandLine;
using Lethe.Cli.Doctor;
using Lethe.Cli.Frame;
using Lethe.Cli.Reporting;
using Lethe.Reports;
using Lethe.Runs;
using Lethe.Runs.Plans;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe quickstart</c>: the whole way from training to report on data that a machine has or can install.</summary>
public sealed class QuickstartVerb : Verb
{
    private readonly Option<string?> output = Typed.Text("--output", "FOLDER", "The run's folder; default: runs/quickstart.");

    /// <inheritdoc/>
    public override string Name => "quickstart";

    /// <inheritdoc/>
    public override string Summary => "Trains a small image model, makes it forget, measures, and writes a report; a few minutes.";

    /// <inheritdoc/>
    public override string Description =>
        "Installs what is missing (root, or sudo without a password; otherwise it prints the command and stops). Then it trains a model of ten kinds of clothing on Fashion-MNIST, makes it forget sneakers "
        + "(noise takes their place) and maps bags to ankle boots, measures both and the eight kinds that must stay, tries to bring the forgotten back, and writes the report in English and Japanese.\n\n"
        + "It runs plans/fashion-vae-forget.yaml; copy that plan to try something else. Stopped or killed, the same command goes on where it was.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("quickstart", "the demo"),
        new("quickstart --seed 1 --output runs/quickstart-1", "the same with other random numbers"),
        new("quickstart --json", "its result.json on stdout"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [output];

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
    {
        await new SystemPackages(Home.Folder).Install(call.Say, call.Stop);
        var plan = PlanReader.Read<UnlearnPlan>(Path.Combine(Home.Folder, "plans", "fashion-vae-forget.yaml"), PlanVerb.SeedOverride(call));
        var folder = call.Value(output) ?? Path.Combine("runs", "quickstart");
        var (result, paths) = await PlanVerb.OnEngine(call, folder, context => UnlearnPipeline.Run(plan, context));
        ReportLanguage[] languages = [ReportLanguage.English, ReportLanguage.Japanese];
        return UnlearnVerb.Finished(result, paths, [.. languages.Select(language => RunReport.Write(paths, language).File)]);
    }
}
