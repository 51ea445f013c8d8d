using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Lethe.Formats;

/// <summary>Turns float16 and bfloat16 into float32, and back with rounding to the nearest, ties to even. Exact for every bit pattern, NaNs stay NaNs.</summary>
public static class HalfFloats
{
    /// <summary>2^112: moves a half's exponent, put where a float's is, to its place.</summary>
    private const uint Rebias = 0x77800000;

    /// <summary>float16 → float32.</summary>
    /// <param name="source">Two bytes an element.</param>
    /// <param name="destination">As many elements.</param>
    public static void FromHalf(ReadOnlySpan<byte> source, Span<float> destination)
    {
        var halves = MemoryMarshal.Cast<byte, ushort>(source);
        var i = 0;
        // A float's product is exact for subnormal halves too; infinities and NaNs keep the largest exponent by hand.
        for (var magic = Vector128.Create(Rebias).AsSingle(); i <= destination.Length - 8; i += 8)
        {
            var (low, high) = Vector128.Widen(Vector128.Create(halves.Slice(i, 8)));
            Convert(low, magic).CopyTo(destination[i..]);
            Convert(high, magic).CopyTo(destination[(i + 4)..]);
        }
        for (; i < destination.Length; i++)
            destination[i] = (float)BitConverter.UInt16BitsToHalf(halves[i]);
    }

    /// <summary>bfloat16 → float32.</summary>
    /// <param name="source">Two bytes an element.</param>
    /// <param name="destination">As many elements.</param>
    public static void FromBFloat16(ReadOnlySpan<byte> source, Span<float> destination)
    {
        var values = MemoryMarshal.Cast<byte, ushort>(source);
        var bits = MemoryMarshal.Cast<float, uint>(destination);
        var i = 0;
        for (; i <= bits.Length - 8; i += 8)
        {
            var (low, high) = Vector128.Widen(Vector128.Create(values.Slice(i, 8)));
            (low << 16).CopyTo(bits[i..]);
            (high << 16).CopyTo(bits[(i + 4)..]);
        }
        for (; i < bits.Length; i++)
            bits[i] = (uint)values[i] << 16;
    }

    /// <summary>float32 → float16; what exceeds the range becomes infinite, as in the reference libraries.</summary>
    /// <param name="source">The elements.</param>
    /// <param name="destination">Two bytes an element.</param>
    public static void ToHalf(ReadOnlySpan<float> source, Span<byte> destination)
    {
        for (var i = 0; i < source.Length; i++)
            BinaryPrimitives.WriteHalfLittleEndian(destination[(2 * i)..], (Half)source[i]);
    }

    /// <summary>float32 → bfloat16.</summary>
    /// <param name="source">The elements.</param>
    /// <param name="destination">Two bytes an element.</param>
    public static void ToBFloat16(ReadOnlySpan<float> source, Span<byte> destination)
    {
        for (var i = 0; i < source.Length; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(source[i]);
            // c10::BFloat16's rounding; a NaN must not round to infinity.
            var rounded = float.IsNaN(source[i]) ? (ushort)0x7fc0 : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
            BinaryPrimitives.WriteUInt16LittleEndian(destination[(2 * i)..], rounded);
        }
    }

    private static Vector128<float> Convert(Vector128<uint> half, Vector128<float> magic)
    {
        var sign = (half & Vector128.Create(0x8000u)) << 16;
        var magnitude = (half & Vector128.Create(0x7fffu)) << 13;
        var scaled = (magnitude.AsSingle() * magic).AsUInt32();
        var special = Vector128.GreaterThanOrEqual(magnitude.AsInt32(), Vector128.Create(0x7c00 << 13)).AsUInt32();
        return (Vector128.ConditionalSelect(special, magnitude | Vector128.Create(0x7f800000u), scaled) | sign).AsSingle();
    }
}
