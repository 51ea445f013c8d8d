namespace Lethe.Torch;

/// <summary>Divides each vector of the last dimension by its root mean square, then scales it (Zhang and Sennrich, arXiv 1910.07467).</summary>
public sealed class RmsNorm : Layer
{
    private readonly double epsilon;

    /// <summary>A layer that starts with weight 1.</summary>
    /// <param name="size">Size of the last dimension.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="type">Element type.</param>
    /// <param name="device">Where the weight lives; the CPU by default.</param>
    public RmsNorm(long size, double epsilon = 1e-6, DType type = DType.Float32, Device? device = null)
    {
        this.epsilon = epsilon;
        Weight = Parameter("weight", Tensor.Ones([size], type, device));
    }

    /// <summary>Factor of each element, (size).</summary>
    public Tensor Weight { get; }

    /// <summary>x (…, size) → the same shape. 16-bit x is normalised in float32, as Llama's code does.</summary>
    public override Tensor Forward(Tensor x)
    {
        var wide = x.DType is DType.Float16 or DType.BFloat16 ? x.To(DType.Float32) : x;
        var normal = wide * (wide.Square().Mean(-1, keep: true) + epsilon).Rsqrt();
        return Weight * (wide == x ? normal : normal.To(x.DType));
    }
}
