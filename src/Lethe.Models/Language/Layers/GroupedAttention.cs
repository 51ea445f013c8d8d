using Lethe.Torch;

namespace Lethe.Models.Language.Layers;

/// <summary>
/// Causal attention in which several query heads share a key-value head (Ainslie et al., arXiv 2305.13245). The queries of a group stand one below the
/// other, so that keys and values are never repeated; long texts are taken a block of queries at a time, so that no block is multiplied with
/// keys that it cannot see and the scores of a whole text never exist at once.
/// </summary>
internal static class GroupedAttention
{
    // Queries of a block: large enough for the matrix product to run at full speed, small enough that little above the diagonal is computed.
    private const long Block = 256;

    /// <summary>softmax(q kᵀ · scale, capped and masked) v.</summary>
    /// <param name="query">(B, T, heads, size).</param>
    /// <param name="key">(B, key-value heads, S, size); the last T are the queries' own positions.</param>
    /// <param name="value">As the key.</param>
    /// <param name="scale">What the products are multiplied with.</param>
    /// <param name="softCap">Scores become cap · tanh(score / cap); null for none.</param>
    /// <param name="window">Positions that a query sees, its own among them; null for all.</param>
    /// <param name="pass">Masks.</param>
    /// <returns>(B, T, heads · size).</returns>
    public static Tensor Attend(Tensor query, Tensor key, Tensor value, double scale, double? softCap, int? window, ForwardPass pass)
    {
        var (count, total) = (query.Size(1), key.Size(2));
        if (count <= Block)
            return One(query, key, value, total - count, scale, softCap, window, pass);
        var blocks = new List<Tensor>();
        for (var first = 0L; first < count; first += Block)
        {
            using var scope = new TensorScope();
            var length = Math.Min(Block, count - first);
            var seen = total - count + first + length;
            blocks.Add(scope.Keep(One(query.Narrow(1, first, length), key.Narrow(2, 0, seen), value.Narrow(2, 0, seen), seen - length, scale, softCap, window, pass)));
        }
        return Tensor.Cat([.. blocks], 1);
    }

    private static Tensor One(Tensor query, Tensor key, Tensor value, long past, double scale, double? softCap, int? window, ForwardPass pass)
    {
        var (rows, count, heads, size) = (query.Size(0), query.Size(1), query.Size(2), query.Size(3));
        var (shared, total) = (key.Size(1), key.Size(2));
        var group = heads / shared;
        // The first key that the first query of the block can see.
        var start = window is { } width ? Math.Max(0, past - width + 1) : 0;
        if (start > 0)
        {
            (key, value) = (key.Narrow(2, start, total - start), value.Narrow(2, start, total - start));
            total -= start;
        }
        // (B, T, heads, size) → (B, shared, group · T, size)
        var q = query.View(rows, count, shared, group, size).Permute(0, 2, 3, 1, 4).Reshape(rows, shared, group * count, size);
        var scores = q.MatMul(key.Transpose(2, 3)); // (B, shared, group · T, S)
        if (scale != 1)
            scores.MulInPlace(scale);
        if (softCap is { } cap)
            scores = SoftCap.Apply(scores, cap);
        var hidden = pass.Causal(count, total, past - start, window); // (T, S)
        if (pass.Padding is { } padding)
        {
            // Not lower than the lowest number together: what sees nothing but padding has a mean of all values, as in transformers.
            var absent = padding.Narrow(3, start, total).Unsqueeze(1); // (B, 1, 1, 1, S)
            hidden = hidden is null ? absent : (hidden + absent).ClampInPlace(minimum: pass.Lowest);
        }
        if (hidden is not null)
            scores.View(rows, shared, group, count, total).AddInPlace(hidden);
        if (pass.Apart(past, count, start, total) is { } apart)
            scores.View(rows, shared, group, count, total).AddInPlace(apart);
        var mixed = scores.Softmax(-1).MatMul(value); // (B, shared, group · T, size)
        return mixed.View(rows, shared, group, count, size).Permute(0, 3, 1, 2, 4).Reshape(rows, count, heads * size);
    }
}

/// <summary>cap · tanh(x / cap): keeps scores and logits of Gemma-2 within ±cap.</summary>
internal static class SoftCap
{
    /// <summary>x is changed in place where no gradients are recorded.</summary>
    public static Tensor Apply(Tensor x, double cap) => Autograd.Enabled ? (x / cap).Tanh() * cap : x.DivInPlace(cap).TanhInPlace().MulInPlace(cap);
}
