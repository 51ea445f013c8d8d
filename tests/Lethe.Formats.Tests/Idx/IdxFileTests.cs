using System.Buffers.Binary;
using System.IO.Compression;

namespace Lethe.Formats.Tests.Idx;

public sealed class IdxFileTests
{
    private static byte[] Idx(byte type, uint[] sizes, int dataBytes)
    {
        var bytes = new byte[4 + 4 * sizes.Length + dataBytes];
        bytes[2] = type;
        bytes[3] = (byte)sizes.Length;
        for (var i = 0; i < sizes.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4 + 4 * i), sizes[i]);
        for (var i = 0; i < dataBytes; i++)
            bytes[4 + 4 * sizes.Length + i] = (byte)i;
        return bytes;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal))
            gzip.Write(bytes);
        return stream.ToArray();
    }

    private static void Refused(byte[] bytes, params string[] words) => Check.Refused(() => IdxFile.Parse("a.idx", bytes), ["a.idx", .. words]);

    [Fact]
    public void Plain_and_compressed_files_give_the_same_array()
    {
        var bytes = Idx(0x08, [2, 3, 4], 24);
        var array = IdxFile.Parse("a", bytes);
        Check.Same(Make.Counting(DType.UInt8, 2, 3, 4), array);
        Check.Same(array, IdxFile.Parse("a", Gzip(bytes)));
    }

    [Theory]
    [InlineData(0x09, DType.Int8), InlineData(0x0B, DType.Int16), InlineData(0x0C, DType.Int32), InlineData(0x0D, DType.Float32), InlineData(0x0E, DType.Float64)]
    public void Larger_elements_are_turned_around(byte code, DType type)
    {
        var size = type.Size();
        var array = IdxFile.Parse("a", Idx(code, [3], 3 * size));
        Assert.Equal(type, array.Type);
        for (var i = 0; i < array.Bytes.Length; i++)
            Assert.Equal(i / size * size + size - 1 - i % size, array.Bytes.Span[i]);
    }

    [Fact]
    public void An_empty_set_is_legal() => Assert.Equal([0L, 28L, 28L], IdxFile.Parse("a", Idx(0x08, [0, 28, 28], 0)).Shape);

    [Theory]
    [InlineData(0), InlineData(3), InlineData(4), InlineData(10), InlineData(16), InlineData(39)]
    public void A_truncated_file_is_refused(int length)
    {
        var bytes = Idx(0x08, [2, 3, 4], 24);
        Refused(bytes[..length]);
        Refused(Gzip(bytes[..length]), "truncated");
    }

    [Fact]
    public void Bytes_behind_the_elements_are_refused()
    {
        var bytes = Idx(0x08, [2, 3], 7);
        Refused(bytes, "behind", "[2, 3]");
        Refused(Gzip(bytes), "behind", "[2, 3]");
    }

    [Fact]
    public void Bytes_behind_the_compressed_data_are_refused()
    {
        var gzip = Gzip(Idx(0x08, [2, 3], 6));
        Refused([.. gzip, 1, 2, 3, 4, 5, 6, 7, 8], "checksum");
        Refused([.. gzip, .. gzip], "");
    }

    [Fact]
    public void A_wrong_beginning_is_refused()
    {
        Refused(Idx(0x0A, [1], 1), "0x0a");
        Refused(Idx(0x08, [], 1), "0 dimensions");
        Refused(Idx(0x08, [.. Enumerable.Repeat(1u, 17)], 1), "17 dimensions");
        var bytes = Idx(0x08, [1], 1);
        bytes[1] = 1;
        Refused(bytes, "00 01");
        Refused([0x89, (byte)'P', (byte)'N', (byte)'G', 0, 0, 0, 0], "no IDX file");
    }

    [Theory]
    [InlineData(0xffffffff, 0xffffffff, 0xffffffff), InlineData(60000, 28, 28), InlineData(0xffffffff, 1, 1)]
    public void A_shape_that_the_file_cannot_hold_is_refused_before_memory_is_taken(uint n, uint h, uint w)
    {
        var bytes = Idx(0x08, [n, h, w], 10);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused(bytes, "more than the file can hold");
        Refused(Gzip(bytes), "more than the file can hold");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void A_bomb_is_refused()
    {
        Refused(Gzip(new byte[100_000_000]), "");
        Refused(Gzip([.. Idx(0x08, [1], 1), .. new byte[50_000_000]]), "behind");
    }

    [Fact]
    public void Damaged_compression_is_refused()
    {
        var gzip = Gzip(Idx(0x08, [100], 100));
        for (var i = 0; i < gzip.Length; i++)
        {
            // Bytes 4 to 9 hold time, flags of the compressor and system, and the last byte before the checksum may end in unused bits.
            if (i is >= 4 and <= 9 || i == gzip.Length - 9)
                continue;
            var bytes = gzip.ToArray();
            bytes[i] ^= 0x10;
            Refused(bytes);
        }
    }

    [Fact]
    public void Damaged_files_are_refused_and_nothing_worse()
    {
        Fuzz.Run([Idx(0x08, [4, 5, 5], 100), Idx(0x0D, [3, 2], 24), Gzip(Idx(0x08, [300], 300)), Gzip(Idx(0x0B, [2, 2], 8))], 8000, bytes => IdxFile.Parse("fuzz", bytes), maxAllocated: 4 << 20);
        // Damage behind an intact compression.
        Fuzz.Run([Idx(0x08, [4, 5, 5], 100), Idx(0x0E, [2, 3], 48)], 3000, bytes => IdxFile.Parse("fuzz", bytes), maxAllocated: 4 << 20, repair: Gzip);
    }
}
