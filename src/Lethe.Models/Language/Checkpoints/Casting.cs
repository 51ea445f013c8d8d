using System.Runtime.InteropServices;
using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>Casts weights between the real types, rounding to the nearest, ties to even, as torch does.</summary>
internal static class Casting
{
    /// <summary>The array in another type.</summary>
    /// <exception cref="BadInputException">It holds no real numbers and has another type.</exception>
    /// <exception cref="RunFailedException">A value is not finite, or becomes infinite.</exception>
    public static HostArray To(HostArray array, DType type, string name)
    {
        if (array.Bytes.Length != array.Count * array.Type.Size())
            throw new ArgumentException($"'{name}' holds {array.Bytes.Length} bytes, which {array.Count} elements of {array.Type} do not take.", nameof(array));
        if (!array.Type.IsFloatingPoint() || !type.IsFloatingPoint())
            return array.Type == type ? array : throw new BadInputException($"tensor '{name}' is {type} in the checkpoint and cannot be replaced by {array.Type}.");
        var bytes = array.Type == type ? array.Bytes : Convert(array, type);
        if (FirstNotFinite(type, bytes.Span) is >= 0 and var at)
            throw new RunFailedException($"tensor '{name}' has the element {at} that is not finite as {type}; nothing is saved.");
        return new HostArray(type, array.Shape, bytes);
    }

    /// <summary>Float16 or bfloat16 or float32, widened to float32.</summary>
    public static void ToFloats(DType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        switch (type)
        {
            case DType.Float16:
                HalfFloats.FromHalf(source, destination);
                break;
            case DType.BFloat16:
                HalfFloats.FromBFloat16(source, destination);
                break;
            case DType.Float32:
                source.CopyTo(MemoryMarshal.AsBytes(destination));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "not a type that is widened to float32");
        }
    }

    private static byte[] Convert(HostArray array, DType type)
    {
        var count = checked((int)array.Count);
        var result = GC.AllocateUninitializedArray<byte>(checked(count * type.Size()));
        if (array.Type == DType.Float64 || type == DType.Float64)
        {
            // Rare, and never by way of float32: rounding twice is not rounding once.
            ConvertDouble(array, type, result);
            return result;
        }
        var floats = Floats(array);
        switch (type)
        {
            case DType.Float16:
                HalfFloats.ToHalf(floats, result);
                break;
            case DType.BFloat16:
                HalfFloats.ToBFloat16(floats, result);
                break;
            default:
                floats.CopyTo(MemoryMarshal.Cast<byte, float>(result.AsSpan()));
                break;
        }
        return result;
    }

    private static ReadOnlySpan<float> Floats(HostArray array)
    {
        if (array.Type == DType.Float32)
            return MemoryMarshal.Cast<byte, float>(array.Bytes.Span);
        var wide = GC.AllocateUninitializedArray<float>(checked((int)array.Count));
        ToFloats(array.Type, array.Bytes.Span, wide);
        return wide;
    }

    private static void ConvertDouble(HostArray array, DType type, byte[] result)
    {
        if (type == DType.Float64)
        {
            var floats = Floats(array);
            var doubles = MemoryMarshal.Cast<byte, double>(result.AsSpan());
            for (var i = 0; i < doubles.Length; i++)
                doubles[i] = floats[i];
            return;
        }
        var values = MemoryMarshal.Cast<byte, double>(array.Bytes.Span);
        for (var i = 0; i < values.Length; i++)
            if (type == DType.Float32)
                BitConverter.TryWriteBytes(result.AsSpan(4 * i), (float)values[i]);
            else if (type == DType.Float16)
                BitConverter.TryWriteBytes(result.AsSpan(2 * i), (Half)values[i]);
            else
                // torch goes by way of float32 here.
                HalfFloats.ToBFloat16([(float)values[i]], result.AsSpan(2 * i, 2));
    }

    private static long FirstNotFinite(DType type, ReadOnlySpan<byte> bytes)
    {
        // All exponent bits set, read as integers of the type's width.
        if (type == DType.Float32)
        {
            var bits = MemoryMarshal.Cast<byte, uint>(bytes);
            for (var i = 0; i < bits.Length; i++)
                if ((bits[i] & 0x7f800000) == 0x7f800000)
                    return i;
        }
        else if (type == DType.Float64)
        {
            var bits = MemoryMarshal.Cast<byte, ulong>(bytes);
            for (var i = 0; i < bits.Length; i++)
                if ((bits[i] & 0x7ff0000000000000) == 0x7ff0000000000000)
                    return i;
        }
        else
        {
            var bits = MemoryMarshal.Cast<byte, ushort>(bytes);
            var exponent = type == DType.Float16 ? 0x7c00 : 0x7f80;
            for (var i = 0; i < bits.Length; i++)
                if ((bits[i] & exponent) == exponent)
                    return i;
        }
        return -1;
    }
}
