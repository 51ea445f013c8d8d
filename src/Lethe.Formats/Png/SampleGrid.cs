using System.Buffers.Binary;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>How images are laid out in a grid.</summary>
public sealed record SampleGridOptions
{
    /// <summary>Images in a row; by default the square root of their number, rounded up.</summary>
    public int? Columns { get; init; }

    /// <summary>Pixels between images and around them, after enlarging; default 2, as torchvision's make_grid.</summary>
    public int Padding { get; init; } = 2;

    /// <summary>Shade of the padding, 0 black to 1 white; default 1, the page that the grid stands on.</summary>
    public float PaddingValue { get; init; } = 1;

    /// <summary>How many times each pixel is repeated in both directions, so that small images stay sharp; default 1.</summary>
    public int Scale { get; init; } = 1;
}

/// <summary>Lays images out in a grid and gives it as one PNG file.</summary>
public static class SampleGrid
{
    /// <summary>A grid of floating-point images.</summary>
    /// <param name="images">Values from 0 to 1, row-major; what lies outside is cut off, as torchvision's save_image does.</param>
    /// <param name="shape">(N, H, W), or (N, C, H, W) with C 1 or 3; N at least 1.</param>
    /// <param name="options">The layout; null for the defaults.</param>
    /// <returns>The bytes of a PNG file.</returns>
    /// <exception cref="ArgumentException">The shape is another, or does not fit the number of values.</exception>
    /// <exception cref="RunFailedException">A value is NaN; the message names the image.</exception>
    public static byte[] Render(ReadOnlySpan<float> images, IReadOnlyList<long> shape, SampleGridOptions? options = null)
    {
        var count = Dimensions(images.Length, shape).Count;
        var bytes = new byte[images.Length];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = float.IsNaN(images[i])
                ? throw new RunFailedException($"Image {i / (images.Length / count)} of {count} holds NaN; what drew it has failed.")
                : Shade(images[i]);
        return Render(bytes, shape, options ?? new SampleGridOptions());
    }

    /// <summary>A grid of images from an array: UInt8 from 0 to 255, or Float32 from 0 to 1.</summary>
    /// <param name="images">The images, (N, H, W) or (N, C, H, W); see the other overload.</param>
    /// <param name="options">The layout; null for the defaults.</param>
    /// <returns>The bytes of a PNG file.</returns>
    /// <exception cref="ArgumentException">Type or shape are others.</exception>
    /// <exception cref="RunFailedException">A value is NaN.</exception>
    public static byte[] Render(HostArray images, SampleGridOptions? options = null)
    {
        switch (images.Type)
        {
            case DType.UInt8:
                return Render(images.Bytes.Span, images.Shape, options ?? new SampleGridOptions());
            case DType.Float32:
                var values = new float[images.Bytes.Length / sizeof(float)];
                for (var i = 0; i < values.Length; i++)
                    values[i] = BinaryPrimitives.ReadSingleLittleEndian(images.Bytes.Span[(i * sizeof(float))..]);
                return Render(values, images.Shape, options);
            default:
                throw new ArgumentException($"Images are {images.Type}; UInt8 (0 to 255) and Float32 (0 to 1) can be drawn.", nameof(images));
        }
    }

    private static byte[] Render(ReadOnlySpan<byte> images, IReadOnlyList<long> shape, SampleGridOptions options)
    {
        var (count, channels, height, width) = Dimensions(images.Length, shape);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Scale, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Padding);
        var columns = Math.Min(options.Columns ?? (long)Math.Ceiling(Math.Sqrt(count)), count);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        var (cellWidth, cellHeight) = (width * options.Scale + options.Padding, height * options.Scale + options.Padding);
        var (gridWidth, gridHeight) = (checked((int)(columns * cellWidth + options.Padding)), checked((int)((count + columns - 1) / columns * cellHeight + options.Padding)));
        var pixels = new byte[checked(gridWidth * gridHeight * channels)];
        pixels.AsSpan().Fill(Shade(options.PaddingValue));
        for (var n = 0; n < count; n++)
        {
            var (left, top) = (options.Padding + n % columns * cellWidth, options.Padding + n / columns * cellHeight);
            var image = images.Slice((int)(n * channels * height * width), (int)(channels * height * width));
            for (var y = 0; y < height * options.Scale; y++)
                for (var x = 0; x < width * options.Scale; x++)
                    for (var c = 0; c < channels; c++)
                        pixels[((top + y) * gridWidth + left + x) * channels + c] = image[(int)((c * height + y / options.Scale) * width + x / options.Scale)];
        }
        return Png.Encode(new PngImage(gridWidth, gridHeight, channels, pixels));
    }

    private static (long Count, int Channels, long Height, long Width) Dimensions(int length, IReadOnlyList<long> shape)
    {
        var (count, channels, height, width) = shape switch
        {
            [var n, var h, var w] => (n, 1, h, w),
            [var n, var c and (1 or 3), var h, var w] => (n, (int)c, h, w),
            _ => (0L, 0, 0L, 0L),
        };
        return count >= 1 && height >= 1 && width >= 1 && ElementChecks.ByteLength(shape, 1) == length
            ? (count, channels, height, width)
            : throw new ArgumentException($"{length} values of the shape {ElementChecks.Show(shape)} are no images; a grid takes (N, H, W) or (N, C, H, W) with C 1 or 3 and N, H, W at least 1.", nameof(shape));
    }

    private static byte Shade(float value) => (byte)MathF.Round(Math.Clamp(value, 0, 1) * 255);
}
