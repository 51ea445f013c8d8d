using System.Runtime.InteropServices;
using System.Text;
using Lethe.Torch;

namespace Lethe.Formats.Tokenizers;

/// <summary>How a trained tokenizer cuts texts into words, within which alone letters merge.</summary>
public enum BytePairCut
{
    /// <summary>GPT-2's: words with their leading space, runs of digits, runs of marks.</summary>
    Gpt2,

    /// <summary>GPT-2's, with every digit on its own, as SmolLM2 has it.</summary>
    SmolLm2,

    /// <summary>Llama-3's: digits in groups of up to three.</summary>
    Llama3,

    /// <summary>Qwen2's: every digit on its own.</summary>
    Qwen2,
}

/// <summary>What kind of tokenizer is trained.</summary>
public sealed record BytePairTrainingOptions
{
    /// <summary>Tokens in all: the special ones, 256 bytes, merges. Training ends earlier where no pair is left. 257 to 1,000,000.</summary>
    public int VocabularySize { get; init; } = 4096;

    /// <summary>The least count of a pair that becomes a token; 1 or more. 2, because a pair seen once is no pattern.</summary>
    public int MinimumFrequency { get; init; } = 2;

    /// <summary>Special tokens; they get the ids from 0 on, in this order.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = ["<|endoftext|>"];

    /// <summary>The special token that is put before every text; null for none.</summary>
    public string? Before { get; init; }

    /// <summary>How texts are cut into words.</summary>
    public BytePairCut Cut { get; init; } = BytePairCut.Gpt2;
}

/// <summary>
/// Trains byte-level BPE: counts words, then joins the most frequent pair of neighbours again and again. The same texts give the same tokenizer, in any
/// order of the texts: of equally frequent pairs the one with the smaller ids is joined first, as in the reference library.
/// </summary>
/// <remarks>Sennrich et al. 2016, arXiv 1508.07909, algorithm 1; huggingface/tokenizers at 3ba8ad0, models/bpe/trainer.rs (order of the alphabet, ties, counts).</remarks>
public static class BytePairTraining
{
    /// <summary>Trains a tokenizer; save it with <see cref="Tokenizer.Save"/>.</summary>
    /// <param name="texts">The corpus. Special tokens inside count as ordinary text.</param>
    /// <param name="options">What kind of tokenizer.</param>
    /// <exception cref="UsageException">An option is out of range.</exception>
    public static Tokenizer Train(IEnumerable<string> texts, BytePairTrainingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        options ??= new BytePairTrainingOptions();
        Check(options);
        var tokens = new List<string>(options.SpecialTokens);
        tokens.AddRange(ByteAlphabet.Sorted.Select(letter => letter.ToString()));
        var cut = Cut(options.Cut);
        var corpus = new Corpus(Count(texts, cut), tokens, options.SpecialTokens.Count);
        var merges = corpus.Join(tokens, options.VocabularySize, options.MinimumFrequency);
        return new TokenizerContent
        {
            Tokens = tokens,
            Merges = merges,
            Added = [.. options.SpecialTokens.Select((_, id) => (id, true))],
            PreTokenizer = cut,
            Decoder = TokenizerContent.ByteLevelDecoder,
            Before = options.Before is { } before ? options.SpecialTokens.ToList().IndexOf(before) : null,
        }.ToTokenizer("the trained tokenizer");
    }

    private static void Check(BytePairTrainingOptions options)
    {
        if (options.VocabularySize < 256 + options.SpecialTokens.Count + 1 || options.VocabularySize > 1_000_000)
            throw new UsageException($"A vocabulary of {options.VocabularySize} tokens is out of range: {256 + options.SpecialTokens.Count + 1} (bytes, special tokens, one merge) to 1000000 are allowed.");
        if (options.MinimumFrequency < 1)
            throw new UsageException($"The minimum frequency is {options.MinimumFrequency}; it must be 1 or more.");
        foreach (var token in options.SpecialTokens)
            if (token.Length < 2 || options.SpecialTokens.Count(other => other == token) > 1)
                throw new UsageException($"The special token '{token}' {(token.Length < 2 ? "must have two characters or more" : "is given twice")}.");
        if (options.Before is { } before && !options.SpecialTokens.Contains(before))
            throw new UsageException($"'{before}' is put before every text, but it is not among the special tokens {string.Join(", ", options.SpecialTokens)}.");
    }

    private static string Cut(BytePairCut cut) => cut switch
    {
        BytePairCut.Gpt2 => TokenizerContent.ByteLevel(null),
        BytePairCut.SmolLm2 => TokenizerContent.ByteLevel(null, digits: true),
        BytePairCut.Llama3 => TokenizerContent.ByteLevel(PatternNames.Llama3),
        _ => TokenizerContent.ByteLevel(PatternNames.Qwen2),
    };

