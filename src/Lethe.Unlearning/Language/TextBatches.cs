using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>One text as tokens.</summary>
/// <param name="Tokens">Its tokens, the first one (BOS, where the model has one) included; at least 1.</param>
/// <param name="FirstTarget">The first token that is asked for by losses over logits: 1 asks for all that can be asked for, more leaves a prompt out.</param>
/// <param name="Group">What the text is about, such as a digest of an entity's name: losses that draw something for each subject draw the same for rows of one group.</param>
public sealed record TextRow(IReadOnlyList<int> Tokens, int FirstTarget = 1, ulong Group = 0);

/// <summary>On which side rows are filled up to the length of the longest of their batch.</summary>
public enum PaddingSide
{
    /// <summary>At the end, where no token before sees it: no attention mask is needed.</summary>
    Right,
    /// <summary>At the start, behind an attention mask, as RMU's released code does; positions count from the first pad.</summary>
    Left,
}

/// <summary>How rows become batches, and which of their positions count.</summary>
public sealed record TextBatchOptions
{
    /// <summary>Rows of a batch, B; the last batch of an epoch has what is left. Default 4, as RMU's released code has.</summary>
    public int Rows { get; init; } = 4;

    /// <summary>Tokens that are read of a row; what follows is cut off. Default 512, as RMU's released code has.</summary>
    public int Length { get; init; } = 512;

    /// <summary>Which side is filled up. Default the right.</summary>
    public PaddingSide Padding { get; init; } = PaddingSide.Right;

    /// <summary>What rows are filled up with. Nothing depends on it unless padding counts. Default 0.</summary>
    public int PadToken { get; init; }

    /// <summary>Whether the first token of a row counts for losses over hidden states. It sees nothing but itself, and its norm is far from that of the others. Default false.</summary>
    public bool CountFirst { get; init; }

    /// <summary>Whether padding counts too, as in RMU's released code. Default false.</summary>
    public bool CountPadding { get; init; }

    /// <summary>Decides which rows are together and, in each epoch anew, the order of the batches; null: all as it was given, in every epoch. Default null.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Whether rows of about the same length are together, so that little is padding. Default false.</summary>
    public bool ByLength { get; init; }
}

/// <summary>Token rows of one kind of text (what is to be forgotten, what must stay) as batches that stay the same from epoch to epoch; only their order changes.</summary>
public sealed class TextBatches
{
    private readonly TextBatch[] batches;
    private readonly ulong? seed;
    private long epoch = -1;
    private int[] order = [];

    private TextBatches(TextBatch[] batches, ulong? seed) => (this.batches, this.seed) = (batches, seed);

    /// <summary>All batches, in the order of the first composition.</summary>
    public IReadOnlyList<TextBatch> Batches => batches;

    /// <summary>Batches of an epoch.</summary>
    public int Count => batches.Length;

    /// <summary>Tokens of an epoch, without padding.</summary>
    public long Tokens => batches.Sum(batch => batch.Tokens);

    /// <summary>Makes batches of rows that are asked from their second token on.</summary>
    /// <inheritdoc cref="Of(IReadOnlyList{TextRow}, TextBatchOptions)"/>
    public static TextBatches Of(IReadOnlyList<int[]> rows, TextBatchOptions? options = null) => Of([.. rows.Select(row => new TextRow(row))], options);

    /// <summary>Makes batches.</summary>
    /// <param name="rows">The texts; at least one.</param>
    /// <param name="options">How; the defaults if left out.</param>
    /// <exception cref="BadInputException">There is no text, or one of whose tokens none counts.</exception>
    /// <exception cref="UsageException">Rows or length are below 1.</exception>
    public static TextBatches Of(IReadOnlyList<TextRow> rows, TextBatchOptions? options = null)
    {
        options ??= new();
        if (options.Rows < 1 || options.Length < 1)
            throw new UsageException($"A batch has at least 1 row of at least 1 token, not {options.Rows} of {options.Length}.");
        if (rows.Count == 0)
            throw new BadInputException("There is no text to make batches of; give at least one.");
        var least = options.CountFirst ? 1 : 2;
        for (var k = 0; k < rows.Count; k++)
            if (Math.Min(rows[k].Tokens.Count, options.Length) < least)
                throw new BadInputException($"Text {k + 1} of {rows.Count} has {Math.Min(rows[k].Tokens.Count, options.Length)} tokens; at least {least} are needed{(options.CountFirst ? "" : ", as the first one does not count")}. Leave it out.");
        int[] order = [.. Enumerable.Range(0, rows.Count)];
        if (options.Seed is { } seed)
            new SplitMix64(RandomStream.ChildSeed(seed, "batches")).Shuffle(order);
        if (options.ByLength)
            order = [.. order.OrderBy(k => Math.Min(rows[k].Tokens.Count, options.Length))]; // stable
        return new([.. order.Chunk(options.Rows).Select(chunk => new TextBatch([.. chunk.Select(k => rows[k])], options))], options.Seed);
    }

    /// <summary>The batch of a turn, counted from 0 over all epochs.</summary>
    public TextBatch At(long turn)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(turn);
        if (turn / Count is var wanted && wanted != epoch)
        {
            order = [.. Enumerable.Range(0, Count)];
            if (seed is { } given)
                new SplitMix64(RandomStream.ChildSeed(given, $"epoch {wanted}")).Shuffle(order);
            epoch = wanted;
        }
        return batches[order[turn % Count]];
    }
}
