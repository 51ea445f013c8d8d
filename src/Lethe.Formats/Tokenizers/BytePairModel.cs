using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Lethe.Formats.Tokenizers;

/// <summary>
/// The BPE model of tokenizer.json: pieces become characters, characters become ids, and neighbours merge, lowest rank first and leftmost
/// on ties, by a heap, so that a word of a million letters takes seconds and not days.
/// </summary>
/// <remarks>huggingface/tokenizers at 3ba8ad0, models/bpe/model.rs (merge_word) and word.rs (merge_all), to which this is faithful also where it
/// surprises: an unknown character waits while bytes behind it are emitted; a heap entry is stale only if it would make another token.</remarks>
internal sealed class BytePairModel
{
    /// <summary>Words longer than this are not remembered, and no more words than <see cref="MaxCached"/>: a text cannot take memory without bound.</summary>
    private const int MaxCachedLength = 256, MaxCached = 100_000;

    /// <summary>SentencePiece's mark of a space.</summary>
    private const char Space = '\u2581';

    private readonly Dictionary<string, int> vocabulary;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup;
    private readonly Dictionary<ulong, Merge> merges;
    private readonly Options options;
    private readonly int unknownId = -1;
    private readonly int[]? byteIds;
    private readonly bool splitsAtSpaces;
    private readonly HashSet<int> joinedToSpace = [];
    private readonly ConcurrentDictionary<string, int[]> cache = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> cached;
    private int cachedCount;

    private readonly record struct Merge(int Rank, int Id);

    /// <summary>What the model's object says beside vocabulary and merges; where it maps bytes, pieces arrive as plain text and pass through <see cref="ByteAlphabet"/> first.</summary>
    public sealed record Options(string? Unknown, string Prefix, string Suffix, bool FuseUnknown, bool ByteFallback, bool IgnoreMerges, bool MapsBytes);

    private BytePairModel(Dictionary<string, int> vocabulary, Dictionary<ulong, Merge> merges, Options options, JsonField model)
    {
        (this.vocabulary, this.merges, this.options) = (vocabulary, merges, options);
        lookup = vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
        cached = cache.GetAlternateLookup<ReadOnlySpan<char>>();
        if (options.Unknown is { } unknown && !vocabulary.TryGetValue(unknown, out unknownId))
            throw model.Refuse($"names the unk_token '{unknown}', which vocab lacks.");
        if (options.ByteFallback)
            byteIds = [.. Enumerable.Range(0, 256).Select(value => vocabulary.GetValueOrDefault(ByteToken(value), -1))];
        splitsAtSpaces = !options.IgnoreMerges && !options.MapsBytes && options.Prefix.Length == 0 && options.Suffix.Length == 0
            && vocabulary.ContainsKey(Space.ToString()) && FindWhatJoinsSpaces(model);
    }

    /// <summary>Id by token, without the added tokens.</summary>
    public IReadOnlyDictionary<string, int> Vocabulary => vocabulary;

    private static string ByteToken(int value) => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");

    /// <summary>Reads the member "model" of tokenizer.json.</summary>
    public static BytePairModel Read(JsonField model, bool mapsBytes)
    {
        // Files by old writers have no type; they are BPE if they have merges.
        var kind = model.Find("type")?.Text() ?? (model.Find("merges") is null ? "none" : "BPE");
        if (kind != "BPE")
            throw model.Refuse($"has the type '{kind}'; Lethe reads BPE.");
        if (model.Find("dropout") is { } dropout && !(dropout.Element.ValueKind == System.Text.Json.JsonValueKind.Number && dropout.Element.GetDouble() == 0))
            throw dropout.Refuse("must be null or 0: a tokenizer that drops merges at random gives other ids each time.");
        var vocabulary = ReadVocabulary(model.Get("vocab"));
        var options = new Options(model.Find("unk_token")?.Text(), model.TextOr("continuing_subword_prefix", ""), model.TextOr("end_of_word_suffix", ""),
            model.TruthOr("fuse_unk", false), model.TruthOr("byte_fallback", false), model.TruthOr("ignore_merges", false), mapsBytes);
        return new BytePairModel(vocabulary, ReadMerges(model.Get("merges"), vocabulary, options.Prefix), options, model);
    }

