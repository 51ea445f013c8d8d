using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>Copies elements that lie in memory by strides into row-major order.</summary>
internal static class Strided
{
    /// <summary>The strides, in elements, of an array whose first dimension varies fastest.</summary>
    public static long[] ColumnMajor(IReadOnlyList<long> shape)
    {
        var strides = new long[shape.Count];
        for (var (i, stride) = (0, 1L); i < strides.Length; stride *= Math.Max(1, shape[i]), i++)
            strides[i] = stride;
        return strides;
    }

    /// <summary>Whether elements follow each other in row-major order without gaps. Dimensions of size 1 may have any stride.</summary>
    public static bool IsRowMajor(IReadOnlyList<long> shape, IReadOnlyList<long> strides)
    {
        for (var (i, expected) = (shape.Count - 1, 1L); i >= 0; expected *= shape[i], i--)
            if (shape[i] != 1 && strides[i] != expected)
                return false;
        return true;
    }

    /// <summary>One past the last element that is touched; null where that exceeds 64 bits. Sizes are at least 1, strides at least 0.</summary>
    public static long? End(IReadOnlyList<long> shape, IReadOnlyList<long> strides, long offset)
    {
        try
        {
            var last = offset;
            for (var i = 0; i < shape.Count; i++)
                last = checked(last + (shape[i] - 1) * strides[i]);
            return checked(last + 1);
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    /// <summary>The elements in row-major order. The caller has checked that all of them lie in <paramref name="source"/>.</summary>
    /// <param name="source">Where the elements lie.</param>
    /// <param name="elementSize">Bytes of one element.</param>
    /// <param name="shape">Sizes of the dimensions.</param>
    /// <param name="strides">Distance of neighbours along each dimension, in elements.</param>
    /// <param name="offset">The first element's place, in elements.</param>
    public static byte[] ToRowMajor(ReadOnlySpan<byte> source, int elementSize, IReadOnlyList<long> shape, IReadOnlyList<long> strides, long offset)
    {
        var result = new byte[ElementChecks.ByteLength(shape, elementSize)!.Value];
        var count = result.Length / elementSize;
        var at = new long[shape.Count];
        var position = offset;
        for (var n = 0; n < count; n++)
        {
            source.Slice((int)(position * elementSize), elementSize).CopyTo(result.AsSpan(n * elementSize));
            for (var i = shape.Count - 1; i >= 0; i--)
            {
                position += strides[i];
                if (++at[i] < shape[i])
                    break;
                position -= strides[i] * shape[i];
                at[i] = 0;
            }
        }
        return result;
    }
}
