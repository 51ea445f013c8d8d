using System.Buffers.Binary;

namespace Lethe.Formats;

/// <summary>The checksum of ZIP, gzip and PNG: CRC-32 with polynomial 0xEDB88320, eight bytes at a time by tables.</summary>
internal static class Crc32
{
    private const int Slices = 8;
    private static readonly uint[] Table = MakeTable();

    /// <summary>Continues a checksum; begin with 0.</summary>
    public static uint Update(uint crc, ReadOnlySpan<byte> bytes)
    {
        var table = Table;
        crc = ~crc;
        for (; bytes.Length >= Slices; bytes = bytes[Slices..])
        {
            var low = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ crc;
            var high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            crc = table[(7 << 8) | (low & 0xff)] ^ table[(6 << 8) | ((low >> 8) & 0xff)] ^ table[(5 << 8) | ((low >> 16) & 0xff)] ^ table[(4 << 8) | (low >> 24)]
                ^ table[(3 << 8) | (high & 0xff)] ^ table[(2 << 8) | ((high >> 8) & 0xff)] ^ table[(1 << 8) | ((high >> 16) & 0xff)] ^ table[high >> 24];
        }
        foreach (var value in bytes)
            crc = table[(crc ^ value) & 0xff] ^ (crc >> 8);
        return ~crc;
    }

    /// <summary>table[k·256 + b]: what byte b contributes with k more bytes behind it.</summary>
    private static uint[] MakeTable()
    {
        var table = new uint[Slices << 8];
        for (var i = 0u; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? 0xEDB88320 ^ (value >> 1) : value >> 1;
            table[i] = value;
        }
        for (var i = 256; i < table.Length; i++)
            table[i] = table[table[i - 256] & 0xff] ^ (table[i - 256] >> 8);
        return table;
    }
}
