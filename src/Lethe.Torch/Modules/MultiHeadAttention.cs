namespace Lethe.Torch;

/// <summary>Attention with several heads, in torch.nn.MultiheadAttention's layout: in_proj_weight holds the projections of query, key and value one below another.</summary>
public sealed class MultiHeadAttention : Module
{
    private readonly long size, heads;
    private readonly Tensor weight;
    private readonly Tensor? bias;
    private readonly Linear output;

    /// <summary>A layer with PyTorch's initial values: Glorot-uniform projections, biases 0.</summary>
    /// <param name="size">Size of the vectors; a multiple of <paramref name="heads"/>.</param>
    /// <param name="heads">Number of heads.</param>
    /// <param name="random">Where the initial values come from, and on which device.</param>
    /// <param name="bias">Whether the projections have biases.</param>
    /// <param name="type">Element type.</param>
    public MultiHeadAttention(long size, long heads, RandomStream random, bool bias = true, DType type = DType.Float32)
    {
        if (heads < 1 || size % heads != 0)
            throw new ArgumentException($"{size} elements cannot be divided among {heads} heads.", nameof(heads));
        (this.size, this.heads) = (size, heads);
        // PyTorch draws the output's projection first, although it comes last by name.
        var projection = new Linear(size, size, random, bias, type);
        var bound = Math.Sqrt(6.0 / (4 * size)); // Glorot: √(6 / (rows + columns)), rows = 3 · size
        weight = Parameter("in_proj_weight", Tensor.Empty([3 * size, size], type, random.Device).UniformInPlace(-bound, bound, random));
        if (bias)
        {
            this.bias = Parameter("in_proj_bias", Tensor.Zeros([3 * size], type, random.Device));
            using var noGrad = Autograd.NoGrad();
            projection.Bias!.ZeroInPlace();
        }
        output = Part("out_proj", projection);
    }

    /// <summary>Attention of x to itself: (B, T, size) → the same shape.</summary>
    /// <param name="x">The vectors.</param>
    /// <param name="mask">As in <see cref="Attention.ScaledDotProduct"/>, broadcast to (B, heads, T, T).</param>
    /// <param name="causal">Whether position t sees positions 0…t only.</param>
    public Tensor Forward(Tensor x, Tensor? mask = null, bool causal = false)
    {
        var parts = x.Linear(weight, bias).Split(size, -1);
        return Join(Attention.ScaledDotProduct(Heads(parts[0]), Heads(parts[1]), Heads(parts[2]), mask, causal));
    }

    /// <summary>Attention of one sequence to another: query (B, T, size), key and value (B, S, size) → (B, T, size).</summary>
    public Tensor Forward(Tensor query, Tensor key, Tensor value, Tensor? mask = null)
    {
        var weights = weight.Split(size);
        var biases = bias?.Split(size);
        var (q, k, v) = (query.Linear(weights[0], biases?[0]), key.Linear(weights[1], biases?[1]), value.Linear(weights[2], biases?[2]));
        return Join(Attention.ScaledDotProduct(Heads(q), Heads(k), Heads(v), mask));
    }

    // (B, T, size) → (B, heads, T, size/heads)
    private Tensor Heads(Tensor x) => x.View(x.Size(0), x.Size(1), heads, size / heads).Transpose(1, 2);

    private Tensor Join(Tensor x) => output.Forward(x.Transpose(1, 2).Reshape(x.Size(0), x.Size(2), size));
}
