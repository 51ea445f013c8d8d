using System.Buffers.Binary;
using System.IO.Compression;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>
/// The format of MNIST: bytes 0 0, element type, number of dimensions, sizes and elements, all big-endian; plain or compressed by gzip
/// (told by the content, not by the name).
/// </summary>
/// <remarks>Source: the description on the MNIST database's page (Y. LeCun, C. Cortes, C. Burges).</remarks>
public static class IdxFile
{
    /// <summary>Real sets have at most four; each costs four bytes of header.</summary>
    private const int MaxDimensions = 16;

    /// <summary>Reads a file.</summary>
    /// <exception cref="BadInputException">The file is missing, damaged, or shorter or longer than its header says.</exception>
    public static HostArray Read(string path) => Parse(path, InputFile.ReadAll(path, ElementChecks.MaxArrayBytes));

    /// <summary>Reads the content of a file.</summary>
    /// <param name="name">Name for errors.</param>
    /// <param name="bytes">The file's bytes.</param>
    /// <exception cref="BadInputException">See <see cref="Read"/>.</exception>
    public static HostArray Parse(string name, byte[] bytes)
    {
        if (bytes.Length < 2 || bytes[0] != 0x1f || bytes[1] != 0x8b)
            return Parse(name, new MemoryStream(bytes), bytes.Length);
        try
        {
            using var content = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
            return Parse(name, content, ZipInput.MaxDeflateRatio * bytes.Length, bytes);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw InputFile.Refuse(name, $"is damaged: {e.Message}", e);
        }
    }

    /// <param name="name">Name for errors.</param>
    /// <param name="content">The content, decompressed.</param>
    /// <param name="available">The most bytes that <paramref name="content"/> can have.</param>
    /// <param name="gzip">The compressed file, whose last bytes must be the content's checksum and length.</param>
    private static HostArray Parse(string name, Stream content, long available, byte[]? gzip = null)
    {
        var header = new byte[4 + 4 * MaxDimensions];
        Fill(name, content, header.AsSpan(0, 4), "the header");
        if (header[0] != 0 || header[1] != 0)
            throw InputFile.Refuse(name, $"is no IDX file: it begins with the bytes {header[0]:x2} {header[1]:x2}, not with 00 00.");
        var type = header[2] switch
        {
            0x08 => DType.UInt8,
            0x09 => DType.Int8,
            0x0B => DType.Int16,
            0x0C => DType.Int32,
            0x0D => DType.Float32,
            0x0E => DType.Float64,
            var code => throw InputFile.Refuse(name, $"byte 2 gives the element type 0x{code:x2}; known are 08, 09, 0b, 0c, 0d and 0e."),
        };
        var dimensions = header[3];
        if (dimensions is 0 or > MaxDimensions)
            throw InputFile.Refuse(name, $"byte 3 gives {dimensions} dimensions; 1 to {MaxDimensions} are allowed.");
        var sizes = header.AsSpan(4, 4 * dimensions);
        Fill(name, content, sizes, "the header");
        var shape = new long[dimensions];
        for (var i = 0; i < dimensions; i++)
            shape[i] = BinaryPrimitives.ReadUInt32BigEndian(sizes[(4 * i)..]);
        var length = ElementChecks.ByteLength(shape, type.Size());
        if (length is null || length > Math.Min(available, ElementChecks.MaxArrayBytes))
            throw InputFile.Refuse(name, $"claims the shape {ElementChecks.Show(shape)} of {type}, which is more than the file can hold.");
        var elements = new byte[length.Value];
        Fill(name, content, elements, "the elements");
        if (content.ReadByte() >= 0)
            throw InputFile.Refuse(name, $"has bytes behind the {length} that its shape {ElementChecks.Show(shape)} of {type} takes.");
        if (gzip is not null)
            CheckTrailer(name, gzip, header.AsSpan(0, 4 + 4 * dimensions), elements);
        if (type.Size() > 1)
            NpyFile.SwapBytes(elements, type.Size());
        return new HostArray(type, shape, elements);
    }

    /// <summary>GZipStream passes over what follows the compressed data, so the file's last bytes are compared with what they should be.</summary>
    private static void CheckTrailer(string name, byte[] gzip, ReadOnlySpan<byte> header, ReadOnlySpan<byte> elements)
    {
        var trailer = gzip.AsSpan(gzip.Length - 8);
        var crc = Crc32.Update(Crc32.Update(0, header), elements);
        if (BinaryPrimitives.ReadUInt32LittleEndian(trailer) != crc || BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]) != (uint)(header.Length + elements.Length))
            throw InputFile.Refuse(name, "does not end with the checksum and length of its content: bytes follow the compressed data, or it has several gzip members; decompress it first.");
    }

    private static void Fill(string name, Stream content, Span<byte> target, string what)
    {
        var got = content.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
        if (got < target.Length)
            throw InputFile.Refuse(name, $"is truncated: {what} should have {target.Length} bytes more and {got} are there.");
    }
}
