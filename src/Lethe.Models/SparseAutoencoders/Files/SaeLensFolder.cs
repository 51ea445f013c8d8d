using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Files;

/// <summary>
/// A folder of SAELens: cfg.json and sae_weights.safetensors, of version 6 and of those before. Lethe's own autoencoders are saved this way, so that SAELens
/// loads them.
/// </summary>
public static class SaeLensFolder
{
    /// <summary>The configuration's file.</summary>
    public const string ConfigurationName = "cfg.json";

    /// <summary>The weights' file.</summary>
    public const string WeightsName = "sae_weights.safetensors";

    /// <summary>log10 of how often each latent is active.</summary>
    public const string SparsityName = "sparsity.safetensors";

    // What SAELens called the keys before version 6.
    private static readonly (string Old, string New)[] Renamed = [("hook_point", "hook_name"), ("hook_point_layer", "hook_layer"), ("activation_fn_str", "activation_fn")];

    private static readonly JsonSerializerOptions Written = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads a folder.</summary>
    /// <exception cref="BadInputException">A file is missing, damaged, or asks for what is not known.</exception>
    public static SparseAutoencoder Read(string folder, DType type = DType.Float32, Device? device = null)
    {
        var path = Path.Combine(folder, ConfigurationName);
        var weights = Path.Combine(folder, WeightsName);
        var json = JsonObject.Read(path);
        // Version 6 keeps what is about the model below "metadata" ("meta" in its first releases); before, all lay side by side.
        var old = !json.Has("metadata") && !json.Has("meta");
        var about = old ? json : json.Object(json.Has("metadata") ? "metadata" : "meta");
        var architecture = json.Text("architecture") ?? "standard";
        var activation = Renamed.Where(pair => pair.New == "activation_fn").Select(pair => json.Text(pair.Old)).FirstOrDefault(text => text is not null) ?? json.Text("activation_fn") ?? "relu";
        if (old && architecture == "standard" && activation is "topk" or "TopK")
            architecture = TopKAutoencoder.Name;
        else if (old && architecture == "standard" && activation != "relu")
            throw json.Wrong(json.Has("activation_fn") ? "activation_fn" : "activation_fn_str", "'relu' or 'topk'");
        using var file = SafetensorsFile.Open(weights);
        var arrays = file.ReadAll().ToDictionary();
        Clean(weights, arrays);
        var hook = about.Text("hook_name") ?? about.Text("hook_point");
        var configuration = new SparseAutoencoderConfiguration
        {
            Architecture = architecture,
            InputSize = json.Size("d_in"),
            Width = json.Size("d_sae"),
            SubtractDecoderBias = json.Truth("apply_b_dec_to_input") ?? true,
            Normalisation = Normalisation(json),
            Heads = (json.Text("reshape_activations") ?? (old && hook?.EndsWith("_z", StringComparison.Ordinal) == true ? "hook_z" : "none")) switch
            {
                "none" => false,
                "hook_z" => true,
                _ => throw json.Wrong("reshape_activations", "'none' or 'hook_z'"),
            },
            Active = architecture != TopKAutoencoder.Name ? 0 : json.Whole("k") ?? json.Object("activation_fn_kwargs").Whole("k") ?? throw json.Wrong("k", "the number of active latents"),
            ScaleByDecoderNorm = json.Truth("rescale_acts_by_decoder_norm") ?? false,
            Site = hook is null ? null : SiteNames.Parse(hook),
            Model = about.Text("model_name"),
            ContextSize = about.Whole("context_size"),
            ActivationNorm = about.Real("lethe_activation_norm"),
        };
        return Architectures.Create(configuration, arrays, weights, type, device);
    }

    /// <summary>Writes cfg.json, sae_weights.safetensors and, where it is known, sparsity.safetensors.</summary>
    /// <param name="sae">The autoencoder; written in its element type.</param>
    /// <param name="folder">An existing folder.</param>
    /// <param name="frequency">How often each latent is active, 0 to 1, (K); null if that was not measured.</param>
    public static void Write(SparseAutoencoder sae, string folder, IReadOnlyList<double>? frequency = null)
    {
        var configuration = sae.Configuration;
        var about = new System.Text.Json.Nodes.JsonObject
        {
            ["model_name"] = configuration.Model,
            ["hook_name"] = configuration.Site is null ? null : SiteNames.Hook(configuration.Site),
            ["context_size"] = configuration.ContextSize,
            ["lethe_activation_norm"] = configuration.ActivationNorm,
        };
        foreach (var (key, value) in configuration.Training)
            about["lethe_" + key] = value;
        var json = new System.Text.Json.Nodes.JsonObject
        {
            ["architecture"] = configuration.Architecture,
            ["d_in"] = configuration.InputSize,
            ["d_sae"] = configuration.Width,
            ["dtype"] = sae.Encoder.DType.ToString().ToLowerInvariant(),
            ["device"] = "cpu",
            ["apply_b_dec_to_input"] = configuration.SubtractDecoderBias,
            ["normalize_activations"] = configuration.Normalisation switch { InputNormalisation.None => "none", InputNormalisation.ConstantNorm => "constant_norm_rescale", _ => "layer_norm" },
            ["reshape_activations"] = configuration.Heads ? "hook_z" : "none",
        };
        if (configuration.Architecture == TopKAutoencoder.Name)
        {
            json["k"] = configuration.Active;
            json["rescale_acts_by_decoder_norm"] = configuration.ScaleByDecoderNorm;
        }
        json["metadata"] = about;
        SafetensorsWriter.Write(Path.Combine(folder, WeightsName), sae.StateDict());
        if (frequency is not null)
            SafetensorsWriter.Write(Path.Combine(folder, SparsityName), new Dictionary<string, HostArray> { ["sparsity"] = LogFrequency(frequency) });
        AtomicFile.WriteAllText(Path.Combine(folder, ConfigurationName), json.ToJsonString(Written) + "\n");
    }

    private static HostArray LogFrequency(IReadOnlyList<double> frequency)
    {
        using var scope = new TensorScope();
        return Tensor.FromArray(frequency.Select(share => (float)Math.Log10(share + 1e-10)).ToArray()).ToHost(); // SAELens adds 1e-10
    }

    private static InputNormalisation Normalisation(JsonObject json)
    {
        const string Key = "normalize_activations";
        // Once it was true or false; true, as "expected_average_only_in", is folded into the weights when they are saved.
        if (json.IsTruth(Key))
            return InputNormalisation.None;
        return json.Text(Key) switch
        {
            null or "none" or "expected_average_only_in" => InputNormalisation.None,
            "constant_norm_rescale" => InputNormalisation.ConstantNorm,
            "layer_norm" => InputNormalisation.LayerNorm,
            _ => throw json.Wrong(Key, "'none', 'expected_average_only_in', 'constant_norm_rescale' or 'layer_norm'"),
        };
    }

    // Leftovers of old versions and of unfinished trainings.
    private static void Clean(string weights, Dictionary<string, HostArray> arrays)
    {
        using var scope = new TensorScope();
        if (arrays.Remove("scaling_factor", out var scaling) && (!scaling.Type.IsFloatingPoint() || Tensor.From(scaling).To(DType.Float64).Sub(1.0).Abs().Le(1e-5).All().Item() == 0))
            throw new BadInputException($"{weights}: has a 'scaling_factor' other than 1 (a fine-tuned autoencoder of an old SAELens), which is not read.");
        if (!arrays.ContainsKey("threshold") && arrays.Remove("log_threshold", out var logarithm) && logarithm.Type.IsFloatingPoint())
            arrays.Add("threshold", Tensor.From(logarithm).Exp().ToHost());
    }
}
