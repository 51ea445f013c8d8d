using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>An image of 8 bits a sample, row by row from the top, the channels of a pixel side by side.</summary>
public sealed record PngImage
{
    /// <summary>An image of these samples.</summary>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="channels">1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.</param>
    /// <param name="pixels">The samples; height × width × channels bytes.</param>
    /// <exception cref="ArgumentException">The sizes do not fit each other.</exception>
    public PngImage(int width, int height, int channels, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(channels, 4);
        if (pixels.Length != (long)width * height * channels)
            throw new ArgumentException($"An image of {width} by {height} pixels with {channels} channels takes {(long)width * height * channels} bytes, not {pixels.Length}.", nameof(pixels));
        (Width, Height, Channels, Pixels) = (width, height, channels, pixels);
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.</summary>
    public int Channels { get; }

    /// <summary>The samples; height × width × channels bytes.</summary>
    public byte[] Pixels { get; }

    /// <summary>The image as an array (channels, height, width) of bytes, grey or RGB, as models take it.</summary>
    /// <param name="channels">1 for grey (ITU-R 601 luma, as Pillow rounds it) or 3 for RGB (grey is repeated).</param>
    /// <param name="name">Name for errors.</param>
    /// <exception cref="BadInputException">The image has transparent pixels; there is no one way to show them.</exception>
    public HostArray ToArray(int channels, string name)
    {
        if (channels is not (1 or 3))
            throw new ArgumentOutOfRangeException(nameof(channels), channels, "1 for grey or 3 for RGB");
        var (count, colours) = (Width * Height, Channels >= 3 ? 3 : 1);
        var planes = new byte[checked(count * channels)];
        for (var i = 0; i < count; i++)
        {
            var pixel = Pixels.AsSpan(i * Channels, Channels);
            if (Channels % 2 == 0 && pixel[^1] != 255)
                throw InputFile.Refuse(name, $"has transparent pixels (the first at column {i % Width}, row {i / Width}); save it without transparency.");
            if (channels == 1)
                planes[i] = colours == 1 ? pixel[0] : Luma(pixel);
            else
                for (var c = 0; c < 3; c++)
                    planes[c * count + i] = pixel[colours == 1 ? 0 : c];
        }
        return new HostArray(DType.UInt8, [channels, Height, Width], planes);
    }

    /// <summary>0.299 R + 0.587 G + 0.114 B in 16-bit fixed point, rounded: Pillow's convert("L").</summary>
    private static byte Luma(ReadOnlySpan<byte> rgb) => (byte)((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}
