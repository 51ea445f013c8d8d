using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>What every reader checks about the elements of an array before it hands them on.</summary>
internal static class ElementChecks
{
    /// <summary>The most bytes that one array in ordinary memory may have; larger tensors are read from the mapping.</summary>
    public static readonly int MaxArrayBytes = Array.MaxLength;

    /// <summary>Product of the sizes times the element size; null where it exceeds 64 bits or a size is negative.</summary>
    public static long? ByteLength(IReadOnlyList<long> shape, int elementSize)
    {
        var product = (long)elementSize;
        foreach (var size in shape)
        {
            if (size < 0 || Math.BigMul(product, size) is var wide && wide > long.MaxValue)
                return null;
            product = (long)wide;
        }
        return product;
    }

    /// <summary>Refuses truth values other than 0 and 1: what reads them may take any bit for the whole.</summary>
    public static void Check(string file, string name, DType type, ReadOnlySpan<byte> bytes)
    {
        if (type == DType.Bool && bytes.IndexOfAnyExceptInRange((byte)0, (byte)1) is >= 0 and var at)
            throw InputFile.Refuse(file, $"element {at} of the bool array '{name}' is {bytes[at]}; it may be 0 or 1.");
    }

    /// <summary>A shape as people write it, for example [2, 3].</summary>
    public static string Show(IReadOnlyList<long> shape) => shape.Count <= 16
        ? $"[{string.Join(", ", shape)}]"
        : $"[{string.Join(", ", shape.Take(16))}, … {shape.Count} dimensions]";
}
