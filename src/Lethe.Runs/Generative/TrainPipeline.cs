using Lethe.Evaluation;
using Lethe.Evaluation.Likelihood;
using Lethe.Formats;
using Lethe.Models.Generative;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Generative;

/// <summary>result.json of a training run.</summary>
/// <param name="Kind">"conditional_vae" or "judge".</param>
/// <param name="Title">The plan's title.</param>
/// <param name="Run">Where and when.</param>
/// <param name="Dataset">Data set.</param>
/// <param name="ModelDigest">SHA-256 of the weights.</param>
/// <param name="NegativeElbo">−ELBO of the test images, nats an image; only for a VAE.</param>
/// <param name="Accuracy">Share of the test images judged right; only for a judge.</param>
/// <param name="Cost">Time and memory.</param>
public sealed record TrainResult(string Kind, string Title, RunFacts Run, string Dataset, string ModelDigest, Measure? NegativeElbo, Measure? Accuracy, CostResult Cost)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.train/1";
}

/// <summary>One training run from plan to result: a model in model/, measured on the test set.</summary>
public static class TrainPipeline
{
    /// <summary>Runs a plan. Call on the torch thread.</summary>
    /// <exception cref="UsageException">The plan asks for what cannot be.</exception>
    /// <exception cref="BadInputException">The data set is missing or damaged.</exception>
    /// <exception cref="RunCancelledException">The user stopped it.</exception>
    public static (TrainResult Result, RunPaths Paths) Run(Plan<TrainPlan> plan, RunContext context)
    {
        var started = context.Time.GetUtcNow();
        using var scope = new TensorScope();
        using var data = new DataSource(plan.Value.Data, plan.Source);
        var leaveOut = plan.Value is TrainVaePlan vae ? vae.LeaveOut.Select(word => Labels.Find(word, data.LabelNames, "leave_out")).Distinct().Order().ToArray() : [];
        if (leaveOut.Length == data.LabelNames.Count)
            throw new UsageException("leave_out names every label; at least one must be left to train on.");
        var path = context.RunFolder ?? Path.Combine(context.RunsFolder, RunFolder.NameFor(plan.Source, plan));
        using var folder = RunFolder.Open(path, plan, 100L << 20, time: context.Time);
        using var runner = new StageRunner(folder, new StageRunnerOptions
        {
            Cache = new ArtefactCache(context.CacheFolder ?? ArtefactCache.DefaultFolder(path), context.Time),
            Progress = context.Progress,
            Time = context.Time,
            Cancellation = context.Cancellation,
            Training = context.Training,
            ResumeHint = context.ResumeHint,
            Machine = MachineFacts.Here(Engine.Version),
        });
        var stages = new GenerativeStages(runner, data, plan.Source);
        var (artefact, bound, accuracy, kind) = plan.Value switch
        {
            TrainVaePlan generator => Train(stages, runner, data, generator, leaveOut),
            TrainJudgePlan judge => Train(stages, data, judge),
            _ => throw new NotSupportedException($"{plan.Value.GetType().Name} is no kind of training."),
        };
        Directory.CreateDirectory(folder.Paths.Model);
        var model = Path.Combine(folder.Paths.Model, "model.safetensors");
        AtomicFile.Copy(artefact.PathOf("model.safetensors"), model);
        var result = new TrainResult(kind, plan.Value.Title,
            new RunFacts(folder.Paths.Id, started, context.Time.GetUtcNow(), plan.Value.Seed, Engine.Threads, context.Device.ToString(), Engine.Version, MachineFacts.LetheVersion, MachineFacts.Here(Engine.Version).Processor),
            data.Title, FolderTree.Sha256(model), bound, accuracy, UnlearnPipeline.Cost(runner));
        folder.WriteResult(result);
        runner.Complete();
        return (result, folder.Paths);
    }

    private static (Artefact, Measure?, Measure?, string) Train(GenerativeStages stages, StageRunner runner, DataSource data, TrainVaePlan plan, int[] leaveOut)
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
        var bound = System.Text.Json.JsonSerializer.Deserialize<Measure>(File.ReadAllBytes(measured.PathOf("bound.json")), ResultJson.Options);
        return (artefact, bound, null, "conditional_vae");
    }

    private static (Artefact, Measure?, Measure?, string) Train(GenerativeStages stages, DataSource data, TrainJudgePlan plan)
    {
        var artefact = stages.Judge(new TrainedJudge { Training = plan.Training }, plan.Seed);
        return (artefact, null, GenerativeStages.JudgeAccuracy(artefact, data), "judge");
    }
}
