using System.Diagnostics;
using System.Text.Json;
using Lethe.Formats;
using Lethe.Models.Generative;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Generative;

/// <summary>
/// One unlearning run from plan to result: base ▸ judge ▸ before ▸ Fisher ▸ forget ▸ export ▸ after ▸ probes ▸ relearning. Each stage is an
/// artefact that is not computed twice; "after" is measured from the exported files.
/// </summary>
public static class UnlearnPipeline
{
    /// <summary>Folders of the run that hold samples of every condition, a PNG strip each, named by its label: from the same latents before and after.</summary>
    public const string BeforePictures = "samples/before", AfterPictures = "samples/after";

    /// <summary>Runs a plan. Call on the torch thread.</summary>
    /// <returns>The result, which is also result.json in the folder, and the folder.</returns>
    /// <exception cref="UsageException">The plan asks for what cannot be.</exception>
    /// <exception cref="BadInputException">A model, judge or data set is missing or damaged.</exception>
    /// <exception cref="RunCancelledException">The user stopped it.</exception>
    public static (UnlearnResult Result, RunPaths Paths) Run(Plan<UnlearnPlan> plan, RunContext context)
    {
        var started = context.Time.GetUtcNow();
        var value = plan.Value;
        using var scope = new TensorScope();
        // Everything that can be refused is refused before the folder is made.
        using var data = new DataSource(value.Data, plan.Source);
        var targets = new UnlearnTargets(value, data.LabelNames, plan.Source);
        data.Require(targets.Retained, value.Relearn.Enabled ? targets.Concepts.Select(concept => concept.Label) : []);
        foreach (var model in new[] { value.Base, value.Relearn.Enabled ? value.Relearn.Control : null }.OfType<CheckpointModel>())
            GenerativeStages.ReadGenerator(model, data, plan.Source);
        if (value.Judge is CheckpointJudge named)
            GenerativeStages.ReadJudge(named, data, plan.Source);
        var path = context.RunFolder ?? Path.Combine(context.RunsFolder, RunFolder.NameFor(plan.Source, plan));
        using var folder = RunFolder.Open(path, plan, Estimates.Disk(value), time: context.Time);
        Preflight.Check(Estimates.Of(value), path, ThisMachine.Instance, context.Progress);
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

        var baseModel = stages.Base(value.Base, value.Seed);
        var judge = stages.Judge(value.Judge, value.Seed);
        var original = value.Base is CheckpointModel given ? ModelFiles.Read(PlanPaths.Resolve(given.Path, plan.Source)) : GenerativeStages.ReadModel(baseModel);
        var before = ModelReading.Stage(runner, "before", original, judge, data, value.Measure, targets, value.Seed);
        var fisher = stages.Fisher(baseModel, value.Fisher, value.Seed);
        var forgotten = stages.Forget(baseModel, fisher, targets, value.Method, value.Seed);
        var exported = ModelFiles.Read(ModelFiles.Export(original, GenerativeStages.ReadModel(forgotten).Tensors, folder.Paths.Model));
        var after = ModelReading.Stage(runner, "after", exported, judge, data, value.Measure, targets, value.Seed);
        var traces = new Traces(runner, data, value.Measure, value.Relearn, value.Seed);
        var probes = value.Measure.Probes ? traces.Probe(original, exported, targets) : null;
        var relearning = value.Relearn.Enabled ? Relearn(traces, stages, value, original, exported, judge, targets, before) : null;

        var result = new UnlearnResultBuilder(value, data, targets, before, after).Build(
            new RunFacts(folder.Paths.Id, started, context.Time.GetUtcNow(), value.Seed, Engine.Threads, context.Device.ToString(), Engine.Version, MachineFacts.LetheVersion, MachineFacts.Here(Engine.Version).Processor),
            original, exported, judge, fisher, GenerativeStages.ReadForgetting(forgotten), probes, relearning, Cost(runner));
        WritePictures(folder.Paths, before, after);
        // Written once: a run that is found complete keeps the times of the invocation that completed it.
        if (Reread(folder.Paths.Result, result) is { } kept)
            result = kept;
        else
            folder.WriteResult(result);
        runner.Complete();
        return (result, folder.Paths);
    }

