using Lethe.Cli.Frame;
using Lethe.Cli.Reporting;
using Lethe.Reports;
using Lethe.Runs;
using Lethe.Runs.Generative;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe unlearn</c>: makes a model forget by a plan, measures, and writes the report.</summary>
public sealed class UnlearnVerb : PlanVerb
{
    /// <inheritdoc/>
    public override string Name => "unlearn";

    /// <inheritdoc/>
    public override string Summary => "Makes a model forget by a plan, measures, and writes the report.";

    /// <inheritdoc/>
    public override string Description =>
        "Runs a plan from model to report, and writes result.json and report.html into the run's folder. Of image generators it takes or trains the model and the judge, measures before, estimates the Fisher information, "
        + "forgets, exports, measures the exported files and looks for what is left. Of language models (kind: language) it asks questions before, forgets a topic, exports, and asks the exported files again. What a run or the cache holds already is not computed again; a run that was stopped or killed goes on where it was.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("unlearn plans/fashion-vae-forget.yaml", "Fashion-MNIST: one class into noise, one mapped to another"),
        new("unlearn plans/mnist-vae-forget-0.yaml", "the published model forgets the digit 0"),
        new("unlearn plans/mnist-vae-forget-0.yaml --set forget.0.label=3 --set method.strength=0.9", "another digit, less strength"),
        new("unlearn plans/smollm2-forget-substances.yaml", "a language model forgets what substances are called"),
        new("unlearn plans/mnist-vae-forget-0.yaml --json", "result.json on stdout"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<PlanHelpEntry> PlanKeys => PlanHelp.Entries(typeof(UnlearnPlan));

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
    {
        var plan = PlanReader.Read<UnlearnPlan>(PlanFile(call), Overrides(call));
        var (result, paths) = await OnEngine(call, context => UnlearnPipeline.Run(plan, context), anyDevice: plan.Value is not ImageUnlearnPlan);
        var (_, file) = RunReport.Write(paths, ReportLanguage.English);
        return Finished(result, paths, file);
    }

    /// <summary>What is printed of a finished run.</summary>
    /// <param name="result">The run.</param>
    /// <param name="paths">Its folder.</param>
    /// <param name="reports">The reports that were written.</param>
    public static Outcome Finished(UnlearnResult result, RunPaths paths, params IReadOnlyList<string> reports) => new(result, console =>
    {
        console.Profile.Out.Writer.Write(RunReport.Summary(result, ReportLanguage.English));
        console.Profile.Out.Writer.WriteLine($"\nmodel   {paths.Model}\nreport  {string.Join("\n        ", reports)}");
    });
}
