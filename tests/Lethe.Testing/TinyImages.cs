using System.Buffers.Binary;

namespace Lethe.Testing;

/// <summary>
/// A data set in MNIST's files, made here, and a plan that trains, forgets and measures at the smallest sizes: whole runs in seconds, on a machine
/// that has no data at all.
/// </summary>
public static class TinyImages
{
    /// <summary>The plan's file; its data folder is relative to it, as a user would write it.</summary>
    public const string PlanName = "tiny.yaml";

    /// <summary>Writes data/ and <see cref="PlanName"/> into a folder.</summary>
    /// <returns>The plan's path.</returns>
    public static string Write(string folder)
    {
        var data = Directory.CreateDirectory(Path.Combine(folder, "data")).FullName;
        WritePart(data, "train", 300);
        WritePart(data, "t10k", 200);
        var plan = Path.Combine(folder, PlanName);
        File.WriteAllText(plan, """
            title: Forget the 0
            data:
              dataset: mnist
              folder: data
            base:
              kind: train
              outer: 16
              inner: 8
              latent: 2
              training: {steps: 30, batch: 32, warm_up: 5, average: 0.5}
            judge:
              kind: train
              training: {epochs: 1, batch: 32}
            forget:
              - label: 0
            fisher: {samples: 100, batch: 50}
            method: {steps: 10, minimum_steps: 0, column_steps: 5, warm_up: 2, check_every: 5, validation_samples: 20, replay_pool: 50, forget_batch: 8, replay_batch: 8}
            measure: {samples: 50, retained_samples: 50, draws: 1, feature_samples: 100, grid_samples: 2, probes: false}
            relearn:
              enabled: false

            """);
        return plan;
    }

    // Class c is a bright bar across rows 2c + 3 and 2c + 4, with speckles that differ from image to image.
    private static void WritePart(string folder, string part, int count)
    {
        var images = Header(3, count, 28, 28);
        var labels = Header(1, count);
        var speckle = 1u;
        for (var n = 0; n < count; n++)
        {
            var label = n % 10;
            labels.Add((byte)label);
            for (var y = 0; y < 28; y++)
                for (var x = 0; x < 28; x++)
                {
                    speckle = unchecked(speckle * 1664525 + 1013904223); // the generator of Numerical Recipes
                    images.Add(y - 2 * label is 3 or 4 && x is > 3 and < 24 ? (byte)(200 + (speckle >> 27)) : (byte)(speckle >> 28));
                }
        }
        File.WriteAllBytes(Path.Combine(folder, $"{part}-images-idx3-ubyte"), [.. images]);
        File.WriteAllBytes(Path.Combine(folder, $"{part}-labels-idx1-ubyte"), [.. labels]);
    }

    private static List<byte> Header(byte dimensions, params int[] sizes)
    {
        var bytes = new byte[4 + 4 * sizes.Length];
        (bytes[2], bytes[3]) = (0x08, dimensions);
        for (var k = 0; k < sizes.Length; k++)
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 + 4 * k), sizes[k]);
        return [.. bytes];
    }
}
