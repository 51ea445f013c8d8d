using Lethe.Cli.Frame;
using Lethe.Cli.Reporting;
using Lethe.Runs;
using Lethe.Runs.Plans;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe train</c>: trains a model by a plan.</summary>
public sealed class TrainVerb : PlanVerb
{
    /// <inheritdoc/>
    public override string Name => "train";

    /// <inheritdoc/>
    public override string Summary => "Trains a model by a plan: an image generator, a judge, a language model, sparse autoencoders.";

    /// <inheritdoc/>
    public override string Description =>
        "Trains what a plan describes, measures it on what is held out and writes the model into model/ of the run's folder. A run that was stopped or killed goes on where it was.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("train plans/mnist-vae.yaml", "the conditional VAE of the paper"),
        new("train plans/fashion-judge.yaml", "a judge for Fashion-MNIST"),
        new("train plans/tiny-shakespeare.yaml", "a small Llama and its tokenizer from text; continue text with it by: generate runs/…"),
        new("train plans/stories260K-sae.yaml", "a sparse autoencoder on a tiny language model"),
        new("train plans/mnist-vae.yaml --set model.training.steps=2000", "a tenth of the training"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<PlanHelpEntry> PlanKeys => PlanHelp.Entries(typeof(TrainPlan));

    /// <inheritdoc/>
    public override async Task<Outcome> Run(Call call)
    {
        var plan = PlanReader.Read<TrainPlan>(PlanFile(call), Overrides(call));
        var (result, paths) = await OnEngine(call, context => TrainPipeline.Run(plan, context), anyDevice: true);
        var chart = result.Curves() is { Count: > 0 } ? RunChart.Write(paths, result) : null;
        return new Outcome(result, console =>
        {
            var writer = console.Profile.Out.Writer;
            foreach (var line in result.Summary())
                writer.WriteLine(line);
            writer.WriteLine($"model  {paths.Model}");
            if (chart is not null)
                writer.WriteLine($"curve  {chart}");
        });
    }
}
