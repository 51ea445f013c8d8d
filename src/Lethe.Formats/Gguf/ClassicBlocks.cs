using System.Runtime.Intrinsics;

namespace Lethe.Formats.Gguf;

/// <summary>Blocks of 32 elements with one scale, some with a minimum: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0. The low nibbles of the 16 bytes are elements 0–15, the high ones 16–31.</summary>
/// <remarks>Source: ggml-quants.c, dequantize_row_*; the order of roundings is gguf-py's, quants.py (d·q, then + m).</remarks>
internal static class ClassicBlocks
{
    private const int Elements = 32;

    private static readonly Vector128<byte> Nibble = Vector128.Create((byte)0x0f);

    /// <summary>Half d · 16 bytes: (q − 8)·d.</summary>
    public static void Q4_0(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (var i = 0; i < values.Length; i += Elements, blocks = blocks[18..])
        {
            var d = Vector128.Create(Lanes.Half(blocks));
            var packed = Vector128.Create(blocks.Slice(2, 16));
            Lanes.Scaled((packed & Nibble).AsSByte() - Vector128.Create((sbyte)8), d, values[i..]);
            Lanes.Scaled((packed >>> 4).AsSByte() - Vector128.Create((sbyte)8), d, values[(i + 16)..]);
        }
    }

    /// <summary>Half d · half m · 16 bytes: q·d + m.</summary>
    public static void Q4_1(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (var i = 0; i < values.Length; i += Elements, blocks = blocks[20..])
        {
            var (d, m) = (Vector128.Create(Lanes.Half(blocks)), Vector128.Create(Lanes.Half(blocks[2..])));
            var packed = Vector128.Create(blocks.Slice(4, 16));
            Lanes.Affine((packed & Nibble).AsSByte(), d, m, values[i..]);
            Lanes.Affine((packed >>> 4).AsSByte(), d, m, values[(i + 16)..]);
        }
    }

    /// <summary>Half d · 32 fifth bits · 16 bytes: (q − 16)·d.</summary>
    public static void Q5_0(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (var i = 0; i < values.Length; i += Elements, blocks = blocks[22..])
        {
            var d = Vector128.Create(Lanes.Half(blocks));
            var packed = Vector128.Create(blocks.Slice(6, 16));
            Lanes.Scaled(((packed & Nibble) | FifthBits(blocks[2..])).AsSByte() - Vector128.Create((sbyte)16), d, values[i..]);
            Lanes.Scaled(((packed >>> 4) | FifthBits(blocks[4..])).AsSByte() - Vector128.Create((sbyte)16), d, values[(i + 16)..]);
        }
    }

    /// <summary>Half d · half m · 32 fifth bits · 16 bytes: q·d + m.</summary>
    public static void Q5_1(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (var i = 0; i < values.Length; i += Elements, blocks = blocks[24..])
        {
            var (d, m) = (Vector128.Create(Lanes.Half(blocks)), Vector128.Create(Lanes.Half(blocks[2..])));
            var packed = Vector128.Create(blocks.Slice(8, 16));
            Lanes.Affine(((packed & Nibble) | FifthBits(blocks[4..])).AsSByte(), d, m, values[i..]);
            Lanes.Affine(((packed >>> 4) | FifthBits(blocks[6..])).AsSByte(), d, m, values[(i + 16)..]);
        }
    }

    /// <summary>Half d · 32 signed bytes: q·d.</summary>
    public static void Q8_0(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (var i = 0; i < values.Length; i += Elements, blocks = blocks[34..])
        {
            var d = Vector128.Create(Lanes.Half(blocks));
            Lanes.Scaled(Vector128.Create(blocks.Slice(2, 16)).AsSByte(), d, values[i..]);
            Lanes.Scaled(Vector128.Create(blocks.Slice(18, 16)).AsSByte(), d, values[(i + 16)..]);
        }
    }

    /// <summary>Sixteen bits of two bytes, each as 16 in a byte of its own.</summary>
    private static Vector128<byte> FifthBits(ReadOnlySpan<byte> bits)
    {
        var both = Vector128.Create(Vector64.Create(bits[0]), Vector64.Create(bits[1]));
        var place = Vector128.Create(0x8040201008040201UL).AsByte();
        return Vector128.Equals(both & place, place) & Vector128.Create((byte)16);
    }
}
