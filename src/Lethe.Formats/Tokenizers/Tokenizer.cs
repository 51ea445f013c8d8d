using System.Text;
using Lethe.Formats.Gguf;
using Lethe.Torch;

namespace Lethe.Formats.Tokenizers;

/// <summary>
/// Text to token ids and back, exactly as the reference library does it: byte-level BPE (GPT-2, Llama-3, Qwen2, SmolLM2, GPT-NeoX), BPE with byte
/// fallback as converted from SentencePiece (Llama-2, Mistral, Gemma), CLIP. Whatever the source, it is a tokenizer.json inside; safe for many threads.
/// </summary>
/// <remarks>huggingface/tokenizers at 3ba8ad0. The members "truncation" and "padding" of a file are not followed, as transformers overrides them too.</remarks>
public sealed class Tokenizer
{
    /// <summary>The largest id that a file may give a token.</summary>
    internal const int MaxId = 10_000_000;

    /// <summary>The largest published tokenizer.json has about 35 MB.</summary>
    private const long MaxFileBytes = 256L << 20;

    private readonly ReadOnlyMemory<byte> json;
    private readonly BytePairModel model;
    private readonly Func<string, string>? normalize;
    private readonly IReadOnlyList<PreTokenizer> stages;
    private readonly PostProcessor around;
    private readonly IReadOnlyList<Func<DecoderStep>> decoder;
    private readonly AddedTokens? raw, normalized;
    private readonly Dictionary<string, int> added = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> addedTexts = [];
    private readonly HashSet<int> special = [];
    private readonly string?[] tokens;

    private Tokenizer(JsonField file, ReadOnlyMemory<byte> json)
    {
        this.json = json;
        normalize = Normalizer.Read(file.Find("normalizer"));
        (stages, var mapsBytes) = PreTokenizer.Read(file.Find("pre_tokenizer"));
        around = PostProcessor.Read(file.Find("post_processor"));
        decoder = DecoderStep.Read(file.Find("decoder"));
        model = BytePairModel.Read(file.Get("model"), mapsBytes);

        var found = new List<(string Text, AddedToken Token)>();
        var owners = model.Vocabulary.ToDictionary(entry => entry.Value, entry => entry.Key);
        if (file.Find("added_tokens") is { } list)
            foreach (var field in list.Items())
                if (ReadAdded(field, owners) is { } entry)
                    found.Add(entry);
        if (owners.Count == 0)
            throw file.Get("model").Refuse("has an empty vocabulary.");
        var largest = owners.Keys.Max();
        // Ids are indexes into the rows of an embedding; a table by id must not grow beyond what the file could fill.
        if (largest > 16L * owners.Count + 65536)
            throw file.Get("model").Refuse($"gives {owners.Count} tokens ids up to {largest}; at most {16L * owners.Count + 65536} is allowed.");
        tokens = new string?[largest + 1];
        foreach (var (id, token) in owners)
            tokens[id] = token;
        foreach (var id in around.Parts.Where(part => part is not null).SelectMany(part => part!))
            if (id > largest || tokens[id] is null)
                throw file.Get("post_processor").Refuse($"adds the id {id}, which no token has.");
        raw = Finder(found.Where(entry => !entry.Token.Normalized));
        normalized = Finder(found.Where(entry => entry.Token.Normalized));
    }

    private static AddedTokens? Finder(IEnumerable<(string, AddedToken)> tokens) => tokens.Any() ? new AddedTokens(tokens) : null;

    private (string Text, AddedToken Token)? ReadAdded(JsonField field, Dictionary<int, string> owners)
    {
        var token = AddedToken.Read(field);
        // The reference library passes over empty ones.
        if (token.Content.Length == 0)
            return null;
        if (owners.TryGetValue(token.Id, out var owner) && owner != token.Content)
            throw field.Refuse($"gives '{token.Content}' the id {token.Id}, which '{owner}' has.");
        if (IdOf(token.Content) is { } known && known != token.Id)
            throw field.Refuse($"gives '{token.Content}' the id {token.Id}, but it has the id {known} already.");
        owners[token.Id] = token.Content;
        added[token.Content] = token.Id;
        if (token.Special)
            special.Add(token.Id);
        var text = token.Normalized && normalize is not null ? normalize(token.Content) : token.Content;
        addedTexts[token.Id] = text;
        return text.Length == 0 ? null : (text, token);
    }

    /// <summary>Reads a tokenizer.json.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="BadInputException">The file is missing, damaged, or needs something that Lethe lacks; the message names the field.</exception>
    public static Tokenizer FromJsonFile(string path) => FromJson(InputFile.ReadAll(path, MaxFileBytes), path);

    /// <summary>Reads the content of a tokenizer.json.</summary>
    /// <param name="json">UTF-8.</param>
    /// <param name="file">The name for errors.</param>
    /// <exception cref="BadInputException">The content is damaged or needs something that Lethe lacks; the message names the field.</exception>
    public static Tokenizer FromJson(ReadOnlyMemory<byte> json, string file)
    {
        using var document = JsonField.Parse(file, json);
        return new Tokenizer(new JsonField(file, "", document.RootElement), json);
    }

