using Lethe.Formats;
using Lethe.Models.Generative;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Generative;

/// <summary>Samples that were written as a picture.</summary>
/// <param name="File">The picture.</param>
/// <param name="Model">The model's file.</param>
/// <param name="ModelDigest">SHA-256 of it.</param>
/// <param name="Labels">The conditions, a row each where there are several.</param>
/// <param name="Count">Samples of each.</param>
/// <param name="Seed">What decided the noise.</param>
public sealed record GeneratedImages(string File, string Model, string ModelDigest, IReadOnlyList<int> Labels, int Count, long Seed)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.generate/1";
}

/// <summary>Draws samples of a conditional generator into a picture.</summary>
public static class SampleImages
{
    /// <summary>Draws and writes. Call on the torch thread.</summary>
    /// <param name="path">The model: a file, a folder or a run.</param>
    /// <param name="labels">Conditions by number, or by name where the run's plan says what they mean; none for all.</param>
    /// <param name="count">Samples of each condition; every condition has the same latents, so that a column shows what the label alone changes.</param>
    /// <param name="output">The PNG file.</param>
    /// <param name="seed">Decides the noise.</param>
    /// <exception cref="UsageException">A label does not exist, or the file cannot be written.</exception>
    /// <exception cref="BadInputException">There is no model, it is damaged, or its images are not square.</exception>
    public static GeneratedImages Draw(string path, IReadOnlyList<string> labels, int count, string output, long seed)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var file = ModelFiles.Read(path);
        using var model = ConditionalVae.FromState(file.Tensors);
        var side = (long)Math.Sqrt(model.Options.Pixels);
        if (side * side != model.Options.Pixels)
            throw new BadInputException($"{file.File}: the model's images have {model.Options.Pixels} pixels, which is no square; only square images can be drawn.");
        var names = NamesOf(path, model.Conditions);
        int[] conditions = labels.Count == 0 ? [.. Enumerable.Range(0, model.Conditions)] : [.. labels.Select(label => Labels.Find(label, names, "--label"))];
        using var random = new RandomStream(RandomStream.ChildSeed((ulong)seed, "generate"));
        var latents = model.DrawLatents(count, random);
        var images = Tensor.Cat([.. conditions.Select(condition => model.Generate(latents, Tensor.Full([count], condition, DType.Int64)))]);
        AtomicFile.WriteAllBytes(output, SampleGrid.Render(images.View(conditions.Length * (long)count, side, side).ToHost(), new SampleGridOptions { Columns = conditions.Length > 1 ? count : null, Scale = 2 }));
        return new GeneratedImages(output, file.File, file.Sha256, conditions, count, seed);
    }

    /// <summary>What the conditions mean: known of a run, by its plan's data set; numbers otherwise.</summary>
    private static IReadOnlyList<string> NamesOf(string path, int conditions)
    {
        var plan = new RunPaths(path).Plan;
        if (File.Exists(plan) && PlanParser.Parse(PlanReader.Text(plan), plan) is PlanMap keys
            && keys.Find("data")?.Value is PlanMap data && data.Find("dataset")?.Value is PlanScalar name
            && DatasetFiles.LabelNamesOf(name.Text) is { } names && names.Count == conditions)
            return names;
        return [.. Enumerable.Range(0, conditions).Select(number => number.ToString(System.Globalization.CultureInfo.InvariantCulture))];
    }
}
