using System.ComponentModel.DataAnnotations;
using Lethe.Models.SparseAutoencoders.Training;
using Lethe.Runs.Language.Corpora;
using Lethe.Runs.Language.Topics;
using Lethe.Runs.Language.Training;
using Lethe.Runs.Plans;
using Lethe.Runs.SparseAutoencoders;
using Lethe.Unlearning.Language;
using Lethe.Unlearning.Language.Features;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>A plan of <c>lethe unlearn</c>: a language model forgets a topic.</summary>
public sealed record LanguageUnlearnPlan : UnlearnPlan
{
    /// <summary>What is to be forgotten.</summary>
    [PlanKey("What is to be forgotten, and what is not, in a sentence that a reader of the report understands")]
    [MinLength(1)]
    public required string Scope { get; init; }

    /// <summary>The model.</summary>
    [PlanKey("The language model: a Hugging Face directory, a GGUF file or a folder with one, a llama2.c file, a run, or the training plan (.yaml) that makes it, which is then run first; relative to the plan; ${shared} stands for LETHE_SHARED or the folder shared beside the checkout")]
    public required string Model { get; init; }

    /// <summary>The control.</summary>
    [PlanKey("A model that was trained like this one and never saw the topic, as model: it is asked the same questions, and what it scores is then the floor of every figure, in place of ground.families.floor; its tokenizer is the same. null for none")]
    public string? NeverKnew { get; init; }

    /// <summary>Autoencoders.</summary>
    [PlanKey("Sparse autoencoders of the model's residual stream, for methods that choose latents, and to say in latents what became of the topic: folders or files, or runs and training plans (.yaml), of which all autoencoders count; relative to the plan; ${shared} as for the model")]
    public IReadOnlyList<string> SparseAutoencoders { get; init; } = [];

    /// <summary>Topics, texts and questions.</summary>
    [PlanKey("What is forgotten and what must stay: topics of entities, texts that state facts of them, and questions")]
    public required GroundPlan Ground { get; init; }

    /// <summary>Other text that must stay.</summary>
    [PlanKey("Text that must stay besides the retain topics, such as an encyclopedia's")]
    public IReadOnlyList<CorpusPlan> Retain { get; init; } = [];

    /// <summary>How texts become batches.</summary>
    [PlanKey("How texts become batches")]
    public UnlearnTextPlan Texts { get; init; } = new();

    /// <summary>The method.</summary>
    [PlanKey("How it is forgotten")]
    public LanguageMethodOptions Method { get; init; } = new MaskedRepresentationMisdirectionOptions();

    /// <summary>Which latents.</summary>
    [PlanKey("Which latents count as relevant to what is forgotten and which as irrelevant, for methods that choose them")]
    public LatentSelectionOptions Features { get; init; } = new();

    /// <summary>How the layer is chosen.</summary>
    [PlanKey("Chooses by data at which autoencoders' layers sspu steers, in place of method.layers; where none tells forget from retain text better than chance the run stops with a diagnosis. null: method.layers")]
    public LayerChoiceOptions? LayerChoice { get; init; }

    /// <summary>The guard.</summary>
    [PlanKey("Stops forgetting when text that must stay is predicted worse; null for no such guard")]
    public GuardPlan? Guard { get; init; } = new();

    /// <summary>What is measured.</summary>
    [PlanKey("What is measured, before and after alike")]
    public required LanguageMeasurePlan Measure { get; init; }

    internal override IEnumerable<NamedModel> Models =>
    [
        new("model", Model, typeof(TrainLanguageModelPlan)),
        .. NeverKnew is { } control ? new[] { new NamedModel("never_knew", control, typeof(TrainLanguageModelPlan)) } : [],
        .. SparseAutoencoders.Index().Select(sae => new NamedModel($"sparse_autoencoders.{sae.Index}", sae.Item, typeof(TrainSaePlan))),
    ];

    // Files that are not there are found now, and not after the models are trained.
    internal override void CheckAhead(string planFile)
    {
        _ = Topics.Ground.Read(Ground, planFile);
        _ = new CorpusReader(Retain, planFile, "retain");
        _ = new CorpusReader(Measure.Perplexity, planFile, "measure.perplexity");
    }

    internal override IUnlearner Unlearner(string planFile, RunContext context) => new LanguageUnlearner(this, planFile, context);
}

