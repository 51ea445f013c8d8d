namespace Lethe.Torch;

/// <summary>
/// An array in ordinary memory, row-major and little-endian: what file formats are read into and written from before any tensor exists.
/// Reading a file this way needs no libtorch.
/// </summary>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Sizes of the dimensions; empty for a scalar.</param>
/// <param name="Bytes">The elements; exactly product(Shape) × element size bytes.</param>
public sealed record HostArray(DType Type, IReadOnlyList<long> Shape, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => checked(product * size));
}
