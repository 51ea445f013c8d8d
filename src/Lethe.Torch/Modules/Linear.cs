namespace Lethe.Torch;

/// <summary>x Wᵀ + b.</summary>
public sealed class Linear : Layer
{
    /// <summary>A layer with PyTorch's initial values: uniform in ±1/√inputs.</summary>
    /// <param name="inputs">Size of the last dimension of x.</param>
    /// <param name="outputs">Size of the last dimension of the result.</param>
    /// <param name="random">Where the initial values come from, and on which device.</param>
    /// <param name="bias">Whether there is a b.</param>
    /// <param name="type">Element type.</param>
    public Linear(long inputs, long outputs, RandomStream random, bool bias = true, DType type = DType.Float32)
    {
        Weight = Parameter("weight", UniformByFanIn([outputs, inputs], inputs, random, type));
        if (bias)
            Bias = Parameter("bias", UniformByFanIn([outputs], inputs, random, type));
    }

    /// <summary>W, (outputs, inputs).</summary>
    public Tensor Weight { get; }

    /// <summary>b, (outputs); null if there is none.</summary>
    public Tensor? Bias { get; }

    /// <summary>x (…, inputs) → (…, outputs).</summary>
    public override Tensor Forward(Tensor x) => x.Linear(Weight, Bias);
}
