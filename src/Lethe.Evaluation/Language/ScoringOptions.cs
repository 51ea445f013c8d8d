using Lethe.Models.Language;

namespace Lethe.Evaluation.Language;

/// <summary>How requests are put into batches. None of it changes a score beyond rounding.</summary>
public sealed record ScoringOptions
{
    /// <summary>Tokens that the model reads at once; what is longer loses its beginning. Null takes the model's own limit, as lm-evaluation-harness does.</summary>
    public int? MaximumLength { get; init; }

    /// <summary>Tokens of one forward, padding included, unless a single row is longer. 2,048 keep a small model's matrix products at full speed.</summary>
    public int BatchTokens { get; init; } = 2048;

    /// <summary>Bytes that the keys and values of shared beginnings may take, unless those of one question take more.</summary>
    public long CacheBytes { get; init; } = 256L << 20;

    /// <summary>The shortest beginning, tokens, that questions share and that is computed once for all of them; below it the copying costs more than it saves.</summary>
    public int TrunkTokens { get; init; } = 48;

    /// <summary>Rows of logits that exist at a time times the vocabulary, elements: 16 million take 64 MiB.</summary>
    public long LogitElements { get; init; } = 16L << 20;

    /// <summary>The length for a model.</summary>
    internal int LengthFor(CausalLanguageModel model) => MaximumLength ?? model.Configuration.MaximumPositions;

    /// <summary>Positions of cache that fit into <see cref="CacheBytes"/>.</summary>
    internal long CachePositions(CausalLanguageModel model)
    {
        var c = model.Configuration;
        return Math.Max(1, CacheBytes / (2L * c.Layers * c.KeyValueHeads * c.HeadSize * sizeof(float)));
    }
}
