using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Lethe.Formats.Tests.Datasets;

public sealed class DatasetFilesTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private void Write(string name, uint[] sizes, Func<int, byte> value)
    {
        var bytes = new byte[4 + 4 * sizes.Length + (int)sizes.Aggregate(1u, (product, size) => product * size)];
        (bytes[2], bytes[3]) = (0x08, (byte)sizes.Length);
        for (var i = 0; i < sizes.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4 + 4 * i), sizes[i]);
        for (var i = 4 + 4 * sizes.Length; i < bytes.Length; i++)
            bytes[i] = value(i - 4 - 4 * sizes.Length);
        folder.Write(name, bytes);
    }

    private void WriteSet(uint images = 3, uint labels = 3, uint side = 28, byte label = 9)
    {
        foreach (var part in new[] { "train", "t10k" })
        {
            Write($"{part}-images-idx3-ubyte", [images, side, side], i => (byte)i);
            Write($"{part}-labels-idx1-ubyte", [labels], i => (byte)(label - i % 2));
        }
    }

    [Fact]
    public void A_folder_of_the_users_is_read()
    {
        WriteSet();
        var set = DatasetFiles.Find("fashion-mnist", folder.Path);
        Assert.Equal(("fashion-mnist", "Fashion-MNIST", folder.Path), (set.Name, set.Title, set.Folder));
        Assert.Equal("Ankle boot", set.LabelNames[9]);
        var train = set.Load(DatasetPart.Train);
        Assert.Equal([3L, 28L, 28L], train.Images.Shape);
        Assert.Equal(DType.UInt8, train.Images.Type);
        Assert.Equal([3L], train.Labels.Shape);
        Assert.Equal([9L, 8L, 9L], MemoryMarshal.Cast<byte, long>(train.Labels.Bytes.Span).ToArray());
    }

    [Fact]
    public void An_unknown_name_is_an_error_of_usage() =>
        Assert.Contains("mnist and fashion-mnist", Assert.Throws<UsageException>(() => DatasetFiles.Find("cifar")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_missing_set_says_which_package_or_folder_helps()
    {
        Check.Refused(() => DatasetFiles.Find("mnist", null, new SearchContext([folder.Path])), "MNIST was not found", Path.Combine(folder.Path, "data", "mnist"), "LETHE_SHARED", "train-images-idx3-ubyte.gz");
        Check.Refused(() => DatasetFiles.Find("fashion-mnist", folder.File("none")), folder.File("none"), "apt install dataset-fashion-mnist");
    }

    [Fact]
    public void A_set_with_a_missing_file_names_it()
    {
        WriteSet();
        File.Delete(folder.File("t10k-labels-idx1-ubyte"));
        Check.Refused(() => DatasetFiles.Find("mnist", folder.Path), folder.Path, "t10k-labels-idx1-ubyte", "incomplete");
    }

    [Fact]
    public void Images_and_labels_must_fit_each_other()
    {
        WriteSet(images: 3, labels: 4);
        Check.Refused(() => DatasetFiles.Find("mnist", folder.Path).Load(DatasetPart.Test), "t10k-labels", "3 images");
        WriteSet(side: 27);
        Check.Refused(() => DatasetFiles.Find("mnist", folder.Path).Load(DatasetPart.Test), "t10k-images", "[3, 27, 27]");
        WriteSet(images: 0, labels: 0);
        Check.Refused(() => DatasetFiles.Find("mnist", folder.Path).Load(DatasetPart.Train), "train-images");
    }

    [Fact]
    public void A_label_beyond_the_classes_is_refused()
    {
        WriteSet(label: 10);
        Check.Refused(() => DatasetFiles.Find("mnist", folder.Path).Load(DatasetPart.Train), "train-labels", "label 0 is 10", "0 to 9");
    }

    [Fact]
    public void The_shared_folder_is_named_or_beside_the_checkout_or_beside_the_current_folder()
    {
        Assert.Equal(["/named"], SearchContext.From("/named", "/a/b", "/c/d").Shared);
        folder.Write("Lethe.slnx", []);
        Directory.CreateDirectory(folder.File("artifacts/bin"));
        Assert.Equal([Path.GetFullPath(folder.File("../shared")), "/c/shared"], SearchContext.From(null, folder.File("artifacts/bin"), "/c/d").Shared);
        Assert.Equal(["/c/shared"], SearchContext.From("", "/", "/c/d").Shared);
    }

    [SharedFact]
    public void MNIST_is_what_it_is_known_to_be()
    {
        var set = DatasetFiles.Find("mnist", null, new SearchContext([SharedData.Root!]));
        var test = set.Load(DatasetPart.Test);
        Assert.Equal([10_000L, 28L, 28L], test.Images.Shape);
        // The test labels begin with 7 2 1 0 4; the mean shade of the training images is 0.1307.
        Assert.Equal([7L, 2L, 1L, 0L, 4L], MemoryMarshal.Cast<byte, long>(test.Labels.Bytes.Span)[..5].ToArray());
        var train = set.Load(DatasetPart.Train);
        Assert.Equal([60_000L, 28L, 28L], train.Images.Shape);
        var sum = 0L;
        foreach (var shade in train.Images.Bytes.Span)
            sum += shade;
        Assert.Equal(0.1307, sum / 255.0 / train.Images.Count, 4);
    }

    [Fact]
    public void Fashion_MNIST_is_found_where_Debian_puts_it()
    {
        if (!Directory.Exists("/usr/share/datasets/fashion-mnist"))
        {
            Check.Refused(() => DatasetFiles.Find("fashion-mnist"), "dataset-fashion-mnist");
            return;
        }
        var test = DatasetFiles.Find("fashion-mnist").Load(DatasetPart.Test);
        Assert.Equal([10_000L, 28L, 28L], test.Images.Shape);
        Assert.Equal(Enumerable.Repeat(1000, 10), MemoryMarshal.Cast<byte, long>(test.Labels.Bytes.Span).ToArray().CountBy(label => label).Select(pair => pair.Value));
    }
}
