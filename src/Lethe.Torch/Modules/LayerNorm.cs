namespace Lethe.Torch;

/// <summary>Normalises each vector of the last dimension to mean 0 and variance 1, then scales and shifts it (Ba et al., arXiv 1607.06450).</summary>
public sealed class LayerNorm : Layer
{
    private readonly double epsilon;
    private readonly long[] shape;

    /// <summary>A layer that starts with weight 1 and bias 0.</summary>
    /// <param name="size">Size of the last dimension.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="affine">Whether there are a weight and a bias.</param>
    /// <param name="type">Element type.</param>
    /// <param name="device">Where the parameters live; the CPU by default.</param>
    public LayerNorm(long size, double epsilon = 1e-5, bool affine = true, DType type = DType.Float32, Device? device = null)
    {
        (shape, this.epsilon) = ([size], epsilon);
        if (!affine)
            return;
        Weight = Parameter("weight", Tensor.Ones(shape, type, device));
        Bias = Parameter("bias", Tensor.Zeros(shape, type, device));
    }

    /// <summary>Factor of each element, (size); null if there is none.</summary>
    public Tensor? Weight { get; }

    /// <summary>What is added to each element, (size); null if there is none.</summary>
    public Tensor? Bias { get; }

    /// <summary>x (…, size) → the same shape.</summary>
    public override Tensor Forward(Tensor x) => x.LayerNorm(shape, Weight, Bias, epsilon);
}
