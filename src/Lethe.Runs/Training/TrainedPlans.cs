using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>A place in a plan that names a model, or the plan that trains it.</summary>
/// <param name="Key">The plan's key.</param>
/// <param name="Path">What stands there.</param>
/// <param name="Kind">What such a plan has to train: the record of its kind.</param>
internal sealed record NamedModel(string Key, string Path, Type Kind);

/// <summary>
/// Training plans in the place of models: a plan that names another plan's file means what that one trains. It is trained first, as a run of its own beside the run that
/// needs it, under the name that <c>lethe train</c> would give it; one that is finished is found finished.
/// </summary>
internal static class TrainedPlans
{
    /// <summary>Whether a plan names a training plan there, and not a model.</summary>
    public static bool Is(string path) => Path.GetExtension(path).ToLowerInvariant() is ".yaml" or ".yml";

    /// <summary>What a plan means by a path: the path itself, or the run of the training plan that it names.</summary>
    /// <param name="path">As the plan writes it.</param>
    /// <param name="planFile">The plan's file.</param>
    /// <param name="runsFolder">Where runs are made.</param>
    public static string Locate(string path, string planFile, string runsFolder)
    {
        var file = PlanPaths.Resolve(path, planFile);
        return Is(path) ? FolderOf(PlanReader.Read<TrainPlan>(file), runsFolder) : file;
    }

    /// <summary>The training plan that a plan names; null where it names a model.</summary>
    public static TrainPlan? Read(string path, string planFile) => Is(path) ? PlanReader.Read<TrainPlan>(PlanPaths.Resolve(path, planFile)).Value : null;

    /// <summary>The run of the training plan that a plan names, relative to a run of that plan; null where it names a model.</summary>
    public static string? RunOf(string path, string planFile, RunContext context, RunPaths run) =>
        Is(path) ? Path.GetRelativePath(Path.GetFullPath(run.Root), Path.GetFullPath(Locate(path, planFile, context.BesideRun))) : null;

    /// <summary>Trains what a plan's training plans train, unless it is there. All are read before the first is trained, so that a mistake in the last is told at once.</summary>
    /// <param name="models">The places that may name one.</param>
    /// <param name="planFile">The plan's file.</param>
    /// <param name="context">What the plan's run is given.</param>
    /// <param name="check">Refuses what else is wrong with the plan, before hours of training; called only where there is something to train.</param>
    /// <exception cref="UsageException">A plan trains something else than is needed there, or names itself.</exception>
    /// <exception cref="RunCancelledException">The user stopped it.</exception>
    public static void Train(IEnumerable<NamedModel> models, string planFile, RunContext context, Action? check = null)
    {
        var plans = new List<Plan<TrainPlan>>();
        foreach (var model in models)
            Collect(model, planFile, [Path.GetFullPath(planFile)], plans);
        var left = plans.Where(plan => !context.Trained.Contains(Path.GetFullPath(FolderOf(plan, context.BesideRun)))).ToList();
        if (left.Count > 0)
            check?.Invoke();
        foreach (var plan in left)
        {
            var folder = FolderOf(plan, context.BesideRun);
            // One plan may stand in several places, and a sweep's points have the same.
            if (!context.Trained.Add(Path.GetFullPath(folder)))
                continue;
            context.Progress.Note("prerequisite", $"{Path.GetFileName(plan.Source)}, in {folder}");
            TrainPipeline.Run(plan, context with { RunFolder = folder, WaitsForFolder = true });
        }
    }

    private static void Collect(NamedModel model, string planFile, IReadOnlyList<string> above, List<Plan<TrainPlan>> plans)
    {
        if (!Is(model.Path))
            return;
        var file = PlanPaths.Resolve(model.Path, planFile);
        if (above.Contains(file))
            throw new UsageException($"{planFile}: '{model.Key}' names {file}, which this plan itself is needed for ({string.Join(" -> ", above.Append(file).Select(Path.GetFileName))}); name a model, or a plan that does not lead back.");
        var plan = PlanReader.Read<TrainPlan>(file);
        if (plan.Value.GetType() != model.Kind)
            throw new UsageException($"{planFile}: '{model.Key}' names {file}, a plan of kind {Word(plan.Value.GetType())}; a plan of kind {Word(model.Kind)} is needed there.");
        foreach (var inner in plan.Value.Models)
            Collect(inner, file, [.. above, file], plans);
        plans.Add(plan);
    }

    private static string FolderOf(Plan<TrainPlan> plan, string runsFolder) => Path.Combine(runsFolder, RunFolder.NameFor(plan.Source, plan));

    private static string Word(Type kind) => PlanKindAttribute.Of(typeof(TrainPlan)).First(form => form.Type == kind).Name;
}
