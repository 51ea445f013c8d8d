using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>What an <see cref="ITrainer"/> is given to run in.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Runner">Runs its stages.</param>
/// <param name="Paths">The run's folder.</param>
/// <param name="Context">What the pipeline was given.</param>
internal sealed record TrainRun(TrainPlan Plan, StageRunner Runner, RunPaths Paths, RunContext Context)
{
    private readonly DateTimeOffset started = Context.Time.GetUtcNow();

    /// <summary>Where and when, as of now.</summary>
    public RunFacts Facts() => Context.Facts(Paths.Id, started, Plan.Seed);

    /// <summary>What the stages have cost so far.</summary>
    public CostResult Cost() => CostResult.Of(Runner);
}

/// <summary>One training run from plan to result, whatever is trained: the run's folder, its stages' runner, model/ and result.json.</summary>
public static class TrainPipeline
{
    /// <summary>Runs a plan. Call on the torch thread.</summary>
    /// <exception cref="UsageException">The plan asks for what cannot be.</exception>
    /// <exception cref="BadInputException">What the plan names is missing or damaged.</exception>
    /// <exception cref="RunCancelledException">The user stopped it.</exception>
    public static (TrainResult Result, RunPaths Paths) Run(Plan<TrainPlan> plan, RunContext context)
    {
        using var scope = new TensorScope();
        TrainedPlans.Train(plan.Value.Models, plan.Source, context);
        using var trainer = plan.Value.Trainer(plan.Source, context);
        var path = context.RunFolder ?? Path.Combine(context.RunsFolder, RunFolder.NameFor(plan.Source, plan));
        using var folder = context.Open(path, plan, trainer.DiskBytes);
        using var runner = context.Runner(folder, path);
        var result = trainer.Train(new TrainRun(plan.Value, runner, folder.Paths, context));
        folder.WriteResult(result);
        runner.Complete();
        return (result, folder.Paths);
    }
}
