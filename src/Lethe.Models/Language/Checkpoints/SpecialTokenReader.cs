using System.Text.Json;
using Lethe.Formats;
using Lethe.Formats.Gguf;
using Lethe.Formats.Tokenizers;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>Gathers the special tokens from the files of a Hugging Face directory, or from GGUF keys.</summary>
internal static class SpecialTokenReader
{
    private static readonly string[] Names = ["bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token"];

    /// <param name="folder">The directory.</param>
    /// <param name="configuration">What config.json says.</param>
    /// <param name="tokenizer">Its tokenizer; null where it has none.</param>
    public static SpecialTokens FromFolder(string folder, LanguageModelConfiguration configuration, Tokenizer? tokenizer)
    {
        var settings = Optional(folder, "tokenizer_config.json");
        var map = Optional(folder, "special_tokens_map.json");
        var generation = Optional(folder, "generation_config.json");
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in Names)
        {
            var text = settings is null ? null : TextOf(settings, name);
            // A null in tokenizer_config.json says that there is none.
            if (text is null && map is not null && settings?.IsNull(name) != true)
                text = TextOf(map, name);
            if (text is not null)
                texts[name] = text;
        }
        var told = settings is not null || map is not null;
        // Where a tokenizer's configuration exists it decides; ids in config.json may name tokens that the tokenizer does not use.
        int? Id(string name, int? otherwise) => told && tokenizer is not null ? texts.TryGetValue(name, out var text) ? tokenizer.IdOf(text) : null : otherwise;
        var bos = Id("bos_token", configuration.BosTokenId);
        var eos = Id("eos_token", configuration.EosTokenIds.Count > 0 ? configuration.EosTokenIds[0] : null);
        var stop = generation?.Ints("eos_token_id", 0, configuration.VocabularySize - 1) ?? configuration.EosTokenIds;
        return new SpecialTokens
        {
            Bos = bos,
            Eos = eos,
            Stop = stop.Count > 0 ? stop : eos is { } only ? [only] : [],
            Pad = Id("pad_token", configuration.PadTokenId) ?? generation?.Int("pad_token_id", 0, configuration.VocabularySize - 1),
            Unknown = Id("unk_token", null),
            AddBos = bos is not null && (settings?.Flag("add_bos_token") ?? Adds(tokenizer, bos.Value, first: true)),
            AddEos = eos is not null && (settings?.Flag("add_eos_token") ?? Adds(tokenizer, eos.Value, first: false)),
            Texts = texts,
        };
    }

    /// <param name="metadata">The file's keys.</param>
    /// <param name="configuration">What they say of the model.</param>
    public static SpecialTokens FromGguf(GgufMetadata metadata, LanguageModelConfiguration configuration)
    {
        var tokens = metadata.Texts("tokenizer.ggml.tokens") ?? [];
        var vocabulary = configuration.VocabularySize;
        var model = metadata.Text("tokenizer.ggml.model");
        // llama.cpp's defaults: SentencePiece models have <unk> 0, <s> 1, </s> 2 and begin texts with <s>; of the byte-level ones only Llama 3's do.
        var pieces = model == "llama";
        var bos = GgufConfiguration.Token(metadata, "bos", vocabulary) ?? (pieces ? 1 : null);
        var eos = GgufConfiguration.Token(metadata, "eos", vocabulary) ?? (pieces ? 2 : null);
        var unknown = GgufConfiguration.Token(metadata, "unknown", vocabulary) ?? (pieces ? 0 : null);
        var pad = GgufConfiguration.Token(metadata, "padding", vocabulary);
        var endOfTurn = GgufConfiguration.Token(metadata, "eot", vocabulary);
        var llama3 = metadata.Text("tokenizer.ggml.pre") is "llama3" or "llama-v3" or "llama-bpe";
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, id) in ((string, int?)[])[("bos_token", bos), ("eos_token", eos), ("unk_token", unknown), ("pad_token", pad)])
            if (id is { } known && known < tokens.Count)
                texts[name] = tokens[known];
        return new SpecialTokens
        {
            Bos = bos,
            Eos = eos,
            Stop = [.. ((int?[])[eos, endOfTurn]).Where(id => id is not null).Select(id => id!.Value).Distinct()],
            Pad = pad,
            Unknown = unknown,
            AddBos = bos is not null && (metadata.Flag("tokenizer.ggml.add_bos_token") ?? (pieces || llama3)),
            AddEos = eos is not null && (metadata.Flag("tokenizer.ggml.add_eos_token") ?? false),
            Texts = texts,
        };
    }

    /// <summary>llama2.c: BOS 1 begins every text, run.c stops at it and at 2; 0 is the unknown token.</summary>
    public static SpecialTokens Llama2C { get; } = new()
    {
        Bos = 1, Eos = 2, Stop = [2, 1], Unknown = 0, AddBos = true,
        Texts = new Dictionary<string, string> { ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["unk_token"] = "<unk>" },
    };

    /// <summary>A JSON file of a directory; null where it has none.</summary>
    public static JsonFields? Optional(string folder, string name) => Path.Combine(folder, name) is var path && File.Exists(path) ? JsonFields.Read(path, 64 << 20) : null;

    /// <summary>A token is written as its text, or as an object whose content is the text.</summary>
    private static string? TextOf(JsonFields json, string name) => json.Find(name) is { ValueKind: JsonValueKind.Object } ? json.Object(name)!.Text("content") : json.Text(name);

    private static bool Adds(Tokenizer? tokenizer, int id, bool first) =>
        tokenizer?.Encode("a", addSpecialTokens: true) is { Length: > 1 } ids && (first ? ids[0] : ids[^1]) == id;
}
