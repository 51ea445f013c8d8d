using System.Diagnostics;
using Lethe.Models.Generative;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Generative;

/// <summary>What is measured again.</summary>
public sealed record EvaluationOptions
{
    /// <summary>The model to measure: a file or folder; null for the one that the run exported.</summary>
    public string? Model { get; init; }

    /// <summary>Samples of each forgotten condition; null for the plan's number.</summary>
    public int? Samples { get; init; }

    /// <summary>Decides all noise; null for one that the run did not use.</summary>
    public long? Seed { get; init; }

    /// <summary>The folder that relative paths in the run's plan are relative to: that of the plan as it was run; null where it has none.</summary>
    public string? PlanFolder { get; init; }
}

/// <summary>
/// Measures a run's model, or any other of the same kind, again: base and judge are the run's own artefacts, verified by their digests; the noise
/// is fresh. Nothing is written. Probes and relearning are left to the run.
/// </summary>
public static class EvaluationPipeline
{
    /// <summary>Measures. Call on the torch thread.</summary>
    /// <param name="paths">The run.</param>
    /// <param name="options">What is measured.</param>
    /// <param name="context">Progress, clock, stopping.</param>
    /// <returns>A result in the layout of result.json, its <see cref="ImageUnlearnResult.Evaluation"/> set.</returns>
    /// <exception cref="UsageException">An option is out of range, or the plan has relative paths and nobody said to what.</exception>
    /// <exception cref="BadInputException">The folder holds no finished run, an artefact is damaged, the model is of another kind, or the data are others.</exception>
    public static ImageUnlearnResult Run(RunPaths paths, EvaluationOptions options, RunContext context)
    {
        var started = context.Time.GetUtcNow();
        var known = UnlearnPipeline.ReadResult<ImageUnlearnResult>(paths, "one on images");
        var plan = Plan(paths, options);
        using var scope = new TensorScope();
        using var data = new DataSource(plan.Value.Data, plan.Source);
        CheckData(paths, data);
        var targets = new UnlearnTargets(plan.Value, data.LabelNames, plan.Source);
        var (baseModel, judge, fisher) = (Artefact.Open(paths, "base"), Artefact.Open(paths, "judge"), Artefact.Open(paths, "fisher"));
        var forgetting = GenerativeStages.ReadForgetting(Artefact.Open(paths, "forget"));
        var original = GenerativeStages.ReadModel(baseModel) with { Sha256 = known.Request.ModelDigest };
        var model = ModelFiles.Read(options.Model ?? paths.Root);
        CheckShape(model, original);
        var own = options.Model is null || model.Sha256 == ModelFiles.Read(paths.Root).Sha256;

        var seconds = new Dictionary<string, double>();
        ModelReading Read(string name, ModelFile file)
        {
            context.Progress.StageStarted(name);
            var from = context.Time.GetTimestamp();
            RateMeter? rate = null;
            var reading = ModelReading.Measure(file, judge, data, plan.Value.Measure, targets, plan.Value.Seed, (done, all, part) =>
            {
                context.Cancellation.ThrowIfCancellationRequested();
                context.Progress.Advanced((rate ??= new RateMeter(context.Time, done)).Progress(name, part, done, all, []));
            });
            seconds[name] = Math.Round(context.Time.GetElapsedTime(from).TotalSeconds, 3);
            context.Progress.StageFinished(name, seconds[name]);
            return reading;
        }
        var (before, after) = (Read("before", original), Read("after", model));
        using var process = Process.GetCurrentProcess();
        var result = new UnlearnResultBuilder(plan.Value, data, targets, before, after).Build(
            known.Run with { Started = started, Finished = context.Time.GetUtcNow(), Seed = plan.Value.Seed, Threads = Engine.Threads, Device = context.Device.ToString(), Libtorch = Engine.Version, Lethe = MachineFacts.LetheVersion, Processor = MachineFacts.Here(Engine.Version).Processor },
            original, model, judge, fisher, forgetting, probes: null, relearning: null, new CostResult(seconds, [], process.PeakWorkingSet64));
        return result with
        {
            Request = known.Request,
            Method = own ? known.Method : new MethodFacts("unknown", "", new Dictionary<string, object?>(), 0, 0, null, known.Method.FisherDigest, known.Method.FisherSamples),
            Evaluation = new EvaluationFacts(paths.Id, model.File, model.Sha256, own),
        };
    }

    private static Plan<ImageUnlearnPlan> Plan(RunPaths paths, EvaluationOptions options)
    {
        if (!File.Exists(paths.Plan))
            throw new BadInputException($"{paths.Root}: there is no plan.yaml; it is no folder of a run.");
        var read = PlanReader.Read<UnlearnPlan>(paths.Plan);
        if (read.Value is not ImageUnlearnPlan plan)
            throw new BadInputException($"{paths.Plan} is no plan of unlearning on images.");
        if (options.PlanFolder is null && Relative(plan).FirstOrDefault() is { } relative)
            throw new UsageException($"The run's plan names '{relative}', relative to where the plan was read; name that folder with --plan-folder.");
        var measure = plan.Measure with { Samples = options.Samples ?? plan.Measure.Samples };
        // Any other number gives other noise; the next one is as good as any and the same every time.
        var seed = options.Seed ?? (plan.Seed == long.MaxValue ? 0 : plan.Seed + 1);
        return new(plan with { Measure = measure, Seed = seed }, options.PlanFolder is { } folder ? Path.Combine(folder, "plan.yaml") : read.Source);
    }

    private static IEnumerable<string> Relative(ImageUnlearnPlan plan) =>
        plan.Forget.SelectMany(forget => Folders(forget.Surrogate)).Prepend(plan.Data.Folder).OfType<string>().Where(path => !Path.IsPathRooted(path) && !PlanPaths.IsNamed(path));

    private static IEnumerable<string> Folders(SurrogatePlan plan) => plan switch
    {
        ImagesPlan images => [images.Folder],
        BlendPlan blend => Folders(blend.First).Concat(Folders(blend.Second)),
        _ => [],
    };

    private static void CheckData(RunPaths paths, DataSource data)
    {
        var recorded = Artefact.Open(paths, "after").Record.Inputs.FirstOrDefault(input => input.Name == data.Input.Name);
        if (recorded is not null && recorded.Digest != data.Input.Digest)
            throw new BadInputException($"The {data.Title} files here are not those that {paths.Id} was measured with (digest {data.Input.Digest[..12]}, the run's {recorded.Digest[..12]}); the two could not be compared. Put the run's files back.");
    }

    private static void CheckShape(ModelFile model, ModelFile original)
    {
        using var given = ConditionalVae.FromState(model.Tensors);
        using var own = ConditionalVae.FromState(original.Tensors);
        if (given.Options != own.Options)
            throw new BadInputException($"{model.File}: the model is {Words(given.Options)}; the run's is {Words(own.Options)}. Only models of the same sizes can be compared tensor by tensor.");
    }

    private static string Words(ConditionalVaeOptions sizes) => $"{sizes.Pixels}-{sizes.Outer}-{sizes.Inner}-{sizes.Latent} with {sizes.Conditions} conditions";
}
