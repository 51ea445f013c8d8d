using System.Buffers.Binary;
using Lethe.Torch;

namespace Lethe.Reports.Markup;

/// <summary>A PNG image as a page holds it: checked to be one, with its size, as a data: address.</summary>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Address">data:image/png;base64,…</param>
internal sealed record Png(int Width, int Height, string Address)
{
    private const int HeaderLength = 33; // signature 8, IHDR 8 + 13 + 4

    private static ReadOnlySpan<byte> Signature => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Reads the header; the pixels are the browser's affair.</summary>
    /// <exception cref="BadInputException">The bytes are no PNG.</exception>
    public static Png Read(ReadOnlySpan<byte> bytes, string what)
    {
        if (bytes.Length < HeaderLength || !bytes.StartsWith(Signature) || !bytes[12..16].SequenceEqual("IHDR"u8))
            throw new BadInputException($"The {what} is no PNG image ({bytes.Length} bytes, no PNG header); give it as PNG.");
        var width = BinaryPrimitives.ReadInt32BigEndian(bytes[16..]);
        var height = BinaryPrimitives.ReadInt32BigEndian(bytes[20..]);
        if (width is <= 0 or > 20_000 || height is <= 0 or > 20_000)
            throw new BadInputException($"The {what} is {width} × {height} pixels; a report holds images of 1 to 20,000 pixels a side.");
        return new Png(width, height, "data:image/png;base64," + Convert.ToBase64String(bytes));
    }
}
