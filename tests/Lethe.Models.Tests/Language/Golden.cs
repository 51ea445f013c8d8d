using Lethe.Formats;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language;

/// <summary>The models of tests/Fixtures/language, and what transformers computed with them.</summary>
internal static class Golden
{
    /// <summary>Every family, one directory each.</summary>
    public static readonly string[] Names = ["llama", "llama3_scaled", "mistral", "qwen2", "qwen3", "gemma2", "gpt2", "gpt_neox"];

    public static string Folder(string name) => Repository.Fixture("language", name);

    public static LanguageModelConfiguration Configuration(string name, string file = "config.json") => LanguageModelConfiguration.FromJson(Path.Combine(Folder(name), file));

    public static LoadedModel Load(string name, LoadOptions? options = null, string file = "config.json")
    {
        var weights = new SafetensorsWeights(Folder(name));
        return new(CausalLanguageModel.Create(Configuration(name, file), weights, options ?? new()), weights);
    }

    public static Tensor Value(string name, string tensor)
    {
        using var file = SafetensorsFile.Open(Path.Combine(Folder(name), "golden.safetensors"));
        return Tensor.From(file.Read(tensor));
    }

    /// <summary>The largest difference over max(1, |x|), where a mask (rows, tokens) is not 0.</summary>
    public static double Difference(Tensor expected, Tensor actual, Tensor? mask = null)
    {
        Assert.Equal(expected.Shape.ToArray(), actual.Shape.ToArray());
        var (x, y) = (expected.To(DType.Float64), actual.To(DType.Float64));
        var difference = (x - y).Abs() / x.Abs().Clamp(1.0);
        if (mask is not null)
            difference = difference.MaskedFill(mask.Eq(0).Unsqueeze(-1), 0.0);
        return difference.Max().Item();
    }
}

/// <summary>A model and the file that it reads rows from.</summary>
internal sealed record LoadedModel(CausalLanguageModel Model, IWeightSource Weights) : IDisposable
{
    public void Dispose()
    {
        Model.Dispose();
        Weights.Dispose();
    }
}

/// <summary>Safetensors as weights, and a note of what was read of them.</summary>
internal sealed class SafetensorsWeights(string path) : IWeightSource
{
    private readonly SafetensorsModel model = SafetensorsModel.Open(path);

    public HashSet<string> Touched { get; } = [];

    public IReadOnlyCollection<string> Names => [.. model.Entries.Select(entry => entry.Name)];

    public bool Contains(string name) => model.Contains(name);

    public (long[] Shape, DType Stored) Describe(string name) => ([.. model.Entry(name).Shape], model.FileOf(name).TypeOf(name));

    public HostArray Read(string name)
    {
        Touched.Add(name);
        return model.Read(name);
    }

    public HostArray ReadRows(string name, ReadOnlySpan<long> rows)
    {
        Touched.Add(name);
        var (shape, type) = Describe(name);
        var width = (int)(shape[1] * type.Size());
        var bytes = new byte[rows.Length * width];
        for (var k = 0; k < rows.Length; k++)
            model.FileOf(name).Span(name).Slice((int)rows[k] * width, width).CopyTo(bytes.AsSpan(k * width));
        return new HostArray(type, [rows.Length, shape[1]], bytes);
    }

    public void ReadRows(string name, long first, long count, Span<byte> destination)
    {
        Touched.Add(name);
        var bytes = model.FileOf(name).Span(name);
        bytes.Slice((int)(first * (bytes.Length / Describe(name).Shape[0])), destination.Length).CopyTo(destination);
    }

    public string Where(string name) => model.FileOf(name).Path;

    public void Dispose() => model.Dispose();
}
