using System.ComponentModel.DataAnnotations;
using Lethe.Runs.Generative;
using Lethe.Runs.Language.Unlearning;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>
/// A plan of <c>lethe unlearn</c>. A kind is a record that derives from this one, named here, whose <see cref="Unlearner"/> does what is
/// particular to it; everything else is the same for all of them and stands in <see cref="UnlearnPipeline"/>.
/// </summary>
[PlanKind("generative", typeof(ImageUnlearnPlan), "a conditional image generator forgets concepts; what a plan without a kind is", Default = true)]
[PlanKind("language", typeof(LanguageUnlearnPlan), "a language model forgets a topic")]
public abstract record UnlearnPlan
{
    /// <summary>What was asked.</summary>
    [PlanKey("What was asked, in the words of whoever asked")]
    public required string Title { get; init; }

    /// <summary>The seed.</summary>
    [PlanKey("Decides all randomness of forgetting and measuring")]
    [Range(0, long.MaxValue)]
    public long Seed { get; init; }

    /// <summary>Where the plan names models that another plan may train.</summary>
    internal virtual IEnumerable<NamedModel> Models => [];

    /// <summary>Refuses what can be refused before the models that the plan needs are trained.</summary>
    /// <param name="planFile">The plan's file.</param>
    internal virtual void CheckAhead(string planFile)
    {
    }

    /// <summary>Looks whether what the plan names is there and fits, before a run's folder is made.</summary>
    /// <param name="planFile">The plan's file, which its paths are relative to.</param>
    /// <param name="context">What the run is given besides its plan.</param>
    /// <exception cref="UsageException">The plan asks for what cannot be.</exception>
    /// <exception cref="BadInputException">What it names is missing or damaged.</exception>
    internal abstract IUnlearner Unlearner(string planFile, RunContext context);
}

/// <summary>Unlearning of one kind, made by its plan.</summary>
internal interface IUnlearner : IDisposable
{
    /// <summary>What the run is expected to take.</summary>
    RunEstimate Estimate { get; }

    /// <summary>Runs the stages, writes the model into the run's folder, and says what came out.</summary>
    UnlearnResult Unlearn(UnlearnRun run);
}

/// <summary>What an <see cref="IUnlearner"/> is given to run in.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Runner">Runs its stages.</param>
/// <param name="Paths">The run's folder.</param>
/// <param name="Context">What the pipeline was given.</param>
/// <param name="Started">When the pipeline began.</param>
internal sealed record UnlearnRun(UnlearnPlan Plan, StageRunner Runner, RunPaths Paths, RunContext Context, DateTimeOffset Started)
{
    /// <summary>Where and when, as of now.</summary>
    public RunFacts Facts() => Context.Facts(Paths.Id, Started, Plan.Seed);

    /// <summary>What the stages have cost so far.</summary>
    public CostResult Cost() => CostResult.Of(Runner);
}
