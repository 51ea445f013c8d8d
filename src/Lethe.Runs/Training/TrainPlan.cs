using System.ComponentModel.DataAnnotations;
using Lethe.Runs.Generative;
using Lethe.Runs.Language.Training;
using Lethe.Runs.Plans;
using Lethe.Runs.SparseAutoencoders;

namespace Lethe.Runs;

/// <summary>
/// A plan of <c>lethe train</c>. A kind is a record that derives from this one, named here, whose <see cref="Trainer"/> does what is
/// particular to it; everything else is the same for all of them and stands in <see cref="TrainPipeline"/>.
/// </summary>
[PlanKind("conditional_vae", typeof(TrainVaePlan), "trains the conditional VAE of the paper's code")]
[PlanKind("judge", typeof(TrainJudgePlan), "trains a judge classifier")]
[PlanKind("sparse_autoencoder", typeof(TrainSaePlan), "trains sparse autoencoders on a language model's activations")]
[PlanKind("causal_language_model", typeof(TrainLanguageModelPlan), "trains a language model from random weights, or trains one on")]
public abstract record TrainPlan
{
    /// <summary>What this is for.</summary>
    [PlanKey("What this is for, in the words of whoever asks")]
    public required string Title { get; init; }

    /// <summary>The seed.</summary>
    [PlanKey("Decides all randomness")]
    [Range(0, long.MaxValue)]
    public long Seed { get; init; }

    /// <summary>Where the plan names models that another plan may train.</summary>
    internal virtual IEnumerable<NamedModel> Models => [];

    /// <summary>Looks whether what the plan names is there and fits, before a run's folder is made.</summary>
    /// <param name="planFile">The plan's file, which its paths are relative to.</param>
    /// <param name="context">What the run is given besides its plan.</param>
    /// <exception cref="Torch.UsageException">The plan asks for what cannot be.</exception>
    /// <exception cref="Torch.BadInputException">What it names is missing or damaged.</exception>
    internal abstract ITrainer Trainer(string planFile, RunContext context);
}

/// <summary>Training of one kind, made by its plan.</summary>
internal interface ITrainer : IDisposable
{
    /// <summary>Disk space that the run is expected to take.</summary>
    long DiskBytes { get; }

    /// <summary>Runs the stages, writes the model into the run's folder, and says what came out.</summary>
    TrainResult Train(TrainRun run);
}
