using System.Runtime.Intrinsics;

namespace Lethe.Formats.Gguf;

/// <summary>Blocks of 256 elements with quantised scales: Q4_K, Q5_K, Q6_K.</summary>
/// <remarks>Source: ggml-quants.c, dequantize_row_*_K and get_scale_min_k4; the order of roundings is gguf-py's, quants.py (scale first, then d·q − m).</remarks>
internal static class KBlocks
{
    private const int Elements = 256;

    private static readonly Vector128<byte> Nibble = Vector128.Create((byte)0x0f);

    /// <summary>Half d · half dmin · 12 bytes of 6-bit scales and minima · 128 bytes: every 32 bytes hold 32 elements in their low nibbles and the next 32 in their high ones.</summary>
    public static void Q4_K(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (var i = 0; i < values.Length; i += Elements, blocks = blocks[144..])
            for (var group = 0; group < 8; group++)
            {
                var (d, m) = ScaleAndMinimum(blocks, group);
                for (var half = 0; half < 32; half += 16)
                {
                    var packed = Vector128.Create(blocks.Slice(16 + group / 2 * 32 + half, 16));
                    Lanes.Affine((group % 2 == 0 ? packed & Nibble : packed >>> 4).AsSByte(), d, m, values[(i + group * 32 + half)..]);
                }
            }
    }

    /// <summary>As Q4_K, with 32 bytes of fifth bits before the nibbles: bit g of byte j belongs to element j of group g.</summary>
    public static void Q5_K(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (var i = 0; i < values.Length; i += Elements, blocks = blocks[176..])
            for (var group = 0; group < 8; group++)
            {
                var (d, m) = ScaleAndMinimum(blocks, group);
                var place = Vector128.Create((byte)(1 << group));
                for (var half = 0; half < 32; half += 16)
                {
                    var fifth = Vector128.Equals(Vector128.Create(blocks.Slice(16 + half, 16)) & place, place) & Vector128.Create((byte)16);
                    var packed = Vector128.Create(blocks.Slice(48 + group / 2 * 32 + half, 16));
                    Lanes.Affine(((group % 2 == 0 ? packed & Nibble : packed >>> 4) | fifth).AsSByte(), d, m, values[(i + group * 32 + half)..]);
                }
            }
    }

    /// <summary>128 bytes of low nibbles · 64 bytes of upper bit pairs · 16 signed scales · half d: (q − 32)·(d·scale), 16 elements a scale.</summary>
    public static void Q6_K(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (var i = 0; i < values.Length; i += Elements, blocks = blocks[210..])
        {
            var d = Lanes.Half(blocks[208..]);
            for (var group = 0; group < 16; group++)
            {
                // Elements of 128: four quarters of 32; quarters 0 and 2 (1 and 3) share bytes of nibbles, all four those of bit pairs.
                var (half, quarter, part) = (group / 8, group / 2 % 4, group % 2);
                var nibbles = Vector128.Create(blocks.Slice(half * 64 + quarter % 2 * 32 + part * 16, 16));
                var pairs = Vector128.Create(blocks.Slice(128 + half * 32 + part * 16, 16));
                var q = (quarter < 2 ? nibbles & Nibble : nibbles >>> 4) | (((pairs >>> (2 * quarter)) & Vector128.Create((byte)3)) << 4);
                var scale = d * (sbyte)blocks[192 + group];
                Lanes.Scaled(q.AsSByte() - Vector128.Create((sbyte)32), Vector128.Create(scale), values[(i + group * 16)..]);
            }
        }
    }

    /// <summary>Scale d·s and −dmin·m of a group; s and m are packed as 6 bits: the first four pairs in bytes 0–3 and 4–7, the others in nibbles of bytes 8–11 with their upper bits there.</summary>
    private static (Vector128<float> Scale, Vector128<float> Minimum) ScaleAndMinimum(ReadOnlySpan<byte> block, int group)
    {
        var packed = block[4..16];
        var (s, m) = group < 4
            ? (packed[group] & 63, packed[group + 4] & 63)
            : ((packed[group + 4] & 15) | ((packed[group - 4] >> 6) << 4), (packed[group + 4] >> 4) | ((packed[group] >> 6) << 4));
        return (Vector128.Create(Lanes.Half(block) * s), Vector128.Create(-(Lanes.Half(block[2..]) * m)));
    }
}
