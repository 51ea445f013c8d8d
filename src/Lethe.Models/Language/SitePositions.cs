using Lethe.Torch;

namespace Lethe.Models.Language;

/// <summary>
/// What a visitor is told of the positions whose values it is given: rows and columns of the new positions, what lies before them, which of them are tokens
/// and not padding, and where it may keep numbers from one forward to the next.
/// </summary>
public sealed class SitePositions
{
    private readonly KeyValueCache? cache;
    private readonly long[]? mask; // (B, past + T), row-major; null where all are tokens
    private readonly int[]? firsts;

    private SitePositions(int rows, int past, int count, Tensor? mask, KeyValueCache? cache, bool several)
    {
        (Rows, Past, Count, this.cache, HasDocuments) = (rows, past, count, cache, several);
        if (mask is null)
            return;
        this.mask = mask.To(DType.Int64).To(Device.Cpu).ToArray<long>();
        firsts = new int[rows];
        for (var row = 0; row < rows; row++)
            firsts[row] = this.mask.AsSpan(row * (past + count), past + count).IndexOfAnyExcept(0);
    }

    /// <summary>Rows of the batch, B.</summary>
    public int Rows { get; }

    /// <summary>Positions before the new ones, in the cache; 0 without one.</summary>
    public int Past { get; }

    /// <summary>New positions, T: what the visitor is given.</summary>
    public int Count { get; }

    /// <summary>Whether a row holds several texts that do not see each other (<see cref="ForwardContext.Documents"/>).</summary>
    public bool HasDocuments { get; }

    /// <summary>Texts without padding, from their first token on.</summary>
    public static SitePositions Whole(int rows, int count) => new(rows, 0, count, null, null, false);

    /// <summary>Whether a new position holds a token rather than padding.</summary>
    public bool IsToken(int row, int position) => mask is null || mask[row * (Past + Count) + Past + position] != 0;

    /// <summary>Whether a new position holds the first token of its row, whose norm in trained models is many times the others'.</summary>
    public bool IsFirst(int row, int position) => Past + position == (firsts is null ? 0 : firsts[row]);

    /// <summary>
    /// Numbers that somebody keeps for each position of each row. With a cache they are part of it: they follow it when it forgets its end or drops, reorders or repeats rows. Without one
    /// they begin anew with each forward. The new positions are added; whoever asks fills them in.
    /// </summary>
    /// <param name="owner">Who asks; each has its own numbers. Once in a forward.</param>
    /// <param name="fields">Numbers of a position, the same at each call.</param>
    /// <exception cref="InvalidOperationException">The cache holds positions that the owner did not see.</exception>
    public PositionMemory Memory(object owner, int fields)
    {
        var memory = cache?.Memory(owner, fields) ?? new PositionMemory(Rows, Count, fields);
        memory.Extend(Past, Count);
        return memory;
    }

    internal static SitePositions Of(ForwardContext context, long rows, long past, long count) =>
        new((int)rows, (int)past, (int)count, context.AttentionMask, context.Cache, context.Documents is not null);
}

/// <summary>Numbers that a visitor keeps for each position of each row: (rows, positions, fields).</summary>
public sealed class PositionMemory
{
    private readonly int capacity, fields;
    private double[] values;

    internal PositionMemory(int rows, int capacity, int fields)
    {
        (this.capacity, this.fields) = (capacity, fields);
        values = new double[checked(rows * capacity * fields)];
    }

    /// <summary>Positions that are known.</summary>
    public int Length { get; private set; }

    /// <summary>Numbers of a position.</summary>
    public int Fields => fields;

    /// <summary>The numbers of one position, to read or to write; 0 to <see cref="Length"/> − 1.</summary>
    public Span<double> At(int row, int position) => position >= 0 && position < Length ? values.AsSpan((row * capacity + position) * fields, fields)
        : throw new ArgumentOutOfRangeException(nameof(position), position, $"positions 0 to {Length - 1} are known");

    internal void Extend(int past, int count)
    {
        if (Length != past)
            throw new InvalidOperationException($"The cache holds {past} positions, and {Length} of them passed the visitor: it has to be there from the first one on.");
        Length = past + count;
    }

    internal void Truncate(int length) => Length = Math.Min(Length, length);

    internal void Select(ReadOnlySpan<long> rows)
    {
        var before = values;
        var size = capacity * fields;
        values = new double[checked(rows.Length * size)];
        for (var row = 0; row < rows.Length; row++)
            before.AsSpan((int)rows[row] * size, Length * fields).CopyTo(values.AsSpan(row * size));
    }
}
