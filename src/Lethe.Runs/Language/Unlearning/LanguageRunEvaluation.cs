using System.Text.Json;
using Lethe.Models.Language.Checkpoints;
using Lethe.Runs.Language.Topics;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>
/// Asks a run's questions again: of the model that it exported, or of another. What the base model, and one that never knew, made of them is the run's own artefact, verified by its digest. Asking has no noise, so that the run's own
/// model gives the run's own figures on the same machine. Nothing is written.
/// </summary>
public static class LanguageRunEvaluation
{
    /// <summary>Measures. Call on the torch thread.</summary>
    /// <param name="paths">The run.</param>
    /// <param name="model">The model to ask; null for the one that the run exported.</param>
    /// <param name="planFolder">What relative paths in the run's plan are relative to; null where it has none.</param>
    /// <param name="context">Progress, clock, device, stopping.</param>
    /// <exception cref="UsageException">The plan has relative paths and nobody said to what.</exception>
    /// <exception cref="BadInputException">The folder holds no finished run on a language model, an artefact is damaged, the model is of another shape, or questions and texts are others.</exception>
    public static LanguageUnlearnResult Run(RunPaths paths, string? model, string? planFolder, RunContext context)
    {
        var started = context.Time.GetUtcNow();
        var known = UnlearnPipeline.ReadResult<LanguageUnlearnResult>(paths, "one on a language model");
        var plan = PlanReader.Read<UnlearnPlan>(paths.Plan).Value as LanguageUnlearnPlan ?? throw new BadInputException($"{paths.Plan} is no plan of unlearning on a language model.");
        if (planFolder is null && Relative(plan, known.Request.ModelRun is null).FirstOrDefault() is { } relative)
            throw new UsageException($"The run's plan names '{relative}', relative to where the plan was read; name that folder with --plan-folder.");
        var planFile = planFolder is null ? paths.Plan : Path.Combine(planFolder, "plan.yaml");
        using var scope = new TensorScope();
        var ground = Ground.Read(plan.Ground, planFile);
        if (ground.Digest != known.Request.GroundDigest)
            throw new BadInputException($"The questions and texts here are not those that {paths.Id} was measured with (digest {ground.Digest[..12]}, the run's {known.Request.GroundDigest[..12]}); the two could not be compared. Put the run's files back.");
        // Points of a study keep no model.
        var kept = Directory.Exists(paths.Model);
        if (model is null && !kept)
            throw new BadInputException($"{paths.Root} keeps no model to measure; name one with --model, or run its plan again (a study keeps its models with keep_models: true).");
        var path = model is null ? paths.Model : LanguageModelPath.Find(model) ?? model;
        using var checkpoint = LanguageCheckpoint.Open(path);
        // A training plan may have changed since; the run that it made lies where it lay.
        using var original = known.Request.ModelRun is { } trained ? LanguageCheckpoint.Open(Path.GetFullPath(Path.Combine(paths.Root, trained, "model"))) : LanguageUnlearner.Open(plan.Model, planFile, "");
        if (known.Request.ModelRun is not null && LanguageModelDigest.Of(original.Path) != known.Request.ModelDigest)
            throw new BadInputException($"{original.Path}: the base model is not the one that {paths.Id} began with; it was trained again since. Run the plan of {paths.Id} again.");
        if (!original.Weights.Names.ToHashSet().SetEquals(checkpoint.Weights.Names) || original.Weights.Names.FirstOrDefault(name => !original.Weights.Describe(name).Shape.SequenceEqual(checkpoint.Weights.Describe(name).Shape)) is not null)
            throw new BadInputException($"{path}: the model has other tensors than the run's base model; only models of one shape can be compared tensor by tensor.");
        var measuring = new LanguageMeasuring(plan.Measure, ground, checkpoint, planFile, context.Device);
        var before = JsonSerializer.Deserialize<LanguageReading>(File.ReadAllBytes(Artefact.Open(paths, "before").PathOf(LanguageMeasuring.ReadingName)), ResultJson.Options)!;
        var control = plan.NeverKnew is null ? null : JsonSerializer.Deserialize<LanguageReading>(File.ReadAllBytes(Artefact.Open(paths, NeverKnewModel.StageName).PathOf(LanguageMeasuring.ReadingName)), ResultJson.Options);

        context.Progress.StageStarted("after");
        var from = context.Time.GetTimestamp();
        RateMeter? rate = null;
        string? at = null;
        var after = measuring.Measure(path, (done, all, part) =>
        {
            context.Cancellation.ThrowIfCancellationRequested();
            if (at != part)
                (rate, at) = (null, part);
            context.Progress.Advanced((rate ??= new RateMeter(context.Time, done)).Progress("after", part, done, all, []));
        }, context.Cancellation);
        var seconds = Math.Round(context.Time.GetElapsedTime(from).TotalSeconds, 3);
        context.Progress.StageFinished("after", seconds);

        var own = model is null || kept && LanguageModelDigest.OfWeights(path) == LanguageModelDigest.OfWeights(paths.Model);
        var builder = new LanguageResultBuilder(ground, measuring.Tests, measuring.Shown, before, after, control);
        string[] moved = own ? [.. known.Moved.Select(tensor => tensor.Name)] : [.. original.Weights.Names];
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return known with
        {
            Run = known.Run with { Started = started, Finished = context.Time.GetUtcNow(), Threads = Engine.Threads, Device = context.Device.ToString(), Libtorch = Engine.Version, Lethe = MachineFacts.LetheVersion, Processor = MachineFacts.Here(Engine.Version).Processor },
            Method = own ? known.Method : new LanguageMethodFacts("unknown", new Dictionary<string, object?>(), 0, 0, null, 0, 0, 0, 0),
            Forget = builder.Forget(),
            Retain = builder.Retain(),
            Perplexity = builder.Perplexity(),
            Answers = builder.Answers(),
            Moved = [.. LanguageExport.Moved(original, checkpoint, moved).Where(tensor => own || tensor.Norm > 0)],
            Cost = new CostResult(new Dictionary<string, double> { ["after"] = seconds }, [], process.PeakWorkingSet64),
            Evaluation = new EvaluationFacts(paths.Id, path, LanguageModelDigest.Of(path), own),
        };
    }

    /// <summary>Whether a folder is that of a run on a language model.</summary>
    public static bool IsRun(RunPaths paths) => File.Exists(paths.Result) && Directory.Exists(paths.Stages) && UnlearnPipeline.ReadResult(paths) is LanguageUnlearnResult;

    private static IEnumerable<string> Relative(LanguageUnlearnPlan plan, bool model) =>
        plan.Ground.Questions.Concat(plan.Ground.Statements.Select(source => source.Path)).Concat(plan.Measure.Perplexity.Select(corpus => corpus.Path)).Concat(model ? [plan.Model] : [])
            .Where(path => !Path.IsPathRooted(path) && !PlanPaths.IsNamed(path));
}
