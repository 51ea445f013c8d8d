using System.ComponentModel.DataAnnotations;
using Lethe.Models.SparseAutoencoders.Training;
using Lethe.Runs.Language.Corpora;
using Lethe.Runs.Language.Training;
using Lethe.Runs.Plans;

namespace Lethe.Runs.SparseAutoencoders;

/// <summary>A sparse autoencoder to train.</summary>
public sealed record SaeTargetPlan
{
    /// <summary>The site.</summary>
    [PlanKey("Where the activations are read, such as layers.7.residual_after; names of hooks such as blocks.7.hook_resid_post are understood")]
    public required string Site { get; init; }

    /// <summary>Latents.</summary>
    [PlanKey("Latents; published ones have 4 to 64 times the size of an activation")]
    [Range(1, 16_777_216)]
    public required long Width { get; init; }
}

/// <summary>How trained autoencoders are measured.</summary>
public sealed record SaeEvaluationPlan
{
    /// <summary>Text.</summary>
    [PlanKey("Text that training does not see")]
    [MinLength(1)]
    public required IReadOnlyList<CorpusPlan> Corpora { get; init; }

    /// <summary>Contexts for the loss.</summary>
    [PlanKey("Contexts on which the model's loss with the reconstruction in place is measured; three forwards of the whole model each")]
    [Range(1, 1_000_000)]
    public int LossContexts { get; init; } = 100;
}

/// <summary>Trains sparse autoencoders on a language model's activations, all in one pass.</summary>
public sealed record TrainSaePlan : TrainPlan
{
    /// <summary>The model.</summary>
    [PlanKey("The language model: a Hugging Face directory, a GGUF file or a folder with one, a llama2.c file, a run, or the training plan (.yaml) that makes it, which is then run first; relative to the plan; ${shared} stands for LETHE_SHARED or the folder shared beside the checkout")]
    public required string Model { get; init; }

    /// <summary>What it reads.</summary>
    [PlanKey("The text that it reads")]
    [MinLength(1)]
    public required IReadOnlyList<CorpusPlan> Corpora { get; init; }

    /// <summary>What is trained.</summary>
    [PlanKey("The autoencoders; any number at any sites share one pass")]
    [MinLength(1)]
    public required IReadOnlyList<SaeTargetPlan> Autoencoders { get; init; }

    /// <summary>Tokens of a context.</summary>
    [PlanKey("Tokens of a context; its first position is left out, since its norm is many times the others'")]
    [Range(2, 1_048_576)]
    public int Context { get; init; } = 128;

    /// <summary>Contexts of a forward.</summary>
    [PlanKey("Contexts that pass through the model at a time")]
    [Range(1, 65_536)]
    public int Rows { get; init; } = 16;

    /// <summary>Precision of the model's products.</summary>
    [PlanKey("Element type in which the model's matrices and what they are multiplied with are rounded while activations are read for training; bfloat16 is about twice as fast on processors with instructions for it (AVX-512 BF16, AMX) and refused on others. Measuring is float32", Why = "float32 is the same everywhere")]
    public ActivationStorage Products { get; init; } = ActivationStorage.Float32;

    /// <summary>How.</summary>
    [PlanKey("How they are trained")]
    public SaeTrainingOptions Training { get; init; } = new();

    /// <summary>How they are measured.</summary>
    [PlanKey("How they are measured; null leaves it out")]
    public SaeEvaluationPlan? Evaluation { get; init; }

    internal override IEnumerable<NamedModel> Models => [new("model", Model, typeof(TrainLanguageModelPlan))];

    internal override ITrainer Trainer(string planFile, RunContext context) => new SaeTrainer(this, planFile, context);
}
