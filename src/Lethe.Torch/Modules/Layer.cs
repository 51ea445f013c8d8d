namespace Lethe.Torch;

/// <summary>A module that makes one tensor from one tensor, so that it can stand in a <see cref="Sequential"/>.</summary>
public abstract class Layer : Module
{
    /// <summary>Computes the result.</summary>
    public abstract Tensor Forward(Tensor x);

    /// <summary>
    /// A new tensor, uniform in ±1/√inputs: what PyTorch's linear layers and convolutions start from (kaiming_uniform_ with a = √5),
    /// for weights and biases alike.
    /// </summary>
    private protected static Tensor UniformByFanIn(long[] shape, long inputs, RandomStream random, DType type)
    {
        var bound = 1 / Math.Sqrt(inputs);
        return Tensor.Empty(shape, type, random.Device).UniformInPlace(-bound, bound, random);
    }
}
