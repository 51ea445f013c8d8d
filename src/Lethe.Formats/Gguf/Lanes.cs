using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lethe.Formats.Gguf;

/// <summary>Sixteen quantised numbers at a time.</summary>
internal static class Lanes
{
    /// <summary>A half at the start of a span, as float.</summary>
    public static float Half(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);

    /// <summary>q·d.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scaled(Vector128<sbyte> q, Vector128<float> d, Span<float> values)
    {
        var (a, b, c, e) = Floats(q);
        (a * d).CopyTo(values);
        (b * d).CopyTo(values[4..]);
        (c * d).CopyTo(values[8..]);
        (e * d).CopyTo(values[12..]);
    }

    /// <summary>q·d + m, rounded twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Affine(Vector128<sbyte> q, Vector128<float> d, Vector128<float> m, Span<float> values)
    {
        var (a, b, c, e) = Floats(q);
        (a * d + m).CopyTo(values);
        (b * d + m).CopyTo(values[4..]);
        (c * d + m).CopyTo(values[8..]);
        (e * d + m).CopyTo(values[12..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<float> A, Vector128<float> B, Vector128<float> C, Vector128<float> D) Floats(Vector128<sbyte> q)
    {
        var (low, high) = Vector128.Widen(q);
        var (a, b) = Vector128.Widen(low);
        var (c, d) = Vector128.Widen(high);
        return (Vector128.ConvertToSingle(a), Vector128.ConvertToSingle(b), Vector128.ConvertToSingle(c), Vector128.ConvertToSingle(d));
    }
}