/// <summary>How texts become batches.</summary>
public sealed record UnlearnTextPlan
{
    /// <summary>Texts of a batch.</summary>
    [PlanKey("Texts to forget in a step; as many to retain are beside them", Why = "our first trials; RMU's released code has 4")]
    [Range(1, 4096)]
    public int Batch { get; init; } = 8;

    /// <summary>Tokens of a text.</summary>
    [PlanKey("Tokens that are read of a text; what follows is cut off")]
    [Range(2, 1_048_576)]
    public int Length { get; init; } = 128;

    /// <summary>How often neighbours' texts stand among those to retain.</summary>
    [PlanKey("How often each text of a neighbour topic stands among those to retain: what is nearest to the topic suffers first, and is held by this many times as many steps and in what updates may read")]
    [Range(1, 100)]
    public int Neighbours { get; init; } = 1;
}

/// <summary>The utility guard.</summary>
public sealed record GuardPlan
{
    /// <summary>Share of the retain corpora that it reads.</summary>
    [PlanKey("Share of the documents of retain that is held out for it, chosen by their content; none of them is trained on")]
    [Range(0.001, 0.9)]
    public double Share { get; init; } = 0.1;

    /// <summary>Its texts.</summary>
    [PlanKey("The most texts that it reads at each check")]
    [Range(1, 100_000)]
    public int Texts { get; init; } = 16;

    /// <summary>What is allowed.</summary>
    [PlanKey("The largest rise of the mean loss of that text, nats a token; beyond it forgetting ends with the weights of the check before", Why = "about the 2 % of perplexity that methods are compared at")]
    [Range(0.0, 100.0)]
    public double LargestRise { get; init; } = 0.02;
}

/// <summary>What is measured of a language model.</summary>
public sealed record LanguageMeasurePlan
{
    /// <summary>Which questions.</summary>
    [PlanKey("Which entities are asked about: validation, to choose options by, or test, for the figures that are reported")]
    public GroundPart Part { get; init; } = GroundPart.Test;

    /// <summary>Questions of a topic.</summary>
    [PlanKey("The most questions of each topic and side; null asks all")]
    [Range(4, 1_000_000)]
    public int? Questions { get; init; }

    /// <summary>Questions of a retain topic.</summary>
    [PlanKey("The most questions of each retain topic, where they are to be fewer or more than those about the topic to forget; null: as questions")]
    [Range(4, 1_000_000)]
    public int? RetainQuestions { get; init; }

    /// <summary>Letters that give an answer away.</summary>
    [PlanKey("Questions are not asked whose own words and right answer have this many letters in a row in common, nor swaps of an answer that shares them with the other question: who only compares letters would be right there. 3 leaves next to nothing to guess where answers are words; 0 asks all. What comparing letters would score stands in result.json, and of each topic in data check", Why = "few questions of records give their answers away")]
    [Range(0, 20)]
    public int SharedLetters { get; init; }

    /// <summary>Text for perplexity.</summary>
    [PlanKey("Text that perplexity is measured on; none of it may be trained on")]
    [MinLength(1)]
    public required IReadOnlyList<CorpusPlan> Perplexity { get; init; }

    /// <summary>Its texts.</summary>
    [PlanKey("Documents of that text that are read: the first ones of at least perplexity_tokens tokens")]
    [Range(1, 1_000_000)]
    public int PerplexityTexts { get; init; } = 40;

    /// <summary>Tokens of each.</summary>
    [PlanKey("Tokens that are read of each")]
    [Range(2, 1_048_576)]
    public int PerplexityTokens { get; init; } = 128;

    /// <summary>Precision of the model's products.</summary>
    [PlanKey("Element type in which the model's matrices and what they are multiplied with are rounded while it is measured, before and after alike; bfloat16 is about twice as fast on processors with instructions for it (AVX-512 BF16, AMX) and refused on others. Figures that are reported should say so", Why = "float32 is the same everywhere")]
    public ActivationStorage Products { get; init; } = ActivationStorage.Float32;

    /// <summary>Answers that are shown.</summary>
    [PlanKey("Questions to forget, and as many that must stay, whose answers are written out in the report; 0 for none. Answers may hold what was to be forgotten, personal data too")]
    [Range(0, 1000)]
    public int Answers { get; init; } = 6;

    /// <summary>Their length.</summary>
    [PlanKey("The most tokens of such an answer")]
    [Range(1, 1000)]
    public int AnswerTokens { get; init; } = 16;
}
