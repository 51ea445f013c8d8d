using System.Buffers.Binary;

namespace Lethe.Testing;

/// <summary>Small data sets as IDX files, and plans that go through all stages on them in seconds.</summary>
public static class TinyData
{
    private const int Side = 28;

    /// <summary>Writes one part of a data set: black images and these labels.</summary>
    public static void WriteBlack(string folder, string part, byte[] labels) => Write(folder, part, labels, new byte[labels.Length * Side * Side]);

    /// <summary>Writes a whole data set of ten classes that a small model can tell apart: class c is a bright bar in column 2c + 4, with noise.</summary>
    public static void WriteBars(string folder, int train, int test)
    {
        foreach (var (part, count, seed) in new[] { ("train", train, 1), ("t10k", test, 2) })
        {
            var random = new Random(seed);
            var labels = new byte[count];
            var images = new byte[count * Side * Side];
            random.NextBytes(images);
            for (var i = 0; i < images.Length; i++)
                images[i] /= 8;
            for (var i = 0; i < count; i++)
            {
                labels[i] = (byte)(i % 10);
                for (var row = 4; row < 24; row++)
                    for (var column = 0; column < 3; column++)
                        images[(((i * Side) + row) * Side) + (2 * labels[i]) + 4 + column] = 240;
            }
            Write(folder, part, labels, images);
        }
    }

    /// <summary>A plan that forgets one class of the bars in a model trained for a few steps.</summary>
    public static string UnlearnPlan(string dataFolder, string more = "") => $$$"""
        title: Forget the fourth bar
        data: {dataset: mnist, folder: '{{{dataFolder}}}'}
        base: {kind: train, outer: 32, inner: 16, latent: 4, training: {steps: 60, batch: 32, warm_up: 5, average: 0}}
        judge: {kind: train, training: {epochs: 2, batch: 32}}
        forget: [{label: 3}]
        fisher: {samples: 100, batch: 50}
        method: {kind: selective_amnesia, steps: 20, column_steps: 10, replay_pool: 100, validation_samples: 50}
        measure: {samples: 50, retained_samples: 50, draws: 1, feature_samples: 100, grid_samples: 2, probe_images: 100}
        relearn: {steps: 4}
        {{{more}}}
        """;

    private static void Write(string folder, string part, byte[] labels, byte[] images)
    {
        WriteIdx(Path.Combine(folder, $"{part}-images-idx3-ubyte"), [labels.Length, Side, Side], images);
        WriteIdx(Path.Combine(folder, $"{part}-labels-idx1-ubyte"), [labels.Length], labels);
    }

    private static void WriteIdx(string path, int[] shape, byte[] content)
    {
        var header = new byte[4 + (4 * shape.Length)];
        // IDX: two zeros, the type (8: unsigned bytes), the number of dimensions, their sizes big-endian.
        (header[2], header[3]) = (8, (byte)shape.Length);
        for (var i = 0; i < shape.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4 + (4 * i)), shape[i]);
        File.WriteAllBytes(path, [.. header, .. content]);
    }
}