    /// <summary>Reads result.json of a finished run.</summary>
    /// <exception cref="BadInputException">The folder holds no finished run.</exception>
    public static UnlearnResult ReadResult(RunPaths paths)
    {
        if (!File.Exists(paths.Result))
            throw new BadInputException($"{paths.Root}: there is no result.json; it is no run, or one that is not finished. Run its plan again to finish it.");
        try
        {
            return JsonSerializer.Deserialize<UnlearnResult>(File.ReadAllBytes(paths.Result), ResultJson.Options)!;
        }
        catch (JsonException error)
        {
            throw new BadInputException($"{paths.Result}: the result cannot be read: {error.Message}", error);
        }
    }

    private static List<RelearnResult> Relearn(Traces traces, GenerativeStages stages, UnlearnPlan plan, ModelFile original, ModelFile exported, Artefact judge, UnlearnTargets targets, ModelReading before) =>
        [.. targets.Concepts.Select(concept =>
        {
            var (control, kind) = Control(stages, plan, original, concept.Label);
            return traces.Relearn(exported, judge, concept, control, kind, before.Bound.Of([concept.Label]).Value);
        })];

    private static (ModelFile Model, string Kind) Control(GenerativeStages stages, UnlearnPlan plan, ModelFile original, int label) =>
        (plan.Relearn.Control ?? plan.Base) switch
        {
            TrainedModel trained => (GenerativeStages.ReadModel(stages.Base(trained, plan.Seed, $"control-{label}", [label])), ControlKinds.TrainedWithoutClass),
            CheckpointModel when plan.Relearn.Control is { } named => (GenerativeStages.ReadModel(stages.Base(named, plan.Seed, $"control-{label}")), ControlKinds.TrainedWithoutClass),
            _ => (ControlModels.ResetOwnWeights(original, label, (ulong)plan.Seed), ControlKinds.ClassWeightsReset),
        };

    internal static CostResult Cost(StageRunner runner)
    {
        using var process = Process.GetCurrentProcess();
        return new CostResult(
            runner.Artefacts.ToDictionary(artefact => artefact.Record.Stage, artefact => artefact.Record.Seconds),
            [.. runner.Artefacts.Where(artefact => artefact.Source != ArtefactSource.Computed).Select(artefact => artefact.Record.Stage)],
            process.PeakWorkingSet64);
    }

    private static UnlearnResult? Reread(string path, UnlearnResult now)
    {
        if (!File.Exists(path) || now.Cost.Cached.Count < now.Cost.Seconds.Count)
            return null;
        try
        {
            // What an earlier version left may differ although every stage was found: a run killed between its last stage and its result.
            return JsonSerializer.Deserialize<UnlearnResult>(File.ReadAllBytes(path), ResultJson.Options) is { } kept && Findings(kept) == Findings(now) ? kept : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // All but when and how long, as JSON.
    private static string Findings(UnlearnResult result) => JsonSerializer.Serialize(result with
    {
        Run = result.Run with { Started = default, Finished = default, Lethe = "" },
        Cost = new CostResult(new Dictionary<string, double>(), [], 0),
    }, ResultJson.Options);

    private static void WritePictures(RunPaths paths, ModelReading before, ModelReading after)
    {
        foreach (var (name, samples) in ((string, HostArray)[])[(BeforePictures, before.Samples), (AfterPictures, after.Samples)])
        {
            var folder = Path.Combine(paths.Root, name);
            Directory.CreateDirectory(folder);
            var (conditions, count) = ((int)samples.Shape[0], (int)samples.Shape[1]);
            var bytes = samples.Bytes.Length / conditions;
            for (var label = 0; label < conditions; label++)
                AtomicFile.WriteAllBytes(Path.Combine(folder, $"{label}.png"), SampleGrid.Render(
                    new HostArray(samples.Type, [count, 28, 28], samples.Bytes.Slice(label * bytes, bytes)), new SampleGridOptions { Columns = count, Scale = 2 }));
        }
    }
}
