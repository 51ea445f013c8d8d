using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Lethe.Formats;

/// <summary>Writes PNG images of 8 bits a sample.</summary>
/// <remarks>Source: PNG specification (W3C, ISO/IEC 15948), clauses 5 to 12.</remarks>
internal static class PngEncoder
{
    /// <summary>Compresses twice, unfiltered (best for drawings and digits) and with a filter chosen for each row (best for photographs), and keeps the shorter.</summary>
    public static byte[] Encode(PngImage image)
    {
        var (plain, filtered) = (Compress(image, chooseFilters: false), Compress(image, chooseFilters: true));
        var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), image.Height);
        header[8] = 8;
        header[9] = image.Channels switch { 1 => 0, 2 => 4, 3 => 2, _ => 6 };
        WriteChunk(file, "IHDR", header);
        WriteChunk(file, "IDAT", plain.Length <= filtered.Length ? plain : filtered);
        WriteChunk(file, "IEND", []);
        return file.ToArray();
    }

    private static void WriteChunk(MemoryStream file, string type, ReadOnlySpan<byte> body)
    {
        Span<byte> number = stackalloc byte[4];
        Span<byte> name = stackalloc byte[4];
        Encoding.ASCII.GetBytes(type, name);
        BinaryPrimitives.WriteInt32BigEndian(number, body.Length);
        file.Write(number);
        file.Write(name);
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.Update(Crc32.Update(0, name), body));
        file.Write(number);
    }

    private static byte[] Compress(PngImage image, bool chooseFilters)
    {
        var rowBytes = image.Width * image.Channels;
        var result = new MemoryStream();
        using (var zlib = new ZLibStream(result, CompressionLevel.Optimal, leaveOpen: true))
        {
            var (best, candidate) = (new byte[rowBytes], new byte[rowBytes]);
            ReadOnlySpan<byte> above = new byte[rowBytes];
            for (var y = 0; y < image.Height; y++)
            {
                var row = image.Pixels.AsSpan(y * rowBytes, rowBytes);
                var filter = 0;
                row.CopyTo(best);
                for (var (f, cost) = (1, Cost(best)); chooseFilters && f < PngFilter.Count; f++)
                {
                    PngFilter.Apply(f, row, above, image.Channels, candidate);
                    if (Cost(candidate) is var other && other < cost)
                        (best, candidate, filter, cost) = (candidate, best, f, other);
                }
                zlib.WriteByte((byte)filter);
                zlib.Write(best);
                above = row;
            }
        }
        return result.ToArray();
    }

    /// <summary>The usual guess at how well a row compresses: the sum of its bytes taken as signed numbers, without their signs.</summary>
    private static long Cost(ReadOnlySpan<byte> row)
    {
        var sum = 0L;
        foreach (var value in row)
            sum += Math.Min(value, 256 - value);
        return sum;
    }
}
