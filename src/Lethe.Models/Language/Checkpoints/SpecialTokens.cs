namespace Lethe.Models.Language.Checkpoints;

/// <summary>The tokens that a model's files give a meaning.</summary>
public sealed record SpecialTokens
{
    /// <summary>The token that begins a text, as the tokenizer's configuration says; null for none (Qwen2 has none, whatever its config.json says).</summary>
    public int? Bos { get; init; }

    /// <summary>The token that ends a text, as the tokenizer's configuration says; null for none.</summary>
    public int? Eos { get; init; }

    /// <summary>The tokens that end generation: generation_config.json's, else config.json's, else <see cref="Eos"/>; chat models often have two.</summary>
    public IReadOnlyList<int> Stop { get; init; } = [];

    /// <summary>The token that fills rows of a batch; null for none.</summary>
    public int? Pad { get; init; }

    /// <summary>The token for what the vocabulary lacks; null for none.</summary>
    public int? Unknown { get; init; }

    /// <summary>Texts are to begin with <see cref="Bos"/>.</summary>
    public bool AddBos { get; init; }

    /// <summary>Texts are to end with <see cref="Eos"/>.</summary>
    public bool AddEos { get; init; }

    /// <summary>What chat templates call them: bos_token, eos_token, pad_token, unk_token and others, with the tokens' texts.</summary>
    public IReadOnlyDictionary<string, string> Texts { get; init; } = new Dictionary<string, string>();
}
