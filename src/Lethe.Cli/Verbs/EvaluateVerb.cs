using System.CommandLine;
using Lethe.Cli.Frame;
using Lethe.Reports;
using Lethe.Runs;
using Lethe.Runs.Generative;
using Lethe.Torch;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe evaluate</c>: measures a run's model, or another one, again with fresh noise.</summary>
public sealed class EvaluateVerb : Verb
{
    private readonly Argument<string> run = Typed.Required("RUN", "The folder of a finished run; its base model, judge and plan are used.");
    private readonly Option<string?> model = Typed.Text("--model", "MODEL", "The model to measure: a safetensors file, a torch checkpoint, a model folder or a run; default: the one that RUN exported.");
    private readonly Option<long?> samples = Typed.Whole("--samples", "N", 10, 1_000_000, "Samples of each forgotten condition; default: the plan's.");
    private readonly Option<string?> planFolder = Typed.Text("--plan-folder", "FOLDER", "What relative paths in the run's plan are relative to; default: none, and a plan that has such asks for it.");

    /// <inheritdoc/>
    public override string Name => "evaluate";

    /// <inheritdoc/>
    public override string Summary => "Measures a run's model, or any other, again with fresh noise.";

    /// <inheritdoc/>
    public override string Description =>
        "Measures forgetting and keeping again: the base model and the judge that RUN keeps, verified by their digests, the model's file, and fresh noise. --seed chooses the noise; the run's own seed "
        + "gives the run's own figures; without it the seed is the run's plus 1. Nothing is written. Probes and relearning are not repeated.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("evaluate runs/quickstart", "do the figures hold with other noise?"),
        new("evaluate runs/quickstart --model elsewhere/model.safetensors --json", "another model against the run's base, as JSON"),
        new("evaluate runs/quickstart --samples 100000 --seed 7", "more samples, noise of your choice"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [run];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [model, samples, planFolder];

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
    {
        await using var progress = call.Progress();
        var result = await Task.Run(() => Engine.Run(() =>
        {
            PlanVerb.Setup(call);
            return EvaluationPipeline.Run(
                new RunPaths(call.Value(run)),
                new EvaluationOptions { Model = call.Value(model), Samples = (int?)call.Value(samples), Seed = call.Global.Seed, PlanFolder = call.Value(planFolder) },
                new RunContext { Progress = progress.Sink, Cancellation = call.Stop });
        }));
        return new Outcome(result, console =>
        {
            console.Profile.Out.Writer.Write(TextSummary.Render(result, ReportLanguage.English));
            console.Profile.Out.Writer.WriteLine($"\nmeasured  {result.Evaluation!.Model} with seed {result.Run.Seed}");
        });
    }
}
