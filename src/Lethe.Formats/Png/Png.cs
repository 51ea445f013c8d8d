namespace Lethe.Formats;

/// <summary>Reads and writes PNG images.</summary>
public static class Png
{
    /// <summary>A PNG file of a hundred million pixels seldom takes more.</summary>
    private const long MaxFileBytes = 1L << 30;

    /// <summary>
    /// Reads a file: grey, RGB or palette, with or without alpha, 1 to 16 bits a sample. 16 bits are rounded to 8, palettes become RGB,
    /// a transparent colour becomes alpha. Gamma and colour profiles are ignored.
    /// </summary>
    /// <exception cref="Torch.BadInputException">The file is missing, damaged, interlaced, or larger than 100 million pixels.</exception>
    public static PngImage Read(string path) => Decode(InputFile.ReadAll(path, MaxFileBytes), path);

    /// <summary>Reads the content of a file; see <see cref="Read"/>.</summary>
    /// <param name="bytes">The file's bytes.</param>
    /// <param name="name">Name for errors.</param>
    /// <exception cref="Torch.BadInputException">See <see cref="Read"/>.</exception>
    public static PngImage Decode(ReadOnlySpan<byte> bytes, string name) => new PngDecoder(name).Decode(bytes);

    /// <summary>The bytes of a PNG file of 8 bits a sample.</summary>
    public static byte[] Encode(PngImage image) => PngEncoder.Encode(image);

    /// <summary>Writes a file; see <see cref="AtomicFile.Write"/>.</summary>
    /// <exception cref="Torch.UsageException">The place cannot be written.</exception>
    public static void Write(string path, PngImage image) => AtomicFile.WriteAllBytes(path, Encode(image));
}