    private static Dictionary<string, long> Count(IEnumerable<string> texts, string cut)
    {
        using var document = JsonField.Parse("the trained tokenizer", Encoding.UTF8.GetBytes(cut));
        var (stages, _) = PreTokenizer.Read(new JsonField("the trained tokenizer", "pre_tokenizer", document.RootElement));
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var text in texts)
            foreach (var word in PreTokenizer.Split(stages, Tokenizer.WellFormed(text)))
                CollectionsMarshal.GetValueRefOrAddDefault(lookup, word.Span, out _)++;
        return counts;
    }

    /// <summary>Words as ids with their counts, the count of each pair, and the words that it may stand in.</summary>
    private sealed class Corpus
    {
        private readonly List<(List<int> Ids, long Count)> words = [];
        private readonly Dictionary<(int, int), long> counts = [];
        private readonly Dictionary<(int, int), HashSet<int>> places = [];
        private readonly PriorityQueue<((int, int) Pair, long Count), (long NegativeCount, int Left, int Right)> queue = new();

        public Corpus(Dictionary<string, long> counted, List<string> tokens, int firstByte)
        {
            var ids = tokens.Skip(firstByte).Select((token, i) => (token[0], firstByte + i)).ToDictionary(entry => entry.Item1, entry => entry.Item2);
            foreach (var (word, count) in counted)
                words.Add((ByteAlphabet.Map(word).Select(letter => ids[letter]).ToList(), count));
            for (var i = 0; i < words.Count; i++)
                for (var at = 0; at + 1 < words[i].Ids.Count; at++)
                    Change((words[i].Ids[at], words[i].Ids[at + 1]), words[i].Count, i);
            foreach (var (pair, count) in counts)
                Offer(pair, count);
        }

        private void Change((int, int) pair, long change, int word)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(counts, pair, out _) += change;
            if (change <= 0)
                return;
            ref var found = ref CollectionsMarshal.GetValueRefOrAddDefault(places, pair, out _);
            (found ??= []).Add(word);
        }

        private void Offer((int Left, int Right) pair, long count)
        {
            if (count > 0)
                queue.Enqueue((pair, count), (-count, pair.Left, pair.Right));
        }

        public List<(string Left, string Right)> Join(List<string> tokens, int size, int least)
        {
            var merges = new List<(string, string)>();
            var known = new Dictionary<string, int>(StringComparer.Ordinal);
            for (var id = 0; id < tokens.Count; id++)
                known.TryAdd(tokens[id], id);
            var joined = new HashSet<(int, int)>();
            while (tokens.Count < size && queue.TryDequeue(out var top, out _))
            {
                var (pair, count) = top;
                // Counts fall while an entry waits; it comes again with what is true now.
                if (counts[pair] != count)
                {
                    Offer(pair, counts[pair]);
                    continue;
                }
                if (count < least)
                    break;
                var (left, right) = (tokens[pair.Item1], tokens[pair.Item2]);
                // Another pair may have made the same token, or this pair may have come back; a token stands in the vocabulary once, a merge in the list once.
                if (!known.TryGetValue(left + right, out var id))
                {
                    id = tokens.Count;
                    tokens.Add(left + right);
                    known.Add(left + right, id);
                }
                if (joined.Add(pair))
                    merges.Add((left, right));
                JoinEverywhere(pair, id);
            }
            return merges;
        }

        private void JoinEverywhere((int, int) pair, int id)
        {
            if (!places.Remove(pair, out var where))
                return;
            var risen = new HashSet<(int, int)>();
            foreach (var word in where)
                JoinIn(word, pair, id, risen);
            counts[pair] = 0;
            foreach (var other in risen)
                Offer(other, counts[other]);
        }

        private void JoinIn(int word, (int Left, int Right) pair, int id, HashSet<(int, int)> risen)
        {
            var (ids, count) = words[word];
            var kept = 0;
            for (var i = 0; i < ids.Count; i++, kept++)
            {
                if (i + 1 == ids.Count || ids[i] != pair.Left || ids[i + 1] != pair.Right)
                {
                    ids[kept] = ids[i];
                    continue;
                }
                ids[kept] = id;
                i++;
                if (kept > 0)
                {
                    Change((ids[kept - 1], pair.Left), -count, word);
                    Rise((ids[kept - 1], id));
                }
                if (i + 1 < ids.Count)
                {
                    Change((pair.Right, ids[i + 1]), -count, word);
                    Rise((id, ids[i + 1]));
                }
            }
            ids.RemoveRange(kept, ids.Count - kept);

            void Rise((int, int) other)
            {
                Change(other, count, word);
                risen.Add(other);
            }
        }
    }
}
