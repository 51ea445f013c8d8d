using Lethe.Formats.Gguf;
using Lethe.Torch;

namespace Lethe.Formats.Tokenizers;

/// <summary>Makes a tokenizer of a GGUF file's keys: models "gpt2" (byte-level BPE with merges) and "llama" (SentencePiece's scores).</summary>
/// <remarks>ggml docs/gguf.md; llama.cpp at eb6a99c, src/llama-vocab.cpp (names of pre-tokenizers, defaults of BOS).</remarks>
internal static class GgufTokenizer
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>No published vocabulary has longer tokens; splitting every token in two takes the square of its length.</summary>
    private const int MaxTokenLength = 1000;

    /// <summary>Token types of GGUF.</summary>
    private const long Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6;

    private const string Nfc = """{"type":"NFC"}""";

    private sealed record Pre(string PreTokenizer, string Normalizer = "null", bool IgnoreMerges = false, bool Bos = false);

    /// <summary>What each name stands for: the stages of the tokenizer.json that the model was published with.</summary>
    private static readonly Dictionary<string, Pre> Known = new(StringComparer.Ordinal)
    {
        ["gpt-2"] = new(TokenizerContent.ByteLevel(null)),
        ["phi-2"] = new(TokenizerContent.ByteLevel(null)),
        ["olmo"] = new(TokenizerContent.ByteLevel(null), Nfc),
        ["mpt"] = new(TokenizerContent.ByteLevel(null), Nfc),
        ["smollm"] = new(TokenizerContent.ByteLevel(null, digits: true)),
        ["starcoder"] = new(TokenizerContent.ByteLevel(null, digits: true)),
        ["refact"] = new(TokenizerContent.ByteLevel(null, digits: true)),
        ["llama-bpe"] = new(TokenizerContent.ByteLevel(PatternNames.Llama3), IgnoreMerges: true, Bos: true),
        ["llama-v3"] = new(TokenizerContent.ByteLevel(PatternNames.Llama3), IgnoreMerges: true, Bos: true),
        ["llama3"] = new(TokenizerContent.ByteLevel(PatternNames.Llama3), IgnoreMerges: true, Bos: true),
        ["qwen2"] = new(TokenizerContent.ByteLevel(PatternNames.Qwen2), Nfc),
        ["deepseek-r1-qwen"] = new(TokenizerContent.ByteLevel(PatternNames.Qwen2), Nfc),
    };

    public static TokenizerContent Read(GgufMetadata metadata)
    {
        var model = metadata.Text(Prefix + "model") ?? throw metadata.Refuse(Prefix + "model", "is missing; the file holds no tokenizer.");
        var tokens = metadata.Texts(Prefix + "tokens") ?? throw metadata.Refuse(Prefix + "tokens", "is missing; it must list the vocabulary.");
        if (tokens.Count == 0 || tokens.Count > Tokenizer.MaxId)
            throw metadata.Refuse(Prefix + "tokens", $"has {tokens.Count} tokens; it must have 1 to {Tokenizer.MaxId}.");
        var types = metadata.Integers(Prefix + "token_type") ?? [.. Enumerable.Repeat(1L, tokens.Count)];
        if (types.Count != tokens.Count)
            throw metadata.Refuse(Prefix + "token_type", $"has {types.Count} entries for {tokens.Count} tokens.");
        for (var id = 0; id < types.Count; id++)
            if (types[id] is < 1 or > Byte)
                throw metadata.Refuse(Prefix + "token_type", $"gives the token {id} the type {types[id]}; it must be from 1 to {Byte}.");
        TokenizerContent.CheckUnique(tokens, why => metadata.Refuse(Prefix + "tokens", why));
        var content = model switch
        {
            "gpt2" => ByteLevel(metadata, tokens),
            "llama" => Scored(metadata, tokens, types),
            _ => throw metadata.Refuse(Prefix + "model", $"is '{model}'; Lethe reads gpt2 and llama."),
        };
        // An empty text would be found everywhere, and the reference library passes over it.
        return content with { Added = [.. Enumerable.Range(0, tokens.Count).Where(id => types[id] is Control or UserDefined && tokens[id].Length > 0).Select(id => (id, types[id] == Control))] };
    }

    private static TokenizerContent ByteLevel(GgufMetadata metadata, IReadOnlyList<string> tokens)
    {
        var name = metadata.Text(Prefix + "pre");
        if (name is null || !Known.TryGetValue(name, out var pre))
            throw metadata.Refuse(Prefix + "pre", $"{(name is null ? "is missing" : $"is '{name}'")}; Lethe knows {string.Join(", ", Known.Keys)}, and would cut texts wrongly by guessing.");
        var known = tokens.ToHashSet(StringComparer.Ordinal);
        var merges = new OrderedDictionary<(string, string), bool>();
        var list = metadata.Texts(Prefix + "merges") ?? throw metadata.Refuse(Prefix + "merges", "is missing; it must list the merges.");
        for (var i = 0; i < list.Count; i++)
        {
            var space = list[i].Length > 0 ? list[i].IndexOf(' ', 1) : -1;
            if (space < 0 || space == list[i].Length - 1)
                throw metadata.Refuse(Prefix + "merges", $"has the entry {i} '{list[i]}'; it must be two tokens with a space between them.");
            var (left, right) = (list[i][..space], list[i][(space + 1)..]);
            foreach (var part in new[] { left, right, left + right })
                if (!known.Contains(part))
                    throw metadata.Refuse(Prefix + "merges", $"has the entry {i} '{list[i]}', but the vocabulary lacks '{part}'.");
            // Given twice, the earlier rank counts, as in llama.cpp.
            merges.TryAdd((left, right), true);
        }
        return new TokenizerContent
        {
            Tokens = tokens,
            Merges = [.. merges.Keys],
            Normalizer = pre.Normalizer,
            PreTokenizer = pre.PreTokenizer,
            Decoder = TokenizerContent.ByteLevelDecoder,
            IgnoreMerges = pre.IgnoreMerges,
            Before = Around(metadata, tokens, "bos", pre.Bos, null),
            Behind = Around(metadata, tokens, "eos", false, null),
        };
    }

    private static TokenizerContent Scored(GgufMetadata metadata, IReadOnlyList<string> tokens, IReadOnlyList<long> types)
    {
        var scores = metadata.Numbers(Prefix + "scores") ?? throw metadata.Refuse(Prefix + "scores", "is missing; it must give every token's score.");
        if (scores.Count != tokens.Count)
            throw metadata.Refuse(Prefix + "scores", $"has {scores.Count} entries for {tokens.Count} tokens.");
        for (var id = 0; id < tokens.Count; id++)
        {
            if (!double.IsFinite(scores[id]))
                throw metadata.Refuse(Prefix + "scores", FormattableString.Invariant($"gives the token {id} the score {scores[id]}, which is no number."));
            if (tokens[id].Length > MaxTokenLength)
                throw metadata.Refuse(Prefix + "tokens", $"has the token {id} with {tokens[id].Length} characters; at most {MaxTokenLength} are allowed.");
        }
        var unknown = (int?)metadata.Integer(Prefix + "unknown_token_id", 0, tokens.Count - 1) ?? Enumerable.Range(0, tokens.Count).Cast<int?>().FirstOrDefault(id => types[id!.Value] == Unknown);
        var (normalizer, decoder) = TokenizerContent.SentencePiece(metadata.Flag(Prefix + "add_space_prefix") ?? true);
        return new TokenizerContent
        {
            Tokens = tokens,
            Merges = TokenizerContent.MergesOfScores(tokens, scores, id => types[id] is not (Unknown or Control or Unused or Byte)),
            Normalizer = normalizer,
            Decoder = decoder,
            Unknown = unknown is { } unknownId ? tokens[unknownId] : null,
            ByteFallback = types.Contains(Byte),
            Before = Around(metadata, tokens, "bos", true, 1),
            Behind = Around(metadata, tokens, "eos", false, 2),
        };
    }

    /// <summary>The id that is put before (bos) or behind (eos) a text, where the file says so or, if it says nothing, its kind does.</summary>
    private static int? Around(GgufMetadata metadata, IReadOnlyList<string> tokens, string name, bool otherwise, int? usual)
    {
        var id = (int?)metadata.Integer($"{Prefix}{name}_token_id", 0, tokens.Count - 1) ?? usual;
        if (!(metadata.Flag($"{Prefix}add_{name}_token") ?? otherwise))
            return null;
        return id < tokens.Count ? id : throw metadata.Refuse($"{Prefix}{name}_token_id", "is missing, but the tokenizer adds this token to every text.");
    }
}
