using System.ComponentModel.DataAnnotations;
using Lethe.Models.Classifiers;
using Lethe.Models.Generative;
using Lethe.Runs.Plans;
using Lethe.Unlearning.Generative;

namespace Lethe.Runs.Generative;

/// <summary>Which images.</summary>
public sealed record DataPlan
{
    /// <summary>Name of the data set.</summary>
    [PlanKey("Data set")]
    [AllowedValues("mnist", "fashion-mnist")]
    public required string Dataset { get; init; }

    /// <summary>Where its files are.</summary>
    [PlanKey("Folder that holds its four IDX files; null looks where they usually are")]
    public string? Folder { get; init; }
}

/// <summary>Where a generator comes from.</summary>
[PlanKind("checkpoint", typeof(CheckpointModel), "a model that is there already")]
[PlanKind("train", typeof(TrainedModel), "a conditional VAE, trained on the plan's data; kept in the cache")]
public abstract record ModelPlan;

/// <summary>A model that is there already.</summary>
public sealed record CheckpointModel : ModelPlan
{
    /// <summary>Where.</summary>
    [PlanKey("A safetensors file, a torch checkpoint, a model folder or a run folder; relative to the plan; ${shared} stands for LETHE_SHARED or the folder shared beside the checkout")]
    public required string Path { get; init; }
}

/// <summary>A conditional VAE trained here.</summary>
public sealed record TrainedModel : ModelPlan
{
    /// <summary>Width next to the image.</summary>
    [PlanKey("Width of the layer next to the image", Why = "the paper's code")]
    [Range(1, 65_536)]
    public long Outer { get; init; } = 512;

    /// <summary>Width next to the latent.</summary>
    [PlanKey("Width of the layer next to the latent", Why = "the paper's code")]
    [Range(1, 65_536)]
    public long Inner { get; init; } = 256;

    /// <summary>Latent dimensions.</summary>
    [PlanKey("Latent dimensions", Why = "the paper's code")]
    [Range(1, 4096)]
    public long Latent { get; init; } = 8;

    /// <summary>How it is trained.</summary>
    [PlanKey("How it is trained")]
    public LikelihoodTrainingOptions Training { get; init; } = new();
}

/// <summary>Where the judge comes from.</summary>
[PlanKind("checkpoint", typeof(CheckpointJudge), "a judge that is there already")]
[PlanKind("train", typeof(TrainedJudge), "a judge trained on the plan's data; kept in the cache")]
public abstract record JudgePlan;

/// <summary>A judge that is there already.</summary>
public sealed record CheckpointJudge : JudgePlan
{
    /// <summary>Where.</summary>
    [PlanKey("A safetensors file, a torch checkpoint, a model folder or a run folder; relative to the plan; ${shared} as for models")]
    public required string Path { get; init; }
}

/// <summary>A judge trained here.</summary>
public sealed record TrainedJudge : JudgePlan
{
    /// <summary>How it is trained.</summary>
    [PlanKey("How it is trained")]
    public ClassifierTrainingOptions Training { get; init; } = new();
}

/// <summary>Trains something on images.</summary>
public abstract record ImageTrainPlan : TrainPlan
{
    /// <summary>The images.</summary>
    [PlanKey("What it is trained and tested on")]
    public required DataPlan Data { get; init; }

    internal sealed override ITrainer Trainer(string planFile, RunContext context) => new ImageTrainer(this, planFile, context);
}

/// <summary>Trains a conditional VAE.</summary>
public sealed record TrainVaePlan : ImageTrainPlan
{
    /// <summary>The model.</summary>
    [PlanKey("Sizes and training")]
    public TrainedModel Model { get; init; } = new();

    /// <summary>Labels that it never sees.</summary>
    [PlanKey("Labels that are left out of training, by number or name")]
    public IReadOnlyList<string> LeaveOut { get; init; } = [];

    /// <summary>Draws of the bound.</summary>
    [PlanKey("Draws of the bound for each test image", Why = "16 bring the noise of the draws far below the spread between images")]
    [Range(1, 10_000)]
    public int Draws { get; init; } = 16;
}

/// <summary>Trains a judge.</summary>
public sealed record TrainJudgePlan : ImageTrainPlan
{
    /// <summary>How.</summary>
    [PlanKey("How it is trained")]
    public ClassifierTrainingOptions Training { get; init; } = new();
}

/// <summary>What takes a concept's place.</summary>
[PlanKind("noise", typeof(NoisePlan), "uniform noise, as in the paper; the model answers with grey")]
[PlanKind("label", typeof(LabelPlan), "the samples of another label: the concept is mapped to it")]
[PlanKind("images", typeof(ImagesPlan), "images of the user's")]
[PlanKind("blend", typeof(BlendPlan), "a weighted mean of two others, pixel by pixel")]
public abstract record SurrogatePlan;

/// <summary>Uniform noise.</summary>
public sealed record NoisePlan : SurrogatePlan;

/// <summary>Another label.</summary>
public sealed record LabelPlan : SurrogatePlan
{
    /// <summary>Which.</summary>
    [PlanKey("The label that takes its place, by number or name")]
    public required string Target { get; init; }

    /// <summary>Samples to draw from.</summary>
    [PlanKey("Samples of that label to draw from")]
    [Range(1, 10_000_000)]
    public long Samples { get; init; } = 10_000;
}

