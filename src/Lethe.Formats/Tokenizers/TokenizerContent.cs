using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Lethe.Torch;

namespace Lethe.Formats.Tokenizers;

/// <summary>
/// What makes a tokenizer, from whatever source, ready to be written as tokenizer.json. Sources other than that file go through it, so that what is saved
/// and loaded again is by construction what was used.
/// </summary>
internal sealed record TokenizerContent
{
    /// <summary>Escapes no more than JSON demands; the file is read by people too.</summary>
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public const string SpaceToMark = """{"type":"Replace","pattern":{"String":" "},"content":"▁"}""";

    private const string ByteLevelPost = """{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true}""";

    /// <summary>Token by id.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary>Best first.</summary>
    public required IReadOnlyList<(string Left, string Right)> Merges { get; init; }

    /// <summary>Ids of tokens that are found in texts, and whether they are special.</summary>
    public IReadOnlyList<(int Id, bool Special)> Added { get; init; } = [];

    /// <summary>JSON of the stages; "null" for none.</summary>
    public string Normalizer { get; init; } = "null";

    /// <inheritdoc cref="Normalizer"/>
    public string PreTokenizer { get; init; } = "null";

    /// <inheritdoc cref="Normalizer"/>
    public string Decoder { get; init; } = "null";

    public string? Unknown { get; init; }

    public bool ByteFallback { get; init; }

    public bool IgnoreMerges { get; init; }

    /// <summary>Ids put before and behind every text.</summary>
    public int? Before { get; init; }

    /// <inheritdoc cref="Before"/>
    public int? Behind { get; init; }

    /// <summary>Sequence[Split(pattern), ByteLevel], or ByteLevel alone with its own pattern.</summary>
    public static string ByteLevel(string? pattern, bool digits = false)
    {
        const string end = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":""";
        var first = digits ? """{"type":"Digits","individual_digits":true}"""
            : pattern is null ? null
            : $$"""{"type":"Split","pattern":{"Regex":{{JsonSerializer.Serialize(pattern, Readable)}}},"behavior":"Isolated","invert":false}""";
        return first is null ? end + "true}" : $$"""{"type":"Sequence","pretokenizers":[{{first}},{{end}}{{(pattern is null ? "true" : "false")}}}]}""";
    }

    /// <summary>How every byte-level tokenizer decodes.</summary>
    public const string ByteLevelDecoder = """{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}""";

    /// <summary>Normalizer and decoder of a SentencePiece-style vocabulary, with or without a space before every text.</summary>
    public static (string Normalizer, string Decoder) SentencePiece(bool spacePrefix)
    {
        const string decoders = """{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"}""";
        return spacePrefix
            ? ($$"""{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{{SpaceToMark}}]}""",
                $$"""{"type":"Sequence","decoders":[{{decoders}},{"type":"Strip","content":" ","start":1,"stop":0}]}""")
            : (SpaceToMark, $$"""{"type":"Sequence","decoders":[{{decoders}}]}""");
    }

    /// <summary>
    /// Merges that give what SentencePiece's scores give: every way to make a token of two others, the highest score first. Where scores are equal the longer
    /// left part comes first, as in the conversion of transformers.
    /// </summary>
    /// <param name="tokens">Token by id.</param>
    /// <param name="scores">Score by id; higher merges earlier.</param>
    /// <param name="merges">Whether merging may make this id: not control, byte or unknown tokens.</param>
    public static IReadOnlyList<(string Left, string Right)> MergesOfScores(IReadOnlyList<string> tokens, IReadOnlyList<double> scores, Func<int, bool> merges)
    {
        var known = tokens.ToHashSet(StringComparer.Ordinal);
        var lookup = known.GetAlternateLookup<ReadOnlySpan<char>>();
        var found = new List<(int Id, int Left)>();
        for (var id = 0; id < tokens.Count; id++)
            for (var cut = 1; merges(id) && cut < tokens[id].Length; cut++)
                if (!char.IsLowSurrogate(tokens[id][cut]) && lookup.Contains(tokens[id].AsSpan(0, cut)) && lookup.Contains(tokens[id].AsSpan(cut)))
                    found.Add((id, cut));
        return [.. found.OrderByDescending(merge => scores[merge.Id]).ThenByDescending(merge => merge.Left).ThenByDescending(merge => tokens[merge.Id].Length)
            .Select(merge => (tokens[merge.Id][..merge.Left], tokens[merge.Id][merge.Left..]))];
    }

    /// <summary>Writes tokenizer.json.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            WriteAdded(json);
            foreach (var (name, stage) in new[] { ("normalizer", Normalizer), ("pre_tokenizer", PreTokenizer), ("post_processor", PostProcessor()), ("decoder", Decoder) })
            {
                json.WritePropertyName(name);
                json.WriteRawValue(stage);
            }
            WriteModel(json);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The tokenizer that this makes.</summary>
    /// <param name="source">The name for errors.</param>
    public Tokenizer ToTokenizer(string source) => Tokenizer.FromJson(ToJson(), source);

    /// <summary>Refuses a vocabulary in which a token stands twice: by its text alone nobody could tell the ids apart.</summary>
    public static void CheckUnique(IReadOnlyList<string> tokens, Func<string, BadInputException> refuse)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < tokens.Count; id++)
            if (!seen.TryAdd(tokens[id], id))
                throw refuse($"has the token '{tokens[id]}' twice, as {seen[tokens[id]]} and {id}.");
    }

    private void WriteAdded(Utf8JsonWriter json)
    {
        json.WriteStartArray("added_tokens");
        foreach (var (id, special) in Added)
        {
            json.WriteStartObject();
            json.WriteNumber("id", id);
            json.WriteString("content", Tokens[id]);
            foreach (var flag in new[] { "single_word", "lstrip", "rstrip", "normalized" })
                json.WriteBoolean(flag, false);
            json.WriteBoolean("special", special);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteModel(Utf8JsonWriter json)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteString("unk_token", Unknown);
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", ByteFallback);
        json.WriteBoolean("byte_fallback", ByteFallback);
        json.WriteBoolean("ignore_merges", IgnoreMerges);
        json.WriteStartObject("vocab");
        for (var id = 0; id < Tokens.Count; id++)
            json.WriteNumber(Tokens[id], id);
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var (left, right) in Merges)
        {
            json.WriteStartArray();
            json.WriteStringValue(left);
            json.WriteStringValue(right);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private string PostProcessor()
    {
        if (Before is null && Behind is null)
            return Decoder == ByteLevelDecoder ? ByteLevelPost : "null";
        string Sequence(string name, int type) => $$"""{ "Sequence": { "id": "{{name}}", "type_id": {{type}} } }""";
        string? Special(int? id, int type) => id is { } known ? $$"""{ "SpecialToken": { "id": {{Quote(known)}}, "type_id": {{type}} } }""" : null;
        string Around(string name, int type) => string.Join(", ", new[] { Special(Before, type), Sequence(name, type), Special(Behind, type) }.Where(part => part is not null));
        var specials = string.Join(", ", new[] { Before, Behind }.OfType<int>().Distinct().Select(id => $$"""{{Quote(id)}}: { "id": {{Quote(id)}}, "ids": [{{id}}], "tokens": [{{Quote(id)}}] }"""));
        return $$"""{ "type": "TemplateProcessing", "single": [{{Around("A", 0)}}], "pair": [{{Around("A", 0)}}, {{Around("B", 1)}}], "special_tokens": { {{specials}} } }""";
    }

    private string Quote(int id) => JsonSerializer.Serialize(Tokens[id], Readable);
}