    private static Dictionary<string, int> ReadVocabulary(JsonField field)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        var owners = new HashSet<int>();
        foreach (var (token, id) in field.Members())
        {
            var value = id.Count(Tokenizer.MaxId);
            if (!owners.Add(value))
                throw id.Refuse($"is {value}, which another token of the vocabulary has.");
            vocabulary.Add(token, value);
        }
        return vocabulary;
    }

    private static Dictionary<ulong, Merge> ReadMerges(JsonField field, Dictionary<string, int> vocabulary, string prefix)
    {
        var merges = new Dictionary<ulong, Merge>();
        var rank = 0;
        foreach (var item in field.Items())
        {
            string left, right;
            if (item.Element.ValueKind == System.Text.Json.JsonValueKind.Array)
            {
                var pair = item.Items().Take(3).ToArray();
                if (pair.Length != 2)
                    throw item.Refuse($"must hold two texts and holds {item.Element.GetArrayLength()} items.");
                (left, right) = (pair[0].Text(), pair[1].Text());
            }
            else
            {
                var line = item.Text();
                if (line.StartsWith("#version", StringComparison.Ordinal))
                    continue;
                var space = line.IndexOf(' ', StringComparison.Ordinal);
                if (space < 0 || line.IndexOf(' ', space + 1) >= 0)
                    throw item.Refuse($"must be two tokens with one space between them and is '{line}'.");
                (left, right) = (line[..space], line[(space + 1)..]);
            }
            if (!right.StartsWith(prefix, StringComparison.Ordinal))
                throw item.Refuse($"has a right part '{right}' without the continuing_subword_prefix '{prefix}'.");
            var merged = left + right[prefix.Length..];
            if (!vocabulary.TryGetValue(left, out var leftId) || !vocabulary.TryGetValue(right, out var rightId) || !vocabulary.TryGetValue(merged, out var id))
                throw item.Refuse($"joins '{left}' and '{right}', but the vocabulary lacks '{(!vocabulary.ContainsKey(left) ? left : !vocabulary.ContainsKey(right) ? right : merged)}'.");
            // Given twice, the later rank counts, as in the reference library's map.
            merges[Pair(leftId, rightId)] = new Merge(rank++, id);
        }
        return merges;
    }

    private static ulong Pair(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    /// <summary>
    /// Texts without a pre-tokenizer (Llama-2) are one piece. Where no merge joins what lies left of a space mark with it, both sides merge apart from each
    /// other, so the piece can be cut there, and the words be remembered, without changing any id. Notes the characters where that is not so.
    /// </summary>
    private bool FindWhatJoinsSpaces(JsonField model)
    {
        var tokens = vocabulary.ToDictionary(entry => entry.Value, entry => entry.Key);
        foreach (var pair in merges.Keys)
        {
            var (left, right) = (tokens[(int)(pair >> 32)], tokens[(int)(uint)pair]);
            if (right.Length == 0 || left.Length == 0)
                throw model.Refuse("merges an empty token.");
            if (right[0] != Space)
                continue;
            // Unknown characters and bytes become tokens whose text is not what stood there.
            if ((int)(pair >> 32) == unknownId || byteIds?.Contains((int)(pair >> 32)) == true)
                return false;
            Rune.DecodeLastFromUtf16(left, out var last, out _);
            joinedToSpace.Add(last.Value);
        }
        return true;
    }

    /// <summary>Appends the ids of one piece, which is well-formed UTF-16.</summary>
    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (!splitsAtSpaces)
        {
            EncodeWord(piece, ids);
            return;
        }
        var start = 0;
        for (var i = 1; i < piece.Length; i++)
        {
            if (piece[i] != Space || piece[i - 1] == Space)
                continue;
            Rune.DecodeLastFromUtf16(piece[..i], out var before, out _);
            if (joinedToSpace.Contains(before.Value))
                continue;
            EncodeWord(piece[start..i], ids);
            start = i;
        }
        EncodeWord(piece[start..], ids);
    }

    private void EncodeWord(ReadOnlySpan<char> word, List<int> ids)
    {
        if (word.IsEmpty)
            return;
        if (word.Length > MaxCachedLength)
        {
            ids.AddRange(Tokenize(word));
            return;
        }
        if (!cached.TryGetValue(word, out var known))
        {
            known = Tokenize(word).ToArray();
            if (cachedCount < MaxCached && cached.TryAdd(word, known))
                Interlocked.Increment(ref cachedCount);
        }
        ids.AddRange(known);
    }

    private ReadOnlySpan<int> Tokenize(ReadOnlySpan<char> word)
    {
        if (options.MapsBytes)
            word = ByteAlphabet.Map(word);
        if (options.IgnoreMerges && lookup.TryGetValue(word, out var whole))
            return new[] { whole };
        var symbols = Symbols(word);
        return symbols.Count < 2 || merges.Count == 0 ? symbols.ToArray() : new MergeHeap(symbols).Run(this);
    }

    private List<int> Symbols(ReadOnlySpan<char> word)
    {
        var symbols = new List<int>(word.Length);
        var pending = false;
        Span<byte> utf8 = stackalloc byte[4];
        for (var at = 0; at < word.Length;)
        {
            Rune.DecodeFromUtf16(word[at..], out var rune, out var length);
            var letter = word.Slice(at, length);
            var isFirst = at == 0;
            at += length;
            var isLast = at == word.Length;
            if (!isFirst && options.Prefix.Length > 0 || isLast && options.Suffix.Length > 0)
                letter = string.Concat(isFirst ? "" : options.Prefix, letter, isLast ? options.Suffix : "");
            if (lookup.TryGetValue(letter, out var id))
            {
                if (pending)
                    symbols.Add(unknownId);
                pending = false;
                symbols.Add(id);
            }
            else if (byteIds is null || !TryBytes(letter, utf8, symbols))
            {
                if (unknownId < 0)
                    continue;
                if (pending && !options.FuseUnknown)
                    symbols.Add(unknownId);
                pending = true;
            }
        }
        if (pending)
            symbols.Add(unknownId);
        return symbols;
    }

    /// <summary>One token a byte, only where all of them are in the vocabulary.</summary>
    private bool TryBytes(ReadOnlySpan<char> letter, Span<byte> buffer, List<int> symbols)
    {
        var bytes = letter.Length <= 2 ? buffer[..Encoding.UTF8.GetBytes(letter, buffer)] : Encoding.UTF8.GetBytes(letter.ToArray());
        foreach (var value in bytes)
            if (byteIds![value] < 0)
                return false;
        foreach (var value in bytes)
            symbols.Add(byteIds![value]);
        return true;
    }

    /// <summary>The symbols of one word as a linked list, and the merges that are possible now as a binary heap ordered by rank, then position.</summary>
    private sealed class MergeHeap
    {
        private readonly int[] ids, previous, next;
        private (ulong Key, int Id)[] heap;
        private int count;

        public MergeHeap(List<int> symbols)
        {
            ids = [.. symbols];
            previous = new int[ids.Length];
            next = new int[ids.Length];
            heap = new (ulong, int)[ids.Length + 4];
            for (var i = 0; i < ids.Length; i++)
                (previous[i], next[i]) = (i - 1, i + 1);
        }

        public int[] Run(BytePairModel model)
        {
            for (var i = 0; i + 1 < ids.Length; i++)
                Offer(model, i, i + 1);
            var left = ids.Length;
            while (count > 0)
            {
                var (key, id) = Pop();
                var at = (int)(uint)key;
                if (ids[at] < 0 || next[at] >= ids.Length)
                    continue;
                var right = next[at];
                if (!model.merges.TryGetValue(Pair(ids[at], ids[right]), out var merge) || merge.Id != id)
                    continue;
                ids[at] = id;
                ids[right] = -1;
                left--;
                next[at] = next[right];
                if (next[at] < ids.Length)
                    previous[next[at]] = at;
                if (previous[at] >= 0)
                    Offer(model, previous[at], at);
                if (next[at] < ids.Length)
                    Offer(model, at, next[at]);
            }
            var result = new int[left];
            var filled = 0;
            foreach (var id in ids)
                if (id >= 0)
                    result[filled++] = id;
            return result;
        }

        private void Offer(BytePairModel model, int at, int right)
        {
            if (!model.merges.TryGetValue(Pair(ids[at], ids[right]), out var merge))
                return;
            if (count == heap.Length)
                Array.Resize(ref heap, heap.Length * 2);
            var entry = (((ulong)(uint)merge.Rank << 32) | (uint)at, merge.Id);
            var hole = count++;
            for (int parent; hole > 0 && heap[parent = (hole - 1) / 2].Key > entry.Item1; hole = parent)
                heap[hole] = heap[parent];
            heap[hole] = entry;
        }

        private (ulong Key, int Id) Pop()
        {
            var top = heap[0];
            var last = heap[--count];
            var hole = 0;
            while (2 * hole + 1 < count)
            {
                var child = 2 * hole + 1;
                if (child + 1 < count && heap[child + 1].Key < heap[child].Key)
                    child++;
                if (heap[child].Key >= last.Key)
                    break;
                heap[hole] = heap[child];
                hole = child;
            }
            heap[hole] = last;
            return top;
        }
    }
}
