using System.Buffers.Binary;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>Finds and reads the data sets that a machine may have: MNIST and Fashion-MNIST, as IDX files, plain or gzip.</summary>
public static class DatasetFiles
{
    private const int Side = 28;

    private static readonly DatasetDescription[] Sets =
    [
        new("mnist", "MNIST", ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
            "put its four IDX files (train-images-idx3-ubyte.gz and so on) into a folder and name that folder, or set LETHE_SHARED to a folder that holds them in data/mnist",
            context => context.Shared.Select(root => Path.Combine(root, "data", "mnist"))),
        // Class names: the data set's README (zalandoresearch/fashion-mnist).
        new("fashion-mnist", "Fashion-MNIST", ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
            "install Debian's package with 'apt install dataset-fashion-mnist', or name a folder that holds its four IDX files",
            _ => ["/usr/share/datasets/fashion-mnist"]),
    ];

    /// <summary>The names of the known data sets, as plans write them.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Sets.Select(set => set.Name)];

    /// <summary>What the labels of a data set mean, whether or not its files are here.</summary>
    /// <param name="name">Its name in plans.</param>
    /// <returns>The names in order; null if there is no such data set.</returns>
    public static IReadOnlyList<string>? LabelNamesOf(string name) => Array.Find(Sets, set => set.Name == name)?.LabelNames;

    /// <summary>Finds a data set.</summary>
    /// <param name="name">mnist or fashion-mnist.</param>
    /// <param name="folder">The folder that holds the four files; null to look where the set usually is.</param>
    /// <exception cref="UsageException">There is no data set of that name.</exception>
    /// <exception cref="BadInputException">Its files are not there; the message says which package or folder helps.</exception>
    public static Dataset Find(string name, string? folder = null) => Find(name, folder, SearchContext.Machine());

    internal static Dataset Find(string name, string? folder, SearchContext context)
    {
        var set = Array.Find(Sets, set => set.Name == name)
            ?? throw new UsageException($"There is no data set '{name}'; known are {string.Join(" and ", Names)}.");
        var places = folder is not null ? [folder] : set.Places(context).ToList();
        foreach (var place in places)
            if (Missing(place) is null)
                return new Dataset(set.Name, set.Title, place, set.LabelNames);
        throw new BadInputException(places.Count == 1 && Directory.Exists(places[0])
            ? $"{places[0]}: {set.Title} is incomplete there: {Missing(places[0])} is missing, plain or as .gz; {set.Remedy}."
            : $"{set.Title} was not found{(places.Count == 0 ? "" : $" in {string.Join(" nor in ", places)}")}; {set.Remedy}.");
    }

    /// <summary>Reads one part of a data set whose files are in a folder.</summary>
    internal static LabelledImages Load(string folder, DatasetPart part, int classes)
    {
        var (imagesPath, labelsPath) = (Existing(folder, FileName(part, images: true))!, Existing(folder, FileName(part, images: false))!);
        var (images, labels) = (IdxFile.Read(imagesPath), IdxFile.Read(labelsPath));
        if (images.Type != DType.UInt8 || images.Shape is not [> 0, Side, Side])
            throw InputFile.Refuse(imagesPath, $"holds {images.Type} {ElementChecks.Show(images.Shape)}; images are UInt8 [N, {Side}, {Side}].");
        if (labels.Type != DType.UInt8 || labels.Shape.Count != 1 || labels.Shape[0] != images.Shape[0])
            throw InputFile.Refuse(labelsPath, $"holds {labels.Type} {ElementChecks.Show(labels.Shape)}; {images.Shape[0]} images need labels UInt8 [{images.Shape[0]}].");
        var wide = new byte[labels.Bytes.Length * sizeof(long)];
        for (var i = 0; i < labels.Bytes.Length; i++)
        {
            var label = labels.Bytes.Span[i];
            if (label >= classes)
                throw InputFile.Refuse(labelsPath, $"label {i} is {label}; the data set has the classes 0 to {classes - 1}.");
            BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(i * sizeof(long)), label);
        }
        return new LabelledImages(images, new HostArray(DType.Int64, labels.Shape, wide));
    }

    /// <summary>The first of the four files that a folder lacks; null if it has all.</summary>
    private static string? Missing(string folder) =>
        (from part in Enum.GetValues<DatasetPart>()
         from images in new[] { true, false }
         let file = FileName(part, images)
         where Existing(folder, file) is null
         select file).FirstOrDefault();

    private static string FileName(DatasetPart part, bool images) =>
        $"{(part == DatasetPart.Train ? "train" : "t10k")}-{(images ? "images-idx3" : "labels-idx1")}-ubyte";

    private static string? Existing(string folder, string file) =>
        new[] { file, file + ".gz" }.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <param name="Name">As plans write it.</param>
    /// <param name="Title">As people write it.</param>
    /// <param name="LabelNames">What each label means.</param>
    /// <param name="Remedy">What to do where it is missing.</param>
    /// <param name="Places">Folders where it may be.</param>
    private sealed record DatasetDescription(string Name, string Title, IReadOnlyList<string> LabelNames, string Remedy, Func<SearchContext, IEnumerable<string>> Places);
}
