using System.CommandLine;
using Lethe.Cli.Doctor;
using Lethe.Cli.Frame;
using Lethe.Cli.Reporting;
using Lethe.Reports;
using Lethe.Runs;
using Lethe.Runs.Generative;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;
using Spectre.Console;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe quickstart</c>: the whole way from training to report, for an image model and for a language model, on data that a machine has, can install or makes.</summary>
public sealed class QuickstartVerb : Verb
{
    private static readonly ReportLanguage[] Languages = [ReportLanguage.English, ReportLanguage.Japanese];

    private readonly Option<string?> output = Typed.Text("--output", "FOLDER", "The folder of the image model's run; the language model's sweep goes into FOLDER-language beside it; default: runs/quickstart.");
    private readonly Option<Part?> only = Typed.Parsed<Part>("--only", "images|language", ParsePart, "Runs this part alone; default: both, one after the other.");

    private enum Part { Images, Language }

    /// <inheritdoc/>
    public override string Name => "quickstart";

    /// <inheritdoc/>
    public override string Summary => "Trains a small image model and a small language model, makes both forget, measures, and writes reports; a few minutes.";

    /// <inheritdoc/>
    public override string Description =>
        "Installs what is missing (root, or sudo without a password; otherwise it prints the command and stops). Then it trains a model of ten kinds of clothing on Fashion-MNIST, makes it forget sneakers "
        + "(noise takes their place) and maps bags to ankle boots, measures both and the eight kinds that must stay, and tries to bring the forgotten back. After that it trains a small language model on made-up customers of four branches and on "
        + "words of WordNet, one that never read of the southern branch, and a sparse autoencoder, makes the first forget the southern branch by SSPU, by RMU and by gradient ascent, and puts all beside the one that never knew. Reports are in English and Japanese.\n\n"
        + "It runs plans/fashion-vae-forget.yaml and plans/quickstart-methods.yaml; copy those plans to try something else. Stopped or killed, the same command goes on where it was. --seed is that of forgetting and of measuring, and of the image model's training.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("quickstart", "the demo"),
        new("quickstart --only language", "its language model alone"),
        new("quickstart --seed 1 --output runs/quickstart-1", "the same with other random numbers"),
        new("quickstart --json", "both results in one document on stdout"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [output, only];

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
    {
        await new SystemPackages(Home.Folder).Install(call.Say, call.Stop);
        var folder = call.Value(output) ?? Path.Combine("runs", "quickstart");
        var part = call.Value(only);
        // A mistake in the second part's plans is told before minutes of the first.
        var sweep = part is Part.Images ? null : PlanReader.Read<SweepPlan>(Plan("quickstart-methods.yaml"));
        var points = sweep is null ? [] : SweepPoints.Of(sweep, seed: call.Global.Seed);
        var (images, showImages) = part is Part.Language ? default : await Images(call, folder);
        var (language, showLanguage) = sweep is null ? default : await Language(call, sweep, points, Path.TrimEndingDirectorySeparator(folder) + "-language");
        return new Outcome(new QuickstartResult(images, language), console =>
        {
            showImages?.Invoke(console);
            if (showImages is not null && showLanguage is not null)
                console.Profile.Out.Writer.WriteLine();
            showLanguage?.Invoke(console);
        });
    }

    private static async Task<(ImageUnlearnResult Result, Action<IAnsiConsole> Show)> Images(Call call, string folder)
    {
        var plan = PlanReader.Read<UnlearnPlan>(Plan("fashion-vae-forget.yaml"), PlanVerb.SeedOverride(call));
        var (result, paths) = await PlanVerb.OnEngine(call, folder, context => UnlearnPipeline.Run(plan, context));
        var reports = Reports(paths);
        call.Say($"images: done, {reports[0]}");
        return ((ImageUnlearnResult)result, UnlearnVerb.Finished(result, paths, reports).Show);
    }

    private static async Task<(QuickstartLanguageResult Result, Action<IAnsiConsole> Show)> Language(Call call, Plan<SweepPlan> plan, IReadOnlyList<SweepRun> points, string folder)
    {
        var (sweep, _) = await PlanVerb.OnEngine(call, folder, context => SweepPipeline.Run(plan, points, Shard.Whole, context), anyDevice: true);
        string[] pages = [.. Languages.Select(language => SweepFiles.Write(folder, sweep, language))];
        // The first point is the run that is shown; the others are there to compare it with.
        var paths = new RunPaths(Path.Combine(folder, sweep.Points[0].Run));
        var reports = Reports(paths);
        var result = QuickstartLanguageResult.Of([.. sweep.Points.Select(point => (LanguageUnlearnResult)UnlearnPipeline.ReadResult(new RunPaths(Path.Combine(folder, point.Run))))]);
        return (result, console =>
        {
            UnlearnVerb.Finished(result.Result, paths, reports).Show(console);
            console.Profile.Out.Writer.WriteLine();
            QuickstartTable.Show(console, result);
            console.Profile.Out.Writer.WriteLine($"\nmethods {string.Join("\n        ", pages)}");
        });
    }

    private static string Plan(string name) => Path.Combine(Home.Folder, "plans", name);

    private static string[] Reports(RunPaths paths) => [.. Languages.Select(language => RunReport.Write(paths, language).File)];

    private static Part ParsePart(string text) => text switch
    {
        "images" => Part.Images,
        "language" => Part.Language,
        _ => throw new UsageException($"--only is '{text}'; it takes images or language."),
    };
}
