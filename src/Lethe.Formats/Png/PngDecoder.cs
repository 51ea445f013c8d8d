using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>Reads one PNG image; see <see cref="Png.Read"/> for what it accepts.</summary>
/// <remarks>Source: PNG specification (W3C, ISO/IEC 15948), clauses 5 to 12.</remarks>
internal sealed class PngDecoder(string name)
{
    /// <summary>Whoever has larger images cuts them first; Pillow warns at 89 million.</summary>
    private const long MaxPixels = 100_000_000;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];

    private enum Colour { Grey = 0, Rgb = 2, Palette = 3, GreyAlpha = 4, RgbAlpha = 6 }

    private readonly MemoryStream compressed = new();
    private int width, height, depth;
    private Colour colour;
    private byte[]? palette;
    private byte[]? transparency;
    private string previous = "";

    public PngImage Decode(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.StartsWith(Signature))
            throw InputFile.Refuse(name, "is no PNG image: it does not begin with the signature 89 'PNG'.");
        var position = Signature.Length;
        while (previous != "IEND")
        {
            var type = NextChunk(bytes, ref position, out var body);
            if (previous.Length == 0 != (type == "IHDR"))
                throw InputFile.Refuse(name, previous.Length == 0 ? $"begins with the chunk '{type}' instead of IHDR." : "has IHDR twice.");
            Take(type, body);
            previous = type;
        }
        if (position != bytes.Length)
            throw InputFile.Refuse(name, $"has {bytes.Length - position} bytes behind its end at byte {position}.");
        if (compressed.Length == 0)
            throw InputFile.Refuse(name, "has no image data (IDAT).");
        return Expand(Inflate());
    }

    /// <summary>Samples of one pixel in the file.</summary>
    private int Samples => colour switch { Colour.Rgb => 3, Colour.GreyAlpha => 2, Colour.RgbAlpha => 4, _ => 1 };

    private long RowBytes => ((long)width * Samples * depth + 7) / 8;

    /// <summary>Length, type, body, checksum of type and body.</summary>
    private string NextChunk(ReadOnlySpan<byte> bytes, ref int position, out ReadOnlySpan<byte> body)
    {
        var left = bytes.Length - position - 12;
        if (left < 0)
            throw InputFile.Refuse(name, $"is truncated: a chunk should begin at byte {position}, and {bytes.Length - position} bytes are left.");
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[position..]);
        if (length > left)
            throw InputFile.Refuse(name, $"the chunk at byte {position} claims {length} bytes, and {left} are left.");
        var covered = bytes.Slice(position + 4, 4 + (int)length);
        var type = Encoding.Latin1.GetString(covered[..4]);
        if (!type.All(char.IsAsciiLetter))
            throw InputFile.Refuse(name, $"the chunk at byte {position} has a type that is not four letters.");
        var (actual, stated) = (Crc32.Update(0, covered), BinaryPrimitives.ReadUInt32BigEndian(bytes[(position + 8 + (int)length)..]));
        if (actual != stated)
            throw InputFile.Refuse(name, $"the chunk '{type}' at byte {position} has the checksum {actual:x8} and should have {stated:x8}; the file is damaged.");
        position += 12 + (int)length;
        body = covered[4..];
        return type;
    }

    private void Take(string type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case "IHDR":
                TakeHeader(body);
                break;
            case "PLTE":
                if (palette is not null || compressed.Length > 0 || colour is Colour.Grey or Colour.GreyAlpha)
                    throw InputFile.Refuse(name, "has a palette (PLTE) where none may be.");
                if (body.Length is 0 or > 768 || body.Length % 3 != 0)
                    throw InputFile.Refuse(name, $"has a palette of {body.Length} bytes; 3 to 768, three a colour, are allowed.");
                palette = body.ToArray();
                break;
            case "tRNS":
                TakeTransparency(body);
                break;
            case "IDAT":
                if (compressed.Length > 0 && previous != "IDAT")
                    throw InputFile.Refuse(name, $"has image data (IDAT) on both sides of the chunk '{previous}'.");
                if (colour == Colour.Palette && palette is null)
                    throw InputFile.Refuse(name, "is a palette image without a palette (PLTE) before its data.");
                compressed.Write(body);
                break;
            case "IEND":
                if (body.Length > 0)
                    throw InputFile.Refuse(name, $"its end (IEND) holds {body.Length} bytes; none are allowed.");
                break;
            default:
                // The first letter is upper case in chunks without which the image cannot be understood.
                if (char.IsAsciiLetterUpper(type[0]))
                    throw InputFile.Refuse(name, $"has the chunk '{type}', which Lethe does not know and which is needed to read the image.");
                break;
        }
    }

    private void TakeHeader(ReadOnlySpan<byte> body)
    {
        if (body.Length != 13)
            throw InputFile.Refuse(name, $"its header (IHDR) has {body.Length} bytes instead of 13.");
        var (wide, high) = (BinaryPrimitives.ReadUInt32BigEndian(body), BinaryPrimitives.ReadUInt32BigEndian(body[4..]));
        if (wide == 0 || high == 0 || (ulong)wide * high > MaxPixels)
            throw InputFile.Refuse(name, $"its header gives {wide} by {high} pixels; 1 to {MaxPixels} pixels in all are allowed.");
        (width, height, depth, colour) = ((int)wide, (int)high, body[8], (Colour)body[9]);
        var allowed = colour switch
        {
            Colour.Grey => depth is 1 or 2 or 4 or 8 or 16,
            Colour.Palette => depth is 1 or 2 or 4 or 8,
            Colour.Rgb or Colour.GreyAlpha or Colour.RgbAlpha => depth is 8 or 16,
            _ => false,
        };
        if (!allowed)
            throw InputFile.Refuse(name, $"its header gives the colour type {body[9]} with {depth} bits a sample, which the format does not have.");
        if (body[10] != 0 || body[11] != 0)
            throw InputFile.Refuse(name, $"its header gives the compression method {body[10]} and the filter method {body[11]}; only 0 exists.");
        if (body[12] != 0)
            throw InputFile.Refuse(name, body[12] == 1 ? "is interlaced, which Lethe does not read; save it without interlacing." : $"its header gives the interlace method {body[12]}; 0 and 1 exist.");
    }

    private void TakeTransparency(ReadOnlySpan<byte> body)
    {
        var length = colour switch { Colour.Grey => 2, Colour.Rgb => 6, Colour.Palette => Math.Min(body.Length, (palette?.Length ?? 0) / 3), _ => 0 };
        if (transparency is not null || compressed.Length > 0 || length == 0 || body.Length != length)
            throw InputFile.Refuse(name, $"has {body.Length} bytes of transparency (tRNS), which do not fit its colours, or stand where they may not.");
        transparency = body.ToArray();
    }

    /// <summary>The rows, filtered as they are in the file: one byte that names the filter, then the samples.</summary>
    private byte[] Inflate()
    {
        var total = height * (1 + RowBytes);
        if (total > ElementChecks.MaxArrayBytes || total / ZipInput.MaxDeflateRatio > compressed.Length)
            throw InputFile.Refuse(name, $"claims {width} by {height} pixels, {total} bytes, which {compressed.Length} compressed bytes cannot hold.");
        var rows = new byte[total];
        try
        {
            compressed.Position = 0;
            using var content = new ZLibStream(compressed, CompressionMode.Decompress);
            var got = content.ReadAtLeast(rows, rows.Length, throwOnEndOfStream: false);
            if (got < rows.Length || content.ReadByte() >= 0)
                throw InputFile.Refuse(name, $"its {width} by {height} pixels take {total} bytes, and its data hold {(got < rows.Length ? $"{got}" : "more")}.");
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw InputFile.Refuse(name, $"its compressed data are damaged: {e.Message}", e);
        }
        return rows;
    }

    /// <summary>Undoes the filters and gives every pixel 8 bits a sample, palette and transparent colour resolved.</summary>
    private PngImage Expand(byte[] rows)
    {
        var colours = colour is Colour.Grey or Colour.GreyAlpha ? 1 : 3;
        var channels = colours + (colour is Colour.GreyAlpha or Colour.RgbAlpha || transparency is not null ? 1 : 0);
        var bytes = (long)width * height * channels;
        var pixels = new byte[bytes];
        var (rowBytes, pixelBytes) = ((int)RowBytes, Math.Max(1, Samples * depth / 8));
        ReadOnlySpan<byte> above = new byte[rowBytes];
        for (var y = 0; y < height; y++)
        {
            var row = rows.AsSpan(y * (rowBytes + 1) + 1, rowBytes);
            var filter = rows[y * (rowBytes + 1)];
            if (filter >= PngFilter.Count)
                throw InputFile.Refuse(name, $"row {y} has the filter {filter}; 0 to {PngFilter.Count - 1} exist.");
            PngFilter.Undo(filter, row, above, pixelBytes);
            for (var x = 0; x < width; x++)
                ExpandPixel(row, x, y, pixels.AsSpan((y * width + x) * channels, channels));
            above = row;
        }
        return new PngImage(width, height, channels, pixels);
    }

    private void ExpandPixel(ReadOnlySpan<byte> row, int x, int y, Span<byte> pixel)
    {
        var first = x * Samples;
        if (colour == Colour.Palette)
        {
            var index = Sample(row, first);
            if (index * 3 >= palette!.Length)
                throw InputFile.Refuse(name, $"the pixel at column {x}, row {y} has the colour {index} of a palette of {palette.Length / 3}.");
            palette.AsSpan(index * 3, 3).CopyTo(pixel);
            if (transparency is not null)
                pixel[3] = index < transparency.Length ? transparency[index] : (byte)255;
            return;
        }
        var (largest, isKey) = ((1 << depth) - 1, transparency is not null);
        for (var s = 0; s < Samples; s++)
        {
            var sample = Sample(row, first + s);
            isKey = isKey && sample == BinaryPrimitives.ReadUInt16BigEndian(transparency.AsSpan(2 * s));
            // Rounded; exact for 1, 2, 4 and 8 bits, which divide 255.
            pixel[s] = (byte)((sample * 255 + largest / 2) / largest);
        }
        if (transparency is not null)
            pixel[^1] = isKey ? (byte)0 : (byte)255;
    }

    private int Sample(ReadOnlySpan<byte> row, int index) => depth switch
    {
        8 => row[index],
        16 => BinaryPrimitives.ReadUInt16BigEndian(row[(2 * index)..]),
        _ => (row[index * depth / 8] >> (8 - depth - index * depth % 8)) & ((1 << depth) - 1),
    };
}
