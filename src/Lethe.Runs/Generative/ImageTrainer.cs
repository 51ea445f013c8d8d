using System.Globalization;
using System.Text.Json;
using Lethe.Evaluation;
using Lethe.Evaluation.Likelihood;
using Lethe.Formats;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Generative;

/// <summary>result.json of a training run of a conditional VAE or a judge.</summary>
/// <param name="Kind">"conditional_vae" or "judge".</param>
/// <param name="Title">The plan's title.</param>
/// <param name="Run">Where and when.</param>
/// <param name="Dataset">Data set.</param>
/// <param name="ModelDigest">SHA-256 of the weights.</param>
/// <param name="NegativeElbo">−ELBO of the test images, nats an image; only for a VAE.</param>
/// <param name="Accuracy">Share of the test images judged right; only for a judge.</param>
/// <param name="Cost">Time and memory.</param>
public sealed record ImageTrainResult(string Kind, string Title, RunFacts Run, string Dataset, string ModelDigest, Measure? NegativeElbo, Measure? Accuracy, CostResult Cost)
    : TrainResult(Kind, Title, Run, ModelDigest, Cost)
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Summary()
    {
        var lines = new List<string>();
        if (NegativeElbo is { } bound)
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"-ELBO of the test images  {bound.Value:0.00} ± {bound.StandardError:0.00} nats an image (n = {bound.N})"));
        if (Accuracy is { } accuracy)
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"judged right  {accuracy.Value:P2} of {accuracy.N} test images"));
        return lines;
    }
}

/// <summary>Trains a conditional VAE or a judge on a data set of images, and measures it on the test set.</summary>
internal sealed class ImageTrainer : ITrainer
{
    private readonly TrainPlan plan;
    private readonly string planFile;
    private readonly DataSource data;
    private readonly int[] leaveOut;

    public ImageTrainer(ImageTrainPlan plan, string planFile, RunContext context)
    {
        if (context.Device != Device.Cpu)
            throw new UsageException($"--device is {context.Device}; conditional VAEs and judges are trained on the cpu, where that takes minutes. Leave --device out.");
        (this.plan, this.planFile) = (plan, planFile);
        data = new DataSource(plan.Data, planFile);
        leaveOut = plan is TrainVaePlan vae ? [.. vae.LeaveOut.Select(word => Labels.Find(word, data.LabelNames, "leave_out")).Distinct().Order()] : [];
        if (leaveOut.Length == data.LabelNames.Count)
            throw new UsageException("leave_out names every label; at least one must be left to train on.");
    }

    public long DiskBytes => 100L << 20;

    public TrainResult Train(TrainRun run)
    {
        var stages = new GenerativeStages(run.Runner, data, planFile);
        var (artefact, bound, accuracy, kind) = plan switch
        {
            TrainVaePlan generator => Train(stages, run.Runner, generator),
            TrainJudgePlan judge => Train(stages, judge),
            _ => throw new NotSupportedException($"{plan.GetType().Name} is no kind of training."),
        };
        Directory.CreateDirectory(run.Paths.Model);
        var model = Path.Combine(run.Paths.Model, "model.safetensors");
        AtomicFile.Copy(artefact.PathOf("model.safetensors"), model);
        return new ImageTrainResult(kind, plan.Title, run.Facts(), data.Title, FolderTree.Sha256(model), bound, accuracy, run.Cost());
    }

    public void Dispose() => data.Dispose();

    private (Artefact, Measure?, Measure?, string) Train(GenerativeStages stages, StageRunner runner, TrainVaePlan plan)
    {
        var artefact = stages.Base(plan.Model, plan.Seed, "train", leaveOut);
        var measured = runner.Run(
            new Stage { Name = "test", Method = "negative-elbo", Version = 1, Options = new { plan.Draws, plan.Seed, leaveOut }, Inputs = [artefact.As("model"), data.Input], Environment = GenerativeStages.Environment },
            work =>
            {
                using var scope = new TensorScope();
                using var model = GenerativeStages.ReadVae(artefact);
                using var random = new RandomStream(RandomStream.ChildSeed((ulong)plan.Seed, "measure"));
                var (images, labels) = data.TestValues();
                int[] seen = [.. Enumerable.Range(0, data.LabelNames.Count).Except(leaveOut)];
                var bound = NegativeElbo.Measure(model, images, labels, random, new NegativeElboOptions { Draws = plan.Draws });
                work.WriteJson("bound.json", bound.Of(seen, Better.Lower));
            });
        var bound = JsonSerializer.Deserialize<Measure>(File.ReadAllBytes(measured.PathOf("bound.json")), ResultJson.Options);
        return (artefact, bound, null, "conditional_vae");
    }

    private (Artefact, Measure?, Measure?, string) Train(GenerativeStages stages, TrainJudgePlan plan)
    {
        var artefact = stages.Judge(new TrainedJudge { Training = plan.Training }, plan.Seed);
        return (artefact, null, GenerativeStages.JudgeAccuracy(artefact, data), "judge");
    }
}
