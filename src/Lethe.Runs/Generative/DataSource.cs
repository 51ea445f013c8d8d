using Lethe.Formats;
using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Runs.Generative;

/// <summary>A plan's data set: found at once, read when it is needed, and read once.</summary>
public sealed class DataSource : IDisposable
{
    /// <summary>Pixels of an image: 28 × 28 in every data set that there is.</summary>
    public const long Pixels = 28 * 28;

    // Two for each group of the Fréchet distance's jackknife.
    private const int LeastRetained = 40;

    private readonly Dataset dataset;
    private ImageTensors? train, test;
    private string? digest;

    /// <summary>Finds the data set.</summary>
    /// <exception cref="BadInputException">It is not there; the message says what helps.</exception>
    public DataSource(DataPlan plan, string planFile) =>
        dataset = DatasetFiles.Find(plan.Dataset, plan.Folder is null ? null : PlanPaths.Resolve(plan.Folder, planFile));

    /// <summary>As people write it.</summary>
    public string Title => dataset.Title;

    /// <summary>What each label means.</summary>
    public IReadOnlyList<string> LabelNames => dataset.LabelNames;

    /// <summary>What models learn from.</summary>
    public ImageTensors Train => train ??= Load(DatasetPart.Train);

    /// <summary>What is held out.</summary>
    public ImageTensors Test => test ??= Load(DatasetPart.Test);

    /// <summary>SHA-256 over the data set's files, as the input of a stage.</summary>
    public StageInput Input => new("data", digest ??= CanonicalJson.Digest(
        Directory.GetFiles(dataset.Folder).Where(file => Path.GetFileName(file).Contains("-ubyte", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(file => new[] { Path.GetFileName(file), FolderTree.Sha256(file) })));

    /// <summary>Refuses data that a measurement would fail on only after the work.</summary>
    /// <param name="retained">Labels that must stay.</param>
    /// <param name="learned">Labels that relearning needs training images of.</param>
    /// <exception cref="BadInputException">A label has no test image, too few show what must stay, or a label has no training image.</exception>
    public void Require(IReadOnlyList<int> retained, IEnumerable<int> learned)
    {
        int[] Count(ImageTensors images)
        {
            var counts = new int[LabelNames.Count];
            foreach (var label in images.Labels.ToArray<long>())
                counts[label]++;
            return counts;
        }
        var tested = Count(Test);
        if (Array.IndexOf(tested, 0) is var untested and >= 0)
            throw new BadInputException($"{dataset.Folder}: no test image shows {LabelNames[untested]}; every label is measured on real images.");
        if (retained.Sum(label => tested[label]) is var kept and < LeastRetained)
            throw new BadInputException($"{dataset.Folder}: {kept} test images show what must stay; the Fréchet distance needs {LeastRetained}.");
        foreach (var label in learned)
            if (Count(Train)[label] == 0)
                throw new BadInputException($"{dataset.Folder}: no training image shows {LabelNames[label]}; relearning needs some. Set relearn.enabled to false to leave it out.");
    }

    /// <summary>Values in [0, 1] of the test images, (N, pixels), and their labels; the caller's scope owns them.</summary>
    public (Tensor Images, Tensor Labels) TestValues()
    {
        using var scope = new TensorScope();
        return (scope.Keep(Test.Images.To(DType.Float32) / 255), scope.Keep(Test.Labels.Clone()));
    }

    /// <summary>Frees the images.</summary>
    public void Dispose()
    {
        train?.Dispose();
        test?.Dispose();
    }

    private ImageTensors Load(DatasetPart part)
    {
        var read = dataset.Load(part);
        return ImageTensors.From(read.Images, read.Labels);
    }
}
