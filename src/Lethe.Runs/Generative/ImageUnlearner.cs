using Lethe.Formats;
using Lethe.Models.Generative;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Generative;

/// <summary>Makes a conditional image generator forget by a plan: base ▸ judge ▸ before ▸ Fisher ▸ forget ▸ export ▸ after ▸ probes ▸ relearning.</summary>
public sealed class ImageUnlearner : IUnlearner
{
    /// <summary>Folders of the run that hold samples of every condition, a PNG strip each, named by its label: from the same latents before and after.</summary>
    public const string BeforePictures = "samples/before", AfterPictures = "samples/after";

    private readonly ImageUnlearnPlan plan;
    private readonly string planFile;
    private readonly DataSource data;
    private readonly UnlearnTargets targets;

    internal ImageUnlearner(ImageUnlearnPlan plan, string planFile)
    {
        (this.plan, this.planFile) = (plan, planFile);
        data = new DataSource(plan.Data, planFile);
        try
        {
            targets = new UnlearnTargets(plan, data.LabelNames, planFile);
            data.Require(targets.Retained, plan.Relearn.Enabled ? targets.Concepts.Select(concept => concept.Label) : []);
            foreach (var model in new[] { plan.Base, plan.Relearn.Enabled ? plan.Relearn.Control : null }.OfType<CheckpointModel>())
                GenerativeStages.ReadGenerator(model, data, planFile);
            if (plan.Judge is CheckpointJudge named)
                GenerativeStages.ReadJudge(named, data, planFile);
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    RunEstimate IUnlearner.Estimate => Estimates.Of(plan);

    UnlearnResult IUnlearner.Unlearn(UnlearnRun run)
    {
        var runner = run.Runner;
        var stages = new GenerativeStages(runner, data, planFile);
        var baseModel = stages.Base(plan.Base, plan.Seed);
        var judge = stages.Judge(plan.Judge, plan.Seed);
        var original = plan.Base is CheckpointModel given ? ModelFiles.Read(PlanPaths.Resolve(given.Path, planFile)) : GenerativeStages.ReadModel(baseModel);
        var before = ModelReading.Stage(runner, "before", original, judge, data, plan.Measure, targets, plan.Seed);
        var fisher = stages.Fisher(baseModel, plan.Fisher, plan.Seed);
        var forgotten = stages.Forget(baseModel, fisher, targets, plan.Method, plan.Seed);
        var exported = ModelFiles.Read(ModelFiles.Export(original, GenerativeStages.ReadModel(forgotten).Tensors, run.Paths.Model));
        var after = ModelReading.Stage(runner, "after", exported, judge, data, plan.Measure, targets, plan.Seed);
        var traces = new Traces(runner, data, plan.Measure, plan.Relearn, plan.Seed);
        var probes = plan.Measure.Probes ? traces.Probe(original, exported, targets) : null;
        var relearning = plan.Relearn.Enabled ? Relearn(traces, stages, plan, original, exported, judge, targets, before) : null;

        WritePictures(run.Paths, before, after);
        return new UnlearnResultBuilder(plan, data, targets, before, after).Build(
            run.Facts(), original, exported, judge, fisher, GenerativeStages.ReadForgetting(forgotten), probes, relearning, run.Cost());
    }

    /// <summary>Closes the data.</summary>
    public void Dispose() => data.Dispose();

    private static List<RelearnResult> Relearn(Traces traces, GenerativeStages stages, ImageUnlearnPlan plan, ModelFile original, ModelFile exported, Artefact judge, UnlearnTargets targets, ModelReading before) =>
        [.. targets.Concepts.Select(concept =>
        {
            var (control, kind) = Control(stages, plan, original, concept.Label);
            return traces.Relearn(exported, judge, concept, control, kind, before.Bound.Of([concept.Label]).Value);
        })];

    private static (ModelFile Model, string Kind) Control(GenerativeStages stages, ImageUnlearnPlan plan, ModelFile original, int label) =>
        (plan.Relearn.Control ?? plan.Base) switch
        {
            TrainedModel trained => (GenerativeStages.ReadModel(stages.Base(trained, plan.Seed, $"control-{label}", [label])), ControlKinds.TrainedWithoutClass),
            CheckpointModel when plan.Relearn.Control is { } named => (GenerativeStages.ReadModel(stages.Base(named, plan.Seed, $"control-{label}")), ControlKinds.TrainedWithoutClass),
            _ => (ControlModels.ResetOwnWeights(original, label, (ulong)plan.Seed), ControlKinds.ClassWeightsReset),
        };

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
