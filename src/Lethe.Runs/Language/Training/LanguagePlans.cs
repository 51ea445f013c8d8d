using System.ComponentModel.DataAnnotations;
using Lethe.Formats.Tokenizers;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Training;
using Lethe.Runs.Language.Corpora;
using Lethe.Runs.Plans;

namespace Lethe.Runs.Language.Training;

/// <summary>Where the tokenizer comes from.</summary>
[PlanKind("train", typeof(TrainedTokenizerPlan), "a byte-level BPE tokenizer, trained on the plan's corpora without what is held out")]
[PlanKind("path", typeof(TokenizerPathPlan), "a tokenizer that is there already")]
public abstract record TokenizerPlan;

/// <summary>A tokenizer trained here.</summary>
public sealed record TrainedTokenizerPlan : TokenizerPlan
{
    /// <summary>Tokens.</summary>
    [PlanKey("Tokens: 2 special ones, 256 bytes, and joined pairs; fewer where the text has fewer pairs")]
    [Range(259, 1_000_000)]
    public int Vocabulary { get; init; } = 2048;

    /// <summary>The least count of a pair.</summary>
    [PlanKey("The least count of a pair that becomes a token", Why = "a pair seen once is no pattern")]
    [Range(1, 1_000_000)]
    public int MinimumFrequency { get; init; } = 2;

    /// <summary>How text is cut into words.</summary>
    [PlanKey("How text is cut into words, within which alone pairs are joined")]
    public BytePairCut Cut { get; init; } = BytePairCut.SmolLm2;
}

/// <summary>A tokenizer that is there already.</summary>
public sealed record TokenizerPathPlan : TokenizerPlan
{
    /// <summary>Where.</summary>
    [PlanKey("A language model whose tokenizer is taken (a Hugging Face directory, a .gguf file, a llama2.c .bin file, a run, or the training plan (.yaml) that makes it, which is then run first), or a tokenizer.json; relative to the plan; ${shared} as for corpora")]
    public required string Path { get; init; }

    /// <summary>What begins a document.</summary>
    [PlanKey("The token that begins each document; null for what the model's files say, or for none where Path is a tokenizer.json")]
    public string? Begin { get; init; }

    /// <summary>What ends a document.</summary>
    [PlanKey("The token that ends each document; null for what the model's files say; a tokenizer.json needs one")]
    public string? End { get; init; }
}

/// <summary>The model that is trained.</summary>
[PlanKind("llama", typeof(LlamaPlan), "a Llama from random weights")]
[PlanKind("checkpoint", typeof(BaseModelPlan), "a language model that is there already, trained on with its own tokenizer")]
public abstract record LanguageModelPlan;

/// <summary>A Llama from random weights.</summary>
public sealed record LlamaPlan : LanguageModelPlan, IPlanRules
{
    /// <summary>The tokenizer.</summary>
    [PlanKey("The tokenizer; its size is the model's vocabulary")]
    public TokenizerPlan Tokenizer { get; init; } = new TrainedTokenizerPlan();

    /// <summary>Decoder layers.</summary>
    [PlanKey("Decoder layers")]
    [Range(1, 1024)]
    public int Layers { get; init; } = 4;

    /// <summary>Width of the residual stream.</summary>
    [PlanKey("Width of the residual stream")]
    [Range(2, 65_536)]
    public int HiddenSize { get; init; } = 128;

    /// <summary>Query heads.</summary>
    [PlanKey("Query heads; hidden_size / heads is the width of a head, an even number")]
    [Range(1, 1024)]
    public int Heads { get; init; } = 4;

    /// <summary>Key-value heads.</summary>
    [PlanKey("Key-value heads, a divisor of heads; null for as many as heads")]
    [Range(1, 1024)]
    public int? KeyValueHeads { get; init; }

    /// <summary>Width inside the MLP.</summary>
    [PlanKey("Width inside the MLP; null for 8/3 of hidden_size, rounded up to a multiple of 32", Why = "as many parameters as an MLP of 4 times the width without a gate")]
    [Range(1, 1_048_576)]
    public int? IntermediateSize { get; init; }

    /// <summary>The longest context.</summary>
    [PlanKey("The longest context")]
    [Range(2, 1_048_576)]
    public int MaximumPositions { get; init; } = 512;

    /// <summary>Whether the head is the embedding.</summary>
    [PlanKey("Whether the head uses the embedding's matrix", Why = "most of a small model would otherwise be vocabulary")]
    public bool TieEmbeddings { get; init; } = true;

    /// <summary>Base of the rotary frequencies.</summary>
    [PlanKey("Base of the rotary frequencies")]
    [Range(1, 1e9)]
    public double RopeTheta { get; init; } = 10_000;

    /// <inheritdoc/>
    public IEnumerable<PlanProblem> Problems()
    {
        if (HiddenSize % Heads != 0 || HiddenSize / Heads % 2 != 0)
            yield return new("heads", $"'heads' is {Heads} and 'hidden_size' {HiddenSize}: hidden_size must be a multiple of heads, and what falls to a head an even number.");
        else if (KeyValueHeads is { } shared && Heads % shared != 0)
            yield return new("key_value_heads", $"'key_value_heads' is {shared}; it must divide 'heads', {Heads}.");
    }

    /// <summary>The model's shape.</summary>
    /// <param name="vocabularySize">Tokens.</param>
    internal LanguageModelConfiguration Configuration(int vocabularySize) => new()
    {
        ModelType = "llama",
        VocabularySize = vocabularySize,
        HiddenSize = HiddenSize,
        IntermediateSize = IntermediateSize ?? (8 * HiddenSize / 3 + 31) / 32 * 32,
        Layers = Layers,
        Heads = Heads,
        KeyValueHeads = KeyValueHeads ?? Heads,
        MaximumPositions = MaximumPositions,
        NormEpsilon = 1e-5,
        RopeTheta = RopeTheta,
        TieEmbeddings = TieEmbeddings,
    };
}

/// <summary>A model that is trained on.</summary>
public sealed record BaseModelPlan : LanguageModelPlan
{
    /// <summary>Where.</summary>
    [PlanKey("A Hugging Face directory, a .gguf file or a folder with one, a llama2.c .bin file, a run, or the training plan (.yaml) that makes it, which is then run first; relative to the plan; ${shared} as for corpora. It is trained in float32 and written as it was stored")]
    public required string Path { get; init; }
}

/// <summary>Trains a language model.</summary>
public sealed record TrainLanguageModelPlan : TrainPlan
{
    /// <summary>The model.</summary>
    [PlanKey("The model: sizes and tokenizer, or one that is there already")]
    public LanguageModelPlan Model { get; init; } = new LlamaPlan();

    /// <summary>What it learns from.</summary>
    [PlanKey("What it learns from")]
    [MinLength(1)]
    public required IReadOnlyList<CorpusPlan> Corpora { get; init; }

    /// <summary>What is held out.</summary>
    [PlanKey("What is held out of it to measure on")]
    public ValidationPlan Validation { get; init; } = new();

    /// <summary>How.</summary>
    [PlanKey("How it is trained")]
    public LanguageTrainingOptions Training { get; init; } = new();

    internal override IEnumerable<NamedModel> Models => Model switch
    {
        BaseModelPlan from => [new("model.path", from.Path, typeof(TrainLanguageModelPlan))],
        LlamaPlan { Tokenizer: TokenizerPathPlan from } => [new("model.tokenizer.path", from.Path, typeof(TrainLanguageModelPlan))],
        _ => [],
    };

    internal override ITrainer Trainer(string planFile, RunContext context) => new LanguageTrainer(this, planFile, context);
}
