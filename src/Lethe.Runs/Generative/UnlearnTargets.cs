using Lethe.Formats;
using Lethe.Models.Generative;
using Lethe.Runs.Results;
using Lethe.Torch;
using Lethe.Unlearning.Generative;

namespace Lethe.Runs.Generative;

/// <summary>A concept of a plan with its number and its surrogate in words.</summary>
/// <param name="Label">Its condition.</param>
/// <param name="Name">Its name.</param>
/// <param name="Plan">Its surrogate.</param>
/// <param name="Target">The label that it is mapped to; null unless the surrogate is a label.</param>
public sealed record UnlearnConcept(int Label, string Name, SurrogatePlan Plan, int? Target)
{
    /// <summary>The kind of surrogate, a code of <see cref="Surrogates"/>.</summary>
    public string Kind => Plan switch { NoisePlan => Surrogates.Noise, LabelPlan => Surrogates.Label, ImagesPlan => Surrogates.Images, _ => Surrogates.Blend };
}

/// <summary>What a plan forgets and keeps, checked against the labels that there are.</summary>
public sealed class UnlearnTargets
{
    private readonly IReadOnlyList<string> labels;
    private readonly string planFile;
    private readonly Dictionary<ImagesPlan, HostArray> images = [];

    /// <summary>Reads the plan's labels and images.</summary>
    /// <exception cref="UsageException">A label does not exist, is named twice, or is its own surrogate.</exception>
    /// <exception cref="BadInputException">A folder of images is empty, or an image has another size.</exception>
    public UnlearnTargets(ImageUnlearnPlan plan, IReadOnlyList<string> labels, string planFile)
    {
        this.labels = labels;
        this.planFile = planFile;
        Concepts = [.. plan.Forget.Select((forget, k) => Concept(forget, $"forget[{k}]"))];
        int[] forgotten = [.. Concepts.Select(concept => concept.Label)];
        if (forgotten.GroupBy(label => label).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new UsageException($"forget names {labels[twice.Key]} twice; name it once.");
        Retained = plan.Retain.Count > 0
            ? [.. plan.Retain.Select(word => Labels.Find(word, labels, "retain")).Distinct()]
            : [.. Enumerable.Range(0, labels.Count).Except(forgotten)];
        if (Retained.Intersect(forgotten).Select(label => (int?)label).FirstOrDefault() is { } both)
            throw new UsageException($"{labels[both]} is to be forgotten and retained; leave it out of one of the two.");
        if (Retained.Count == 0)
            throw new UsageException("Every label is to be forgotten; at least one must stay.");
    }

    /// <summary>What is forgotten.</summary>
    public IReadOnlyList<UnlearnConcept> Concepts { get; }

    /// <summary>What must stay.</summary>
    public IReadOnlyList<int> Retained { get; }

    /// <summary>Digests of the user's images, as inputs of the stage.</summary>
    public IReadOnlyList<StageInput> ImageInputs =>
        [.. images.Values.Select((array, k) => new StageInput($"images-{k}", Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(array.Bytes.Span))))];

    /// <summary>The part of a label in the run, a code of <see cref="Roles"/>.</summary>
    public string Role(int label) =>
        Concepts.Any(concept => concept.Label == label) ? Roles.Forgotten : Retained.Contains(label) ? Roles.Retained : Roles.Free;

    /// <summary>The surrogates, made from a model that has not changed yet.</summary>
    public IReadOnlyList<ForgetTarget> Make(IConditionalLikelihood frozen, RandomStream random) =>
        [.. Concepts.Select(concept => new ForgetTarget(concept.Label, Surrogate(concept.Plan, frozen, random)))];

    /// <summary>One concept's surrogate.</summary>
    public ISurrogate Surrogate(SurrogatePlan plan, IConditionalLikelihood frozen, RandomStream random) => plan switch
    {
        NoisePlan => new NoiseSurrogate(frozen),
        LabelPlan label => new LabelSurrogate(frozen, Labels.Find(label.Target, labels, "target"), label.Samples, random),
        ImagesPlan folder => new ImagesSurrogate(Tensor.From(images[folder])),
        BlendPlan blend => new BlendSurrogate(Surrogate(blend.First, frozen, random), Surrogate(blend.Second, frozen, random), blend.Weight),
        _ => throw new NotSupportedException($"{plan.GetType().Name} is no kind of surrogate."),
    };

    /// <summary>A surrogate in words, in English; reports have words of their own for the kinds.</summary>
    public string Words(SurrogatePlan plan) => plan switch
    {
        NoisePlan => "uniform noise",
        LabelPlan label => $"samples of {labels[Labels.Find(label.Target, labels, "target")]}",
        ImagesPlan folder => $"{images[folder].Shape[0]} images given by the user",
        BlendPlan blend => FormattableString.Invariant($"{blend.Weight:0.##} × ({Words(blend.First)}) + {1 - blend.Weight:0.##} × ({Words(blend.Second)})"),
        _ => plan.GetType().Name,
    };

    private UnlearnConcept Concept(ForgetPlan forget, string key)
    {
        var label = Labels.Find(forget.Label, labels, $"{key}.label");
        Check(forget.Surrogate, label, $"{key}.surrogate");
        return new UnlearnConcept(label, labels[label], forget.Surrogate, forget.Surrogate is LabelPlan mapped ? Labels.Find(mapped.Target, labels, $"{key}.surrogate.target") : null);
    }

    private void Check(SurrogatePlan plan, int label, string key)
    {
        switch (plan)
        {
            case LabelPlan mapped when Labels.Find(mapped.Target, labels, $"{key}.target") == label:
                throw new UsageException($"{key}.target is '{mapped.Target}', which is the concept to forget itself; a surrogate must be something else.");
            case BlendPlan blend:
                Check(blend.First, label, $"{key}.first");
                Check(blend.Second, label, $"{key}.second");
                break;
            case ImagesPlan folder:
                images[folder] = ReadImages(PlanPaths.Resolve(folder.Folder, planFile), key);
                break;
        }
    }

    private static HostArray ReadImages(string folder, string key)
    {
        if (!Directory.Exists(folder))
            throw new BadInputException($"{key}.folder is '{folder}', which is no folder.");
        var rows = new List<float[]>();
        foreach (var file in Directory.GetFiles(folder, "*.png").Order(StringComparer.Ordinal))
        {
            var image = Png.Read(file);
            if (image.Width != 28 || image.Height != 28)
                throw new BadInputException($"{file}: the image is {image.Width} × {image.Height}; the model makes images of 28 × 28.");
            rows.Add([.. image.ToArray(1, file).Bytes.ToArray().Select(value => value / 255f)]);
        }
        if (rows.Count == 0)
            throw new BadInputException($"{folder}: there is no PNG file; a surrogate of images needs at least one.");
        float[] all = [.. rows.SelectMany(row => row)];
        return new HostArray(DType.Float32, [rows.Count, rows[0].Length], System.Runtime.InteropServices.MemoryMarshal.AsBytes(all.AsSpan()).ToArray());
    }
}
