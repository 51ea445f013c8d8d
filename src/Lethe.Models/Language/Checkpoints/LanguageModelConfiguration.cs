using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>The function between the two halves of an MLP.</summary>
public enum Activation
{
    /// <summary>x·σ(x); config.json: silu, swish.</summary>
    Silu,
    /// <summary>x·Φ(x); config.json: gelu.</summary>
    Gelu,
    /// <summary>GELU by the tanh formula; config.json: gelu_pytorch_tanh, gelu_new, gelu_fast.</summary>
    GeluTanh,
    /// <summary>max(0, x); config.json: relu.</summary>
    Relu,
}

/// <summary>What a layer's attention sees.</summary>
public enum LayerKind
{
    /// <summary>Every position before.</summary>
    Full,
    /// <summary>The last <see cref="LanguageModelConfiguration.SlidingWindow"/> positions, its own among them.</summary>
    Sliding,
}

/// <summary>The shape of a language model and the constants of its arithmetic, whatever file they came from.</summary>
public sealed record LanguageModelConfiguration
{
    /// <summary>The model types that Lethe knows, in config.json's spelling.</summary>
    public static IReadOnlyList<string> KnownTypes { get; } = ["llama", "mistral", "qwen2", "qwen3", "gemma2", "gpt2", "gpt_neox"];

    /// <summary>One of <see cref="KnownTypes"/>.</summary>
    public required string ModelType { get; init; }

    /// <summary>Rows of the embedding; a tokenizer may have fewer tokens.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the MLP.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of decoder layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Number of query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Number of key and value heads; divides <see cref="Heads"/>. Default: as many as query heads.</summary>
    public int KeyValueHeads { get => field > 0 ? field : Heads; init; }

    /// <summary>Width of one head. Default HiddenSize / Heads.</summary>
    public int HeadSize { get => field > 0 ? field : HiddenSize / Heads; init; }

    /// <summary>The longest context. GPT-2 has an embedding for each position.</summary>
    public required int MaximumPositions { get; init; }

    /// <summary>What the norms add to the variance. Default 1e-6.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>Base of the rotary frequencies. Default 10000; GPT-2 has no rotary embedding.</summary>
    public double RopeTheta { get; init; } = 10000;

    /// <summary>Stretching of the rotary frequencies; null for none.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>Share of a head's width that is rotated, more than 0 and at most 1; below 1 only GPT-NeoX. Default 1.</summary>
    public double RotaryShare { get; init; } = 1;

    /// <summary>The head uses the embedding's matrix.</summary>
    public bool TieEmbeddings { get; init; }

    /// <summary>Positions that a layer of kind Sliding sees, its own among them; null where no layer is.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>What each layer sees; one value a layer. Default: every layer sees all.</summary>
    public IReadOnlyList<LayerKind> LayerKinds { get => field ?? [.. Enumerable.Repeat(LayerKind.Full, Layers)]; init; }

    /// <summary>Attention scores become cap·tanh(score / cap); null for none.</summary>
    public double? AttentionSoftCap { get; init; }

    /// <summary>Logits become cap·tanh(logit / cap); null for none.</summary>
    public double? FinalSoftCap { get; init; }

    /// <summary>What the products of queries and keys are multiplied with. Default HeadSize^-½; Gemma-2: query_pre_attn_scalar^-½.</summary>
    public double QueryScale { get => field > 0 ? field : 1 / Math.Sqrt(HeadSize); init; }

    /// <summary>The MLP's activation. Default SiLU.</summary>
    public Activation Activation { get; init; } = Activation.Silu;

    /// <summary>The projections to queries, keys and values have biases.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>The projection behind the heads has a bias.</summary>
    public bool AttentionOutputBias { get; init; }

    /// <summary>The MLP's projections have biases.</summary>
    public bool MlpBias { get; init; }

    /// <summary>GPT-NeoX: attention and MLP both read the layer's input, and their outputs are added together.</summary>
    public bool ParallelResidual { get; init; }

    /// <summary>The type that config.json says the weights have; null where it says nothing. Each tensor's own type is in its file.</summary>
    public DType? StoredType { get; init; }

    /// <summary>The token that begins a text; null for none.</summary>
    public int? BosTokenId { get; init; }

    /// <summary>The tokens that end a text; empty for none.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    /// <summary>The token that fills rows of a batch; null for none.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>The window of a layer: how many positions it sees, its own among them; null for all.</summary>
    public int? WindowOf(int layer) => LayerKinds[layer] == LayerKind.Sliding ? SlidingWindow : null;

    /// <summary>Reads config.json in the spelling of transformers 4 or 5; what it leaves out is as the library's defaults of that family.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="BadInputException">The file is missing or no JSON, its model_type is not one of <see cref="KnownTypes"/>, or a value is out of range; the message names the key.</exception>
    public static LanguageModelConfiguration FromJson(string path) => ConfigurationReader.Read(path);
}
