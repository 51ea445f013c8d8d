using System.CommandLine;
using Lethe.Cli.Doctor;
using Lethe.Cli.Frame;
using Lethe.Cli.Reporting;
using Lethe.Reports;
using Lethe.Runs;
using Lethe.Runs.Generative;
using Lethe.Runs.Plans;
using Lethe.Torch;

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
        new("quickstart --json --quiet", "its result for a program"),
        new("report runs/quickstart --language ja", "afterwards: its report in Japanese, written anew"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [output];

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
    {
        var packages = new SystemPackages(Home.Folder);
        if ((await packages.Check(call.Stop)).State == FindingState.Missing)
            await packages.Install(call.Say, call.Stop);
        var seed = call.Global.Seed is { } given ? (string[])[FormattableString.Invariant($"seed={given}")] : [];
        var plan = PlanReader.Read<UnlearnPlan>(Path.Combine(Home.Folder, "plans", "fashion-vae-forget.yaml"), seed);
        await using var progress = call.Progress();
        var (result, paths) = await Task.Run(() => Engine.Run(() =>
        {
            PlanVerb.Setup(call);
            return UnlearnPipeline.Run(plan, new RunContext
            {
                RunFolder = call.Value(output) ?? Path.Combine("runs", "quickstart"),
                Progress = progress.Sink,
                Cancellation = call.Stop,
                ResumeHint = call.ResumeHint,
            });
        }));
        var files = new[] { ReportLanguage.English, ReportLanguage.Japanese }.Select(language => RunReport.Write(paths, language).File).ToList();
        return new Outcome(result, console =>
        {
            var writer = console.Profile.Out.Writer;
            writer.Write(TextSummary.Render(result, ReportLanguage.English));
            writer.WriteLine($"\nmodel   {paths.Model}");
            foreach (var file in files)
                writer.WriteLine($"report  {file}");
        });
    }
}
