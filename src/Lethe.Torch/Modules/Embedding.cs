namespace Lethe.Torch;

/// <summary>A table of vectors, looked up by number.</summary>
public sealed class Embedding : Layer
{
    /// <summary>A table with PyTorch's initial values: standard normal.</summary>
    /// <param name="count">Number of vectors.</param>
    /// <param name="size">Size of each.</param>
    /// <param name="random">Where the initial values come from, and on which device.</param>
    /// <param name="type">Element type.</param>
    public Embedding(long count, long size, RandomStream random, DType type = DType.Float32) =>
        Weight = Parameter("weight", Tensor.Empty([count, size], type, random.Device).NormalInPlace(0, 1, random));

    /// <summary>The table, (count, size).</summary>
    public Tensor Weight { get; }

    /// <summary>Whole numbers (…) → their vectors (…, size).</summary>
    /// <exception cref="TorchException">A number is outside of the table.</exception>
    public override Tensor Forward(Tensor x) => Weight.Embedding(x);
}
