using Lethe.Formats;

namespace Lethe.Reports.Tests.Example;

/// <summary>Made-up samples: simple garments of 28 × 28 pixels drawn by rules, and noise. They come from no model.</summary>
public static class ExampleImages
{
    private const int Side = 28, Gap = 2, PerStrip = 10;

    /// <summary>A strip of samples as PNG. A null shape is noise.</summary>
    public static byte[] Strip(int label, int? shape, double drift = 0)
    {
        var width = PerStrip * (Side + Gap) - Gap;
        var pixels = new byte[width * Side];
        Array.Fill(pixels, (byte)255);
        for (var i = 0; i < PerStrip; i++)
        {
            var random = new Random(1_000 * label + i);
            var (fat, tall, shade) = (0.82 + 0.3 * random.NextDouble() + 0.03 * drift, 0.9 + 0.16 * random.NextDouble(), 0.45 + 0.5 * random.NextDouble());
            for (var y = 0; y < Side; y++)
            {
                for (var x = 0; x < Side; x++)
                {
                    var value = shape is { } s ? Covered(s, ((x + 0.5) / Side - 0.5) / fat + 0.5, ((y + 0.5) / Side - 0.5) / tall + 0.5) * (shade + 0.12 * Math.Sin(0.7 * y + i) * Math.Cos(0.5 * x)) : 0.42 + 0.16 * random.NextDouble();
                    pixels[y * width + i * (Side + Gap) + x] = (byte)Math.Clamp(255 * value, 0, 255);
                }
            }
        }
        return Png(width, Side, pixels);
    }

    /// <summary>A grey image of eight bits as PNG.</summary>
    public static byte[] Png(int width, int height, byte[] pixels) => Formats.Png.Encode(new PngImage(width, height, 1, pixels));

    // Smooth coverage of the garment at (x, y) in [0, 1]².
    private static double Covered(int label, double x, double y)
    {
        var fromMiddle = Math.Abs(x - 0.5);
        double Body(double half, double top, double bottom) => Soft(half - fromMiddle) * Soft(y - top) * Soft(bottom - y);
        double Sleeves(double reach, double bottom) => Soft(reach - fromMiddle) * Soft(y - 0.16 - 0.35 * Math.Max(0, fromMiddle - 0.2)) * Soft(bottom - 0.02 - y + 0.6 * (fromMiddle - 0.2)) * Soft(fromMiddle - 0.16);
        return label switch
        {
            0 => Math.Max(Body(0.21, 0.14, 0.88), Sleeves(0.38, 0.4)),
            1 => Math.Max(Soft(0.1 - Math.Abs(fromMiddle - 0.11)) * Soft(y - 0.1) * Soft(0.92 - y), Body(0.2, 0.1, 0.32)),
            2 => Math.Max(Body(0.22, 0.13, 0.86), Sleeves(0.37, 0.86)),
            3 => Soft(0.11 + 0.14 * Math.Max(0, y - 0.3) - fromMiddle) * Soft(y - 0.08) * Soft(0.94 - y),
            4 => Math.Max(Body(0.24, 0.1, 0.92) * (1 - 0.6 * Soft(0.012 - fromMiddle)), Sleeves(0.38, 0.9)),
            5 => Math.Max(Soft(0.035 - Math.Abs(y - 0.72 + 0.25 * (x - 0.5))) * Soft(0.42 - fromMiddle), Soft(0.03 - Math.Abs(y - 0.5 - 0.5 * Math.Abs(x - 0.62))) * Soft(0.3 - Math.Abs(x - 0.6))),
            6 => Math.Max(Body(0.21, 0.12, 0.9) * (1 - 0.5 * Soft(0.01 - fromMiddle)), Sleeves(0.38, 0.74)),
            7 => Soft(y - (0.62 - 0.22 * Math.Max(0, x - 0.35))) * Soft(0.76 - y) * Soft(0.45 - fromMiddle),
            8 => Math.Max(Body(0.36, 0.42, 0.86), Soft(0.03 - Math.Abs(Math.Sqrt(Math.Pow(x - 0.5, 2) + Math.Pow(y - 0.42, 2)) - 0.2)) * Soft(0.45 - y)),
            _ => Math.Max(Soft(y - 0.6) * Soft(0.82 - y) * Soft(0.42 - fromMiddle), Soft(y - 0.16) * Soft(0.7 - y) * Soft(0.14 - Math.Abs(x - 0.72))),
        };
    }

    private static double Soft(double distance) => Math.Clamp(0.5 + 22 * distance, 0, 1);
}
