using Lethe.Torch;

namespace Lethe.Models.Language.Training;

/// <summary>Rows of tokens and what is to be predicted at each, as training and measuring take them.</summary>
/// <param name="Rows">Number of rows, B.</param>
/// <param name="Length">Tokens of a row, T.</param>
/// <param name="Ids">(B, T) row-major: what the model reads.</param>
/// <param name="Targets">(B, T): the token that follows each; −1 where nothing is asked.</param>
/// <param name="Documents">(B, T): the number within its row of the document that each token belongs to, from 0.</param>
/// <param name="Positions">(B, T): the position of each token within its document's part of the row, from 0.</param>
public sealed record TokenRows(int Rows, int Length, long[] Ids, long[] Targets, long[] Documents, long[] Positions)
{
    /// <summary>Tokens of each row before the padding that fills it up on the right, (B); null: nothing is padding. A model is not given what is.</summary>
    public int[]? Lengths { get; init; }

    /// <summary>Positions at which something is asked.</summary>
    public long Asked => Targets.LongCount(target => target >= 0);

    /// <summary>Some of the rows.</summary>
    /// <param name="first">The first.</param>
    /// <param name="count">How many.</param>
    public TokenRows Slice(int first, int count)
    {
        long[] Part(long[] whole) => whole.AsSpan(first * Length, count * Length).ToArray();
        return new TokenRows(count, Length, Part(Ids), Part(Targets), Part(Documents), Part(Positions)) { Lengths = Lengths?[first..(first + count)] };
    }
}

/// <summary>
/// A corpus cut into rows of one length. The documents stand one behind the other and are cut where a row is full, so that nothing is padding. Each epoch has another order of documents, cuts at
/// other places and another order of rows, all of which depend on seed and row number alone: resuming needs no state.
/// </summary>
public sealed class PackedRows
{
    private readonly TokenCorpus corpus;
    private readonly ulong? seed;
    private readonly bool separate;
    private long epoch = -1;
    private int[] order = [];
    private long[] starts = [];
    private int[] rows = [];
    private long offset;

    /// <summary>Cuts a corpus.</summary>
    /// <param name="corpus">It; stays the caller's.</param>
    /// <param name="length">Tokens of a row, T; at least 1.</param>
    /// <param name="seed">Decides the orders; null: documents and rows as they lie, the last row filled up with nothing asked.</param>
    /// <param name="separate">Whether the first token of a document is never asked for, as it follows from another document. It is not asked either where it is the corpus's BOS.</param>
    /// <exception cref="BadInputException">The corpus has too few tokens for one row.</exception>
    public PackedRows(TokenCorpus corpus, int length, ulong? seed, bool separate = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        (this.corpus, Length, this.seed, this.separate) = (corpus, length, seed, separate);
        // An epoch loses up to T − 1 tokens to its offset; a row takes T and the one that follows.
        PerEpoch = seed is null ? (corpus.Tokens - 1 + length - 1) / length : (corpus.Tokens - length) / length;
        if (PerEpoch < 1)
            throw new BadInputException($"The corpus has {corpus.Tokens} tokens, too few for {(seed is null ? "one to follow another" : $"a row of {length}; it takes {2 * length}")}. Give more text{(seed is null ? "" : ", or set a shorter row")}.");
    }

    /// <summary>Tokens of a row, T.</summary>
    public int Length { get; }

    /// <summary>Rows of an epoch.</summary>
    public long PerEpoch { get; }

    /// <summary>Rows by their number, counted over all epochs; rows that lie as they are have one epoch.</summary>
    /// <param name="first">The first, from 0.</param>
    /// <param name="count">How many, B.</param>
    public TokenRows Take(long first, int count)
    {
        var size = count * Length;
        var taken = new TokenRows(count, Length, new long[size], new long[size], new long[size], new long[size]);
        for (var row = 0; row < count; row++)
        {
            Enter((first + row) / PerEpoch);
            Fill(taken, row, offset + (long)Row((first + row) % PerEpoch) * Length);
        }
        return taken;
    }

    private long Row(long index) => seed is null ? index : rows[index];

    private void Enter(long wanted)
    {
        if (wanted == epoch)
            return;
        if (seed is null && wanted > 0)
            throw new ArgumentOutOfRangeException(nameof(wanted), "Rows that lie as they are are read once.");
        order = [.. Enumerable.Range(0, corpus.Documents)];
        if (seed is { } given)
        {
            var random = new SplitMix64(RandomStream.ChildSeed(given, $"epoch {wanted}"));
            random.Shuffle(order);
            offset = random.Below(Length);
            rows = [.. Enumerable.Range(0, checked((int)PerEpoch))];
            random.Shuffle(rows);
        }
        starts = new long[order.Length + 1];
        for (var k = 0; k < order.Length; k++)
            starts[k + 1] = starts[k] + corpus.Range(order[k]).Length;
        epoch = wanted;
    }

    private void Fill(TokenRows taken, int row, long start)
    {
        var count = (int)Math.Min(Length + 1, corpus.Tokens - start);
        Span<int> ids = new int[count];
        Span<int> numbers = new int[count];
        Span<long> positions = new long[count];
        var document = Array.BinarySearch(starts, start) is var found && found >= 0 ? found : ~found - 1;
        for (var (at, number) = (0, 0); at < count; document++, number++)
        {
            var from = start + at - starts[document];
            var part = (int)Math.Min(count - at, starts[document + 1] - start - at);
            corpus.Read(corpus.Range(order[document]).Start + from, ids.Slice(at, part));
            numbers.Slice(at, part).Fill(number);
            for (var k = 0; k < part; k++)
                positions[at + k] = k;
            at += part;
        }
        for (var k = 0; k < Length; k++)
        {
            var to = row * Length + k;
            var follows = k + 1 < count;
            // Where a row is longer than what is left, its end repeats the last token, whose result nobody reads.
            var here = Math.Min(k, count - 1);
            taken.Ids[to] = ids[here];
            taken.Documents[to] = numbers[here];
            taken.Positions[to] = k < count ? positions[k] : positions[^1] + k - count + 1;
            taken.Targets[to] = follows && !(numbers[k + 1] != numbers[k] && (separate || corpus.Bos is not null)) ? ids[k + 1] : -1;
        }
    }
}
