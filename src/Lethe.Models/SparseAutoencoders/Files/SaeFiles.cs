using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Files;

/// <summary>Opens an autoencoder in whatever layout users hold it.</summary>
public static class SaeFiles
{
    /// <summary>Reads an autoencoder.</summary>
    /// <param name="path">
    /// A folder of SAELens (cfg.json) or dictionary_learning (ae.pt), a folder with params.npz of Gemma Scope, one of these files, or a safetensors or torch file with tensors named as SAELens names
    /// them and nothing beside it (ReLU, or JumpReLU if it has thresholds; no site is known). A run's folder stands for its model/.
    /// </param>
    /// <param name="type">Element type to compute in.</param>
    /// <param name="device">Where to.</param>
    /// <exception cref="BadInputException">There is nothing of the kind, or it is damaged.</exception>
    public static SparseAutoencoder Read(string path, DType type = DType.Float32, Device? device = null)
    {
        if (Directory.Exists(path))
            return ReadFolder(path, type, device);
        if (!File.Exists(path))
            throw new BadInputException($"{path}: there is no such autoencoder; give a folder of SAELens or dictionary_learning, a params.npz of Gemma Scope, or a safetensors file.");
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return Path.GetExtension(path) switch
        {
            ".npz" => GemmaScopeFile.Read(path, type, device),
            ".safetensors" when Path.GetFileName(path) == SaeLensFolder.WeightsName && File.Exists(Path.Combine(folder, SaeLensFolder.ConfigurationName)) => SaeLensFolder.Read(folder, type, device),
            ".json" when Path.GetFileName(path) == SaeLensFolder.ConfigurationName => SaeLensFolder.Read(folder, type, device),
            ".safetensors" => ReadBare(path, type, device),
            ".pt" or ".pth" => DictionaryLearningFolder.Read(path, type, device),
            var other => throw new BadInputException($"{path}: '{other}' is no file of an autoencoder; .npz, .safetensors, .pt and folders are read."),
        };
    }

    private static SparseAutoencoder ReadFolder(string path, DType type, Device? device)
    {
        bool Has(string name) => File.Exists(Path.Combine(path, name));
        if (Has(SaeLensFolder.ConfigurationName))
            return SaeLensFolder.Read(path, type, device);
        if (Has(DictionaryLearningFolder.WeightsName))
            return DictionaryLearningFolder.Read(path, type, device);
        if (Has(GemmaScopeFile.Name))
            return GemmaScopeFile.Read(Path.Combine(path, GemmaScopeFile.Name), type, device);
        if (Directory.Exists(Path.Combine(path, "model")))
            return ReadFolder(Path.Combine(path, "model"), type, device);
        // A training at several sites has a folder for each.
        var inside = Inside(path);
        return inside.Length switch
        {
            1 => SaeLensFolder.Read(inside[0], type, device),
            > 1 => throw new BadInputException($"{path}: holds {inside.Length} autoencoders; name one of them: {string.Join(", ", inside.Take(8).Select(Path.GetFileName))}."),
            _ => throw new BadInputException($"{path}: holds no autoencoder: neither {SaeLensFolder.ConfigurationName}, {DictionaryLearningFolder.WeightsName} nor {GemmaScopeFile.Name} is there."),
        };
    }

    /// <summary>All autoencoders that a path means: those of a training at several sites, where it is a run or its folder of them; else the path itself.</summary>
    /// <param name="path">A folder, a file or a run; it need not exist.</param>
    public static IReadOnlyList<string> AllOf(string path)
    {
        // As Read sees it: what is an autoencoder itself is that one, whatever lies in folders beside its files.
        if (!Directory.Exists(path) || new[] { SaeLensFolder.ConfigurationName, DictionaryLearningFolder.WeightsName, GemmaScopeFile.Name }.Any(name => File.Exists(Path.Combine(path, name))))
            return [path];
        var model = Path.Combine(path, "model");
        return Inside(Directory.Exists(model) ? model : path) is { Length: > 1 } several ? several : [path];
    }

    private static string[] Inside(string folder) =>
        [.. Directory.GetDirectories(folder).Where(inside => File.Exists(Path.Combine(inside, SaeLensFolder.ConfigurationName))).Order(StringComparer.Ordinal)];

    private static SparseAutoencoder ReadBare(string path, DType type, Device? device)
    {
        using var file = SafetensorsFile.Open(path);
        var arrays = file.ReadAll().ToDictionary();
        if (!arrays.TryGetValue("W_enc", out var encoder) || encoder.Shape is not [var inputs, var width] || !arrays.TryGetValue("W_dec", out var decoder) || decoder.Shape.Count != 2)
            throw new BadInputException($"{path}: has no matrices 'W_enc' and 'W_dec'; it is no autoencoder.");
        if (inputs != width && arrays.TryGetValue("b_dec", out var bias) && bias.Shape.SequenceEqual([width]))
        {
            // Matrices as torch's Linear holds them, outputs first.
            using var scope = new TensorScope();
            (inputs, width) = (width, inputs);
            arrays["W_enc"] = Tensor.From(encoder).T().Contiguous().ToHost();
            arrays["W_dec"] = Tensor.From(decoder).T().Contiguous().ToHost();
        }
        return Architectures.Create(new SparseAutoencoderConfiguration
        {
            Architecture = arrays.ContainsKey("threshold") ? JumpReluAutoencoder.Name : arrays.ContainsKey("r_mag") ? GatedAutoencoder.Name : ReluAutoencoder.Name,
            InputSize = inputs,
            Width = width,
            SubtractDecoderBias = !arrays.ContainsKey("threshold"),
        }, arrays, path, type, device);
    }
}
