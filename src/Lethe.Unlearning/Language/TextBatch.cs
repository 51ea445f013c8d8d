using Lethe.Models.Language.Training;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>Rows of tokens that go through a model together; the same object stands for them in every epoch, so that what was computed for it can be found again.</summary>
public sealed class TextBatch
{
    private readonly long[] ids, targets;
    private readonly long[]? attention;
    private readonly float[] counted;
    private readonly long[]? places;

    internal TextBatch(IReadOnlyList<TextRow> rows, TextBatchOptions options)
    {
        Rows = rows.Count;
        Groups = [.. rows.Select(row => row.Group)];
        Length = Math.Min(options.Length, rows.Max(row => row.Tokens.Count));
        ids = new long[Rows * Length];
        targets = new long[Rows * Length];
        counted = new float[Rows * Length];
        var left = options.Padding == PaddingSide.Left;
        attention = left ? new long[Rows * Length] : null;
        Array.Fill(targets, -1);
        Array.Fill(ids, options.PadToken);
        if (options.CountPadding)
            Array.Fill(counted, 1);
        for (var row = 0; row < Rows; row++)
        {
            var count = Math.Min(Length, rows[row].Tokens.Count);
            var start = row * Length + (left ? Length - count : 0);
            for (var k = 0; k < count; k++)
            {
                ids[start + k] = rows[row].Tokens[k];
                counted[start + k] = k > 0 || options.CountFirst ? 1 : 0;
                if (attention is not null)
                    attention[start + k] = 1;
                if (k + 1 < count && k + 1 >= rows[row].FirstTarget)
                    targets[start + k] = rows[row].Tokens[k + 1];
            }
            Tokens += count;
        }
        Counted = counted.LongCount(value => value > 0);
        if (!left && !options.CountPadding && Tokens < ids.Length)
            places = [.. Enumerable.Range(0, ids.Length).Where(place => place % Length < Math.Min(Length, rows[place / Length].Tokens.Count)).Select(place => (long)place)];
    }

    /// <summary>Number of rows, B.</summary>
    public int Rows { get; }

    /// <summary>The group of each row.</summary>
    public IReadOnlyList<ulong> Groups { get; }

    /// <summary>Tokens of the longest row, T.</summary>
    public int Length { get; }

    /// <summary>Tokens without padding.</summary>
    public long Tokens { get; }

    /// <summary>Positions that go through a model: with padding, or without where <see cref="SideBySide"/> leaves it out.</summary>
    public long Positions => places?.Length ?? (long)Rows * Length;

    /// <summary>Positions that count for losses over hidden states.</summary>
    public long Counted { get; }

    /// <summary>Whether padding is at the start of rows.</summary>
    public bool LeftPadded => attention is not null;

    /// <summary>Tokens (B, T), int64.</summary>
    public Tensor Ids(Device device) => Tensor.FromArray(ids, Rows, Length).To(device);

    /// <summary>1 at tokens and 0 at padding, (B, T), int64; null where padding is on the right, which nothing before it sees.</summary>
    public Tensor? Attention(Device device) => attention is null ? null : Tensor.FromArray(attention, Rows, Length).To(device);

    /// <summary>1 at positions that count for losses over hidden states, else 0: (B, T).</summary>
    public Tensor Mask(DType type, Device device) => Tensor.FromArray(counted, Rows, Length).To(type).To(device);

    /// <summary>
    /// The tokens alone, texts side by side in one row, where padding does not count and is on the right; null where there is none, or it counts. Half of what goes through a model can be padding: texts differ in length.
    /// </summary>
    /// <param name="device">Where its tensors live.</param>
    public TextsSideBySide? SideBySide(Device device) => places is null ? null : TextsSideBySide.Of(ids, places, Rows, Length, device);

    /// <summary>The positions that count for losses over hidden states, in the order in which a model sees them: places in (B · T), or in the row of <see cref="SideBySide"/>. int64.</summary>
    public Tensor CountedPlaces(Device device)
    {
        var seen = places is null ? counted : [.. places.Select(place => counted[place])];
        return Tensor.FromArray([.. Enumerable.Range(0, seen.Length).Where(k => seen[k] > 0).Select(k => (long)k)], (int)Counted).To(device);
    }

    /// <summary>The rows as losses over logits take them.</summary>
    /// <exception cref="InvalidOperationException">The padding is on the left, which those losses do not know.</exception>
    public TokenRows TokenRows()
    {
        if (LeftPadded)
            throw new InvalidOperationException("Losses over logits read rows that are padded on the right (TextBatchOptions.Padding).");
        var positions = new long[ids.Length];
        for (var k = 0; k < positions.Length; k++)
            positions[k] = k % Length;
        return new TokenRows(Rows, Length, ids, targets, new long[ids.Length], positions);
    }
}
