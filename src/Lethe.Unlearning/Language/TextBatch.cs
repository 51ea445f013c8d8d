using Lethe.Models.Language;
using Lethe.Models.Language.Training;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>Rows of tokens that go through a model together; the same object stands for them in every epoch, so that what was computed for it can be found again.</summary>
public sealed class TextBatch
{
    private readonly long[] ids, targets;
    private readonly long[]? attention;
    private readonly float[] counted;
    private readonly int[] lengths;
    private readonly long[]? seen; // places of (B · T) that are no padding; null where all are seen

    internal TextBatch(IReadOnlyList<TextRow> rows, TextBatchOptions options)
    {
        Rows = rows.Count;
        Groups = [.. rows.Select(row => row.Group)];
        lengths = [.. rows.Select(row => Math.Min(options.Length, row.Tokens.Count))];
        Length = lengths.Max();
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
            var count = lengths[row];
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
            seen = [.. Enumerable.Range(0, ids.Length).Where(place => place % Length < lengths[place / Length]).Select(place => (long)place)];
    }

    /// <summary>Number of rows, B.</summary>
    public int Rows { get; }

    /// <summary>The group of each row.</summary>
    public IReadOnlyList<ulong> Groups { get; }

    /// <summary>Tokens of the longest row, T.</summary>
    public int Length { get; }

    /// <summary>Tokens without padding.</summary>
    public long Tokens { get; }

    /// <summary>Positions that go through a model: with padding, or without where <see cref="Input"/> leaves it out.</summary>
    public long Positions => seen?.Length ?? (long)Rows * Length;

    /// <summary>Positions that count for losses over hidden states.</summary>
    public long Counted { get; }

    /// <summary>Whether padding is at the start of rows.</summary>
    public bool LeftPadded => attention is not null;

    /// <summary>Tokens (B, T), int64.</summary>
    public Tensor Ids(Device device) => Tensor.FromArray(ids, Rows, Length).To(device);

    /// <summary>1 at tokens and 0 at padding, (B, T), int64; null where padding is on the right, which nothing before it sees.</summary>
    public Tensor? Attention(Device device) => attention is null ? null : Tensor.FromArray(attention, Rows, Length).To(device);

    /// <summary>1 at positions that count for losses over hidden states, else 0: (B, T).</summary>
    /// <param name="type">Its type.</param>
    /// <param name="device">Where it lives.</param>
    /// <param name="from">Share of a row's tokens, 0 to below 1, before which none counts.</param>
    public Tensor Mask(DType type, Device device, double from = 0) =>
        Tensor.FromArray(from > 0 ? [.. counted.Select((value, place) => Passed(place) < (int)(from * lengths[place / Length]) ? 0 : value)] : counted, Rows, Length).To(type).To(device);

    // Tokens of its row before a place.
    private int Passed(int place) => place % Length - (LeftPadded ? Length - lengths[place / Length] : 0);

    /// <summary>
    /// What a model is given. Where padding is on the right and does not count, the tokens alone, texts side by side in one row, (1, N), each seeing itself: half of a batch can be padding, as texts differ in length. Else (B, T).
    /// </summary>
    /// <param name="device">Where its tensors live.</param>
    /// <param name="sites">Who looks at values inside; null: nobody.</param>
    public (Tensor Ids, ForwardContext Context) Input(Device device, ISiteVisitor? sites = null)
    {
        if (seen is null)
            return (Ids(device), new() { AttentionMask = Attention(device), Sites = sites });
        Tensor Row(Func<long, long> value) => Tensor.FromArray([.. seen.Select(value)], 1, seen.Length).To(device);
        return (Row(place => ids[place]), new() { PositionIds = Row(place => place % Length), Documents = Row(place => place / Length), Sites = sites });
    }

    /// <summary>Where places of (B · T), none of them padding, are found in what <see cref="Input"/> gives a model.</summary>
    public long[] Seen(IEnumerable<long> places)
    {
        if (seen is null)
            return [.. places];
        var at = From();
        return [.. places.Select(place => at[place] < seen.Length ? at[place] : throw new ArgumentOutOfRangeException(nameof(places), place, "padding is not seen"))];
    }

    /// <summary>The positions that count for losses over hidden states, where <see cref="Input"/> has them; int64.</summary>
    public Tensor CountedPlaces(Device device) => Tensor.FromArray(Seen(Enumerable.Range(0, counted.Length).Where(place => counted[place] > 0).Select(place => (long)place)), (int)Counted).To(device);

    /// <summary>Puts values of what <see cref="Input"/> gave back to where the batch has them, (1, N, D) → (B, T, D), with 0 at padding that was left out; differentiable.</summary>
    public Tensor Spread(Tensor values)
    {
        if (seen is null)
            return values;
        using var scope = new TensorScope();
        var size = values.Size(-1);
        var padded = Tensor.Cat([values.View(-1, size), Tensor.Zeros([1, size], values.DType, values.Device)]);
        return scope.Keep(padded.IndexSelect(0, Tensor.FromArray(From(), ids.Length).To(values.Device)).View(Rows, Length, size));
    }

    // For each place of (B · T) where it is seen; N at padding.
    private long[] From()
    {
        var from = new long[ids.Length];
        Array.Fill(from, seen!.Length);
        foreach (var (k, place) in seen.Index())
            from[place] = k;
        return from;
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
        return new TokenRows(Rows, Length, ids, targets, new long[ids.Length], positions) { Lengths = lengths };
    }
}