    /// <summary>Makes the tokenizer that a GGUF file describes (keys tokenizer.ggml.*): byte-level BPE ("gpt2") or SentencePiece's scores ("llama").</summary>
    /// <param name="metadata">The file's keys.</param>
    /// <param name="path">The name for errors.</param>
    /// <exception cref="BadInputException">The file holds none, or one that Lethe does not know (tokenizer.ggml.model, tokenizer.ggml.pre); the message names the key.</exception>
    public static Tokenizer FromGguf(GgufMetadata metadata, string path)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return GgufTokenizer.Read(metadata).ToTokenizer(path);
    }

    /// <summary>Reads llama2.c's tokenizer.bin.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="BadInputException">The file is missing or damaged; the message names the token and the byte.</exception>
    public static Tokenizer FromLlama2C(string path) => Llama2CTokenizer.Read(path, InputFile.ReadAll(path, Llama2CTokenizer.MaxFileBytes)).ToTokenizer(path);

    /// <summary>Largest id + 1, added tokens included. A model's embedding may have more rows.</summary>
    public int VocabularySize => tokens.Length;

    /// <summary>What <see cref="Save"/> writes, UTF-8: all that makes this tokenizer what it is.</summary>
    public ReadOnlyMemory<byte> Json => json;

    /// <summary>The id of a token as the vocabulary spells it ("Ġthe", "▁the", "&lt;s&gt;"), or null.</summary>
    public int? IdOf(string token) => added.TryGetValue(token, out var id) || model.Vocabulary.TryGetValue(token, out id) ? id : null;

    /// <summary>The token of an id as the vocabulary spells it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No token has the id; see <see cref="Has"/>.</exception>
    public string TokenOf(int id) => Has(id) ? tokens[id]! : throw new ArgumentOutOfRangeException(nameof(id), id, $"no token has this id; ids are below {VocabularySize}.");

    /// <summary>Whether a token has this id; vocabularies may have gaps.</summary>
    public bool Has(int id) => id >= 0 && id < tokens.Length && tokens[id] is not null;

    /// <summary>Whether the id is of a special token, such as the end of a text, which a reader does not want to see.</summary>
    public bool IsSpecial(int id) => special.Contains(id);

    /// <summary>The special tokens' ids, ascending.</summary>
    public IEnumerable<int> SpecialIds => special.Order();

    /// <summary>The ids of a text. Special tokens that the text spells out are recognised. A lone surrogate counts as U+FFFD, as it would in UTF-8.</summary>
    /// <param name="text">Any text, of any length; time grows linearly but for words of many thousand letters (n log n).</param>
    /// <param name="addSpecialTokens">Also add what the file's post_processor adds, such as BOS.</param>
    /// <exception cref="BadInputException">A pattern of the file takes too long on this text.</exception>
    public int[] Encode(string text, bool addSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = WellFormed(text);
        var ids = new List<int>(text.Length / 4 + 4);
        if (raw is null)
            EncodeStretch(text, true, ids);
        else
            foreach (var (begin, end, token) in raw.Split(text))
                if (token is null)
                    EncodeStretch(text[begin..end], begin == 0, ids);
                else
                    ids.Add(token.Id);
        return addSpecialTokens ? around.Apply(ids) : [.. ids];
    }

    private void EncodeStretch(string text, bool first, List<int> ids)
    {
        if (normalize is not null)
            text = normalize(text);
        if (normalized is null)
            EncodePiece(new Piece(text, 0, text.Length, first), ids);
        else
            foreach (var (begin, end, token) in normalized.Split(text))
                if (token is null)
                    EncodePiece(new Piece(text, begin, end - begin, first && begin == 0), ids);
                else
                    ids.Add(token.Id);
    }

    private void EncodePiece(Piece piece, List<int> ids)
    {
        foreach (var part in PreTokenizer.Split(stages, piece))
            model.Encode(part.Span, ids);
    }

    /// <summary>The text of ids. Ids that no token has add nothing; bytes that make no character become U+FFFD.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecialTokens">Leave special tokens out.</param>
    public string Decode(IReadOnlyList<int> ids, bool skipSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var stream = Stream(skipSpecialTokens);
        foreach (var id in ids)
            stream.Feed(id);
        return stream.Finish();
    }

    /// <summary>Decodes ids as they come.</summary>
    /// <param name="skipSpecialTokens">Leave special tokens out.</param>
    public TokenDecoder Stream(bool skipSpecialTokens = true) =>
        new(decoder, id => !Has(id) || skipSpecialTokens && special.Contains(id) ? null : addedTexts.GetValueOrDefault(id, tokens[id]!));

    /// <summary>Writes tokenizer.json; one that was read from such a file is written byte for byte.</summary>
    /// <param name="tokenizerJsonPath">Where it goes; its folder exists.</param>
    /// <exception cref="UsageException">The place cannot be written.</exception>
    public void Save(string tokenizerJsonPath) => AtomicFile.WriteAllBytes(tokenizerJsonPath, json);

    /// <summary>The text with U+FFFD for every lone surrogate.</summary>
    internal static string WellFormed(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0)
            return text;
        var fixedText = new StringBuilder(text.Length);
        Span<char> units = stackalloc char[2];
        foreach (var rune in text.EnumerateRunes())
            fixedText.Append(units[..rune.EncodeToUtf16(units)]);
        return fixedText.ToString();
    }
}