/// <summary>A user's images.</summary>
public sealed record ImagesPlan : SurrogatePlan
{
    /// <summary>Where.</summary>
    [PlanKey("A folder of grey PNG files of the model's size, relative to the plan")]
    public required string Folder { get; init; }
}

/// <summary>A mean of two.</summary>
public sealed record BlendPlan : SurrogatePlan
{
    /// <summary>One.</summary>
    [PlanKey("One of the two")]
    public required SurrogatePlan First { get; init; }

    /// <summary>The other.</summary>
    [PlanKey("The other")]
    public required SurrogatePlan Second { get; init; }

    /// <summary>Share of the first.</summary>
    [PlanKey("Share of the first")]
    [Range(0.0, 1.0)]
    public double Weight { get; init; } = 0.5;
}

/// <summary>A concept to forget.</summary>
public sealed record ForgetPlan
{
    /// <summary>Which.</summary>
    [PlanKey("The label to forget, by number or name")]
    public required string Label { get; init; }

    /// <summary>What takes its place.</summary>
    [PlanKey("What takes its place")]
    public SurrogatePlan Surrogate { get; init; } = new NoisePlan();
}

/// <summary>What is measured.</summary>
public sealed record MeasurePlan
{
    /// <summary>Samples of each forgotten condition.</summary>
    [PlanKey("Samples of each forgotten condition that the judge reads")]
    [Range(10, 1_000_000)]
    public int Samples { get; init; } = 10_000;

    /// <summary>Samples of every other condition.</summary>
    [PlanKey("Samples of every other condition that the judge reads")]
    [Range(50, 1_000_000)]
    public int RetainedSamples { get; init; } = 1000;

    /// <summary>Draws of the bound.</summary>
    [PlanKey("Draws of the bound for each real test image")]
    [Range(1, 10_000)]
    public int Draws { get; init; } = 16;

    /// <summary>Images for the Fréchet distance.</summary>
    [PlanKey("Real images and samples for Fréchet distance, precision and recall", Why = "time grows with its square")]
    [Range(100, 100_000)]
    public int FeatureSamples { get; init; } = 5000;

    /// <summary>Samples shown.</summary>
    [PlanKey("Samples of each condition in the report's pictures")]
    [Range(1, 100)]
    public int GridSamples { get; init; } = 10;

    /// <summary>Whether probes are fitted.</summary>
    [PlanKey("Whether linear probes look for the concept inside the model")]
    public bool Probes { get; init; } = true;

    /// <summary>Images for probes.</summary>
    [PlanKey("Real test images that the probes are fitted and tested on")]
    [Range(100, 100_000)]
    public int ProbeImages { get; init; } = 4000;
}

/// <summary>The relearning attack.</summary>
public sealed record RelearnPlan
{
    /// <summary>Whether it is done.</summary>
    [PlanKey("Whether it is tried to bring the concept back with real images of it")]
    public bool Enabled { get; init; } = true;

    /// <summary>The most steps.</summary>
    [PlanKey("The most training steps on real images of the concept")]
    [Range(1, 100_000)]
    public long Steps { get; init; } = 300;

    /// <summary>The learning rate.</summary>
    [PlanKey("Adam's learning rate", Why = "what the paper's code trains with")]
    [Range(1e-9, 1)]
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>What counts as back.</summary>
    [PlanKey("Share of samples judged as the concept that counts as back")]
    [Range(0.01, 1)]
    public double Threshold { get; init; } = 0.5;

    /// <summary>The control.</summary>
    [PlanKey("A model that never saw the concept, to compare with; null trains one like the base without the concept, or, where the base is a checkpoint, sets the base's own weights of the concept anew")]
    public ModelPlan? Control { get; init; }
}

/// <summary>A plan of <c>lethe unlearn</c>: forget concepts of a conditional image generator.</summary>
public sealed record ImageUnlearnPlan : UnlearnPlan
{
    /// <summary>The images.</summary>
    [PlanKey("Real images: what trained models learn from, and the test set that is measured with")]
    public required DataPlan Data { get; init; }

    /// <summary>The model.</summary>
    [PlanKey("The model that is to forget")]
    public required ModelPlan Base { get; init; }

    /// <summary>The judge.</summary>
    [PlanKey("The classifier that reads samples")]
    public required JudgePlan Judge { get; init; }

    /// <summary>What to forget.</summary>
    [PlanKey("The concepts to forget")]
    [MinLength(1)]
    public required IReadOnlyList<ForgetPlan> Forget { get; init; }

    /// <summary>What must stay.</summary>
    [PlanKey("Labels that must stay, by number or name; empty for all the rest")]
    public IReadOnlyList<string> Retain { get; init; } = [];

    /// <summary>The Fisher information.</summary>
    [PlanKey("How the Fisher information is estimated; one estimate serves all concepts of a model")]
    public FisherOptions Fisher { get; init; } = new();

    /// <summary>The method.</summary>
    [PlanKey("How it is forgotten")]
    public SelectiveAmnesiaOptions Method { get; init; } = new FixedSelectiveAmnesiaOptions();

    /// <summary>What is measured.</summary>
    [PlanKey("What is measured")]
    public MeasurePlan Measure { get; init; } = new();

    /// <summary>The relearning attack.</summary>
    [PlanKey("The relearning attack")]
    public RelearnPlan Relearn { get; init; } = new();

    internal override IUnlearner Unlearner(string planFile, RunContext context) => new ImageUnlearner(this, planFile);
}
