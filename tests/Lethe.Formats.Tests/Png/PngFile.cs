using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Lethe.Formats.Tests.Png;

/// <summary>Puts PNG files together chunk by chunk, good or bad.</summary>
internal static class PngFile
{
    public static readonly byte[] Signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];

    public static byte[] Chunk(string type, params byte[] body)
    {
        byte[] covered = [.. Encoding.Latin1.GetBytes(type), .. body];
        var bytes = new byte[8 + covered.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, body.Length);
        covered.CopyTo(bytes, 4);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(bytes.Length - 4), Crc32.Update(0, covered));
        return bytes;
    }

    public static byte[] Header(uint width, uint height, byte depth = 8, byte colour = 0, byte compression = 0, byte filter = 0, byte interlace = 0)
    {
        var body = new byte[13];
        BinaryPrimitives.WriteUInt32BigEndian(body, width);
        BinaryPrimitives.WriteUInt32BigEndian(body.AsSpan(4), height);
        (body[8], body[9], body[10], body[11], body[12]) = (depth, colour, compression, filter, interlace);
        return Chunk("IHDR", body);
    }

    public static byte[] Compress(params byte[] rows)
    {
        var stream = new MemoryStream();
        using (var zlib = new ZLibStream(stream, CompressionLevel.Optimal))
            zlib.Write(rows);
        return stream.ToArray();
    }

    public static byte[] Data(params byte[] rows) => Chunk("IDAT", Compress(rows));

    public static byte[] End { get; } = Chunk("IEND");

    public static byte[] File(params byte[][] chunks) => [.. Signature, .. chunks.SelectMany(chunk => chunk)];

    /// <summary>Mends the checksum of every chunk that still is one.</summary>
    public static byte[] Repair(byte[] bytes)
    {
        for (var at = 8L; at + 12 <= bytes.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan((int)at));
            if (length > bytes.Length - at - 12)
                break;
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan((int)(at + 8 + length)), Crc32.Update(0, bytes.AsSpan((int)at + 4, 4 + (int)length)));
            at += 12 + length;
        }
        return bytes;
    }

    /// <summary>A file whose image data are these rows, filter bytes and all, under the header of another file.</summary>
    public static byte[] Rows(byte[] rows, uint width, uint height, byte depth, byte colour) => File(Header(width, height, depth, colour), Data(rows), End);
}
