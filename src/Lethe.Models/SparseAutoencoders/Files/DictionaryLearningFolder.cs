using System.Globalization;
using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Files;

/// <summary>
/// A folder of saprmarks/dictionary_learning: ae.pt (a state dict) and config.json. AutoEncoder (ReLU), AutoEncoderTopK and BatchTopKSAE, whose encoder uses
/// the threshold as that library does, so that it is a JumpReLU autoencoder here.
/// </summary>
public static class DictionaryLearningFolder
{
    /// <summary>The weights' file.</summary>
    public const string WeightsName = "ae.pt";

    /// <summary>The configuration's file.</summary>
    public const string ConfigurationName = "config.json";

    private static readonly string[] Classes = ["AutoEncoder", "AutoEncoderTopK", "BatchTopKSAE"];

    /// <summary>Reads a folder, or its ae.pt; without a config.json the class is told from the tensors, and the site is unknown.</summary>
    /// <exception cref="BadInputException">A file is missing, damaged, or of a class that is not read.</exception>
    public static SparseAutoencoder Read(string path, DType type = DType.Float32, Device? device = null)
    {
        var weights = Directory.Exists(path) ? Path.Combine(path, WeightsName) : path;
        var config = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(weights))!, ConfigurationName);
        using var file = TorchCheckpoint.Open(weights);
        var trainer = File.Exists(config) ? JsonObject.Read(config).Object("trainer") : null;
        var kind = trainer?.Text("dict_class") ?? (file.Contains("bias") ? Classes[0] : file.Contains("threshold") ? Classes[2] : Classes[1]);
        if (!Classes.Contains(kind))
            throw new BadInputException($"{config}: 'dict_class' is '{kind}'; {string.Join(", ", Classes)} are read.");
        var arrays = file.ReadAll().ToDictionary();
        if (!arrays.TryGetValue("encoder.weight", out var encoder) || encoder.Shape is not [var width, var inputs])
            throw new BadInputException($"{weights}: has no matrix 'encoder.weight'; it is no {kind} of dictionary_learning.");
        Agree(config, "activation_dim", trainer?.Whole("activation_dim"), inputs);
        Agree(config, "dict_size", trainer?.Whole("dict_size"), width);
        using var scope = new TensorScope();
        var active = kind == Classes[0] ? null : Number(weights, file, arrays, "k") ?? trainer?.Whole("k");
        var threshold = kind == Classes[0] ? null : Number(weights, file, arrays, "threshold");
        var state = new Dictionary<string, HostArray>
        {
            ["W_enc"] = Transposed(weights, arrays, "encoder.weight"),
            ["W_dec"] = Transposed(weights, arrays, "decoder.weight"),
        };
        Rename(arrays, state, "encoder.bias", "b_enc");
        Rename(arrays, state, kind == Classes[0] ? "bias" : "b_dec", "b_dec");
        if (kind == Classes[2])
            state["threshold"] = threshold is { } value
                ? Tensor.Full([width], value).ToHost()
                : throw new BadInputException($"{weights}: has no 'threshold', without which a BatchTopKSAE cannot encode.");
        foreach (var (name, array) in arrays)
            state.Add(name, array); // refused by name
        return Architectures.Create(new SparseAutoencoderConfiguration
        {
            Architecture = kind == Classes[0] ? ReluAutoencoder.Name : kind == Classes[1] ? TopKAutoencoder.Name : JumpReluAutoencoder.Name,
            InputSize = inputs,
            Width = width,
            Active = kind != Classes[1] ? 0 : (long?)active ?? throw new BadInputException($"{weights}: has no 'k', the number of active latents."),
            Site = trainer?.Text("submodule_name") is { } name2 ? SiteNames.OfSubmodule(name2, trainer.Whole("layer")) : null,
            Model = trainer?.Text("lm_name"),
        }, state, weights, type, device);
    }

    private static void Agree(string config, string key, long? stated, long found)
    {
        if (stated is { } value && value != found)
            throw new BadInputException($"{config}: '{key}' is {value}; the tensors in {WeightsName} say {found}.");
    }

    // The library saves k and threshold as tensors without dimensions; some copies hold plain numbers.
    private static double? Number(string weights, TorchCheckpoint file, Dictionary<string, HostArray> arrays, string name)
    {
        if (arrays.Remove(name, out var array))
            return array.Count == 1
                ? Tensor.From(array).To(DType.Float64).Reshape(1).ToArray<double>()[0]
                : throw new BadInputException($"{weights}: '{name}' has shape [{string.Join(", ", array.Shape)}]; one number is needed.");
        return file.Values.TryGetValue(name, out var value) && value is long or double ? Convert.ToDouble(value, CultureInfo.InvariantCulture) : null;
    }

    private static HostArray Transposed(string weights, Dictionary<string, HostArray> arrays, string name) => arrays.Remove(name, out var array) && array.Shape.Count == 2
        ? Tensor.From(array).T().Contiguous().ToHost()
        : throw new BadInputException($"{weights}: has no matrix '{name}'.");

    private static void Rename(Dictionary<string, HostArray> arrays, Dictionary<string, HostArray> state, string from, string to)
    {
        if (arrays.Remove(from, out var array))
            state[to] = array;
    }
}
