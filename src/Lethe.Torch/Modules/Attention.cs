namespace Lethe.Torch;

internal static partial class Ops
{
    // Since libtorch 2.0; Attention does without it before.
    public static readonly Operator ScaledDotProductAttention = new("aten::scaled_dot_product_attention");
}

/// <summary>Attention as a function.</summary>
public static class Attention
{
    /// <summary>softmax(q kᵀ / √size) v (Vaswani et al., arXiv 1706.03762), by libtorch's own operator where it has one.</summary>
    /// <param name="query">(…, T, size).</param>
    /// <param name="key">(…, S, size).</param>
    /// <param name="value">(…, S, sizeOfValue).</param>
    /// <param name="mask">(…, T, S), broadcast: truth values say which pairs take part; real numbers are added before the softmax.</param>
    /// <param name="causal">Whether position t sees positions 0…t only; excludes a mask.</param>
    /// <returns>(…, T, sizeOfValue).</returns>
    public static Tensor ScaledDotProduct(Tensor query, Tensor key, Tensor value, Tensor? mask = null, bool causal = false)
    {
        if (causal && mask is not null)
            throw new ArgumentException("Give a mask or ask for causal attention, not both.", nameof(mask));
        return Ops.ScaledDotProductAttention.Exists
            ? Ops.ScaledDotProductAttention.Call(query, key, value, mask, 0.0, causal)
            : Plain(query, key, value, mask, causal);
    }

    /// <summary>The formula, for versions without the operator; tests compare both.</summary>
    internal static Tensor Plain(Tensor query, Tensor key, Tensor value, Tensor? mask, bool causal)
    {
        var scores = (query * (1 / Math.Sqrt(query.Size(-1)))).MatMul(key.Transpose(-2, -1)); // (…, T, S)
        if (causal)
            mask = Tensor.Ones([query.Size(-2), key.Size(-2)], DType.Bool, query.Device).Tril();
        if (mask is { DType: DType.Bool })
            scores = scores.MaskedFill(mask.LogicalNot(), double.NegativeInfinity);
        else if (mask is not null)
            scores += mask;
        return scores.Softmax(-1).MatMul(value);
    }
}
