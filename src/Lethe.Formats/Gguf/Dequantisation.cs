using System.Runtime.InteropServices;
using Lethe.Torch;

namespace Lethe.Formats.Gguf;

/// <summary>Turns stored elements of a GGUF tensor into float32, bit for bit as gguf-py does.</summary>
public static unsafe class Dequantisation
{
    /// <summary>Below this, starting a second thread costs more than it saves.</summary>
    private const long ParallelElements = 1 << 20;

    /// <summary>Elements that one thread takes at a time; a multiple of every block.</summary>
    private const int Piece = 1 << 16;

    /// <summary>Dequantises whole blocks.</summary>
    /// <param name="type">One of <see cref="GgufTypes.Readable"/>.</param>
    /// <param name="stored">The blocks.</param>
    /// <param name="values">As many elements as the blocks hold.</param>
    /// <exception cref="ArgumentException">The type is not readable, or the lengths do not agree.</exception>
    public static void ToFloats(GgufType type, ReadOnlySpan<byte> stored, Span<float> values)
    {
        var (elements, bytes) = type.Block();
        if (values.Length % elements != 0 || stored.Length != (long)values.Length / elements * bytes)
            throw new ArgumentException($"{stored.Length} bytes of {type} do not hold {values.Length} elements.", nameof(stored));
        switch (type)
        {
            case GgufType.F32:
                stored.CopyTo(MemoryMarshal.AsBytes(values));
                break;
            case GgufType.F16:
                HalfFloats.FromHalf(stored, values);
                break;
            case GgufType.BF16:
                HalfFloats.FromBFloat16(stored, values);
                break;
            case GgufType.Q4_0:
                ClassicBlocks.Q4_0(stored, values);
                break;
            case GgufType.Q4_1:
                ClassicBlocks.Q4_1(stored, values);
                break;
            case GgufType.Q5_0:
                ClassicBlocks.Q5_0(stored, values);
                break;
            case GgufType.Q5_1:
                ClassicBlocks.Q5_1(stored, values);
                break;
            case GgufType.Q8_0:
                ClassicBlocks.Q8_0(stored, values);
                break;
            case GgufType.Q4_K:
                KBlocks.Q4_K(stored, values);
                break;
            case GgufType.Q5_K:
                KBlocks.Q5_K(stored, values);
                break;
            case GgufType.Q6_K:
                KBlocks.Q6_K(stored, values);
                break;
            default:
                throw new ArgumentException($"{type} cannot be read; {string.Join(", ", GgufTypes.Readable)} can.", nameof(type));
        }
    }

    /// <summary>The same for many blocks, on two threads where that pays.</summary>
    internal static void ToFloats(GgufType type, byte* stored, float* values, long count)
    {
        var (elements, bytes) = type.Block();
        var pieces = (int)((count + Piece - 1) / Piece);
        void Run(int piece)
        {
            var first = (long)piece * Piece;
            var taken = (int)Math.Min(Piece, count - first);
            ToFloats(type, new ReadOnlySpan<byte>(stored + first / elements * bytes, taken / elements * bytes), new Span<float>(values + first, taken));
        }
        if (count < ParallelElements)
            for (var piece = 0; piece < pieces; piece++)
                Run(piece);
        else
            Parallel.For(0, pieces, new ParallelOptions { MaxDegreeOfParallelism = 2 }, Run);
    }
}
