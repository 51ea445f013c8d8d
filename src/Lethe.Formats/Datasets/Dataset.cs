using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>The half of a data set.</summary>
public enum DatasetPart
{
    /// <summary>What models are trained on.</summary>
    Train,
    /// <summary>What is held out.</summary>
    Test,
}

/// <summary>Images with their labels.</summary>
/// <param name="Images">UInt8 (N, height, width), 0 to 255.</param>
/// <param name="Labels">Int64 (N), each below the number of classes.</param>
public sealed record LabelledImages(HostArray Images, HostArray Labels);

/// <summary>A data set that was found; its files are read when they are asked for.</summary>
/// <param name="Name">As plans write it, for example fashion-mnist.</param>
/// <param name="Title">As people write it, for example Fashion-MNIST.</param>
/// <param name="Folder">Where its files are.</param>
/// <param name="LabelNames">What each label means; their number is the number of classes.</param>
public sealed record Dataset(string Name, string Title, string Folder, IReadOnlyList<string> LabelNames)
{
    /// <summary>Reads one part.</summary>
    /// <exception cref="BadInputException">A file is damaged, or images and labels do not fit each other.</exception>
    public LabelledImages Load(DatasetPart part) => DatasetFiles.Load(Folder, part, LabelNames.Count);
}
