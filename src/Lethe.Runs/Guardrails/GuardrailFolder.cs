using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Lethe.Formats;
using Lethe.Models.Language;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Files;
using Lethe.Runs.Results;
using Lethe.Torch;
using Lethe.Unlearning.Guardrails;

namespace Lethe.Runs.Guardrails;

/// <summary>
/// A guardrail as a folder: guardrail.json, sae/ with what it needs of its autoencoder in SAELens's layout, direction.safetensors where it adds one. The folder needs nothing else: of an autoencoder whose
/// latents do not compete only those of the guardrail are kept, so that it has some kilobytes.
/// </summary>
public static class GuardrailFolder
{
    /// <summary>The description.</summary>
    public const string DescriptionName = "guardrail.json";

    private const string Schema = "lethe.guardrail/1", SaeFolder = "sae", DirectionName = "direction.safetensors", DirectionTensor = "direction";

    // A description has some hundreds of bytes, and a few for each latent.
    private const long MaxBytes = 4 << 20;

    private const int MaxLatents = 1 << 20;

    private static readonly JsonSerializerOptions Strict = new(ResultJson.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    /// <summary>Writes a guardrail.</summary>
    /// <param name="folder">A folder that does not exist yet, or is empty.</param>
    /// <param name="sae">The whole autoencoder.</param>
    /// <param name="source">What the autoencoder is known by: its name, without the folders that it lies in.</param>
    /// <param name="digest">SHA-256 of its files.</param>
    /// <param name="latents">The latents.</param>
    /// <param name="options">What it does.</param>
    /// <param name="calibration">What text told.</param>
    /// <param name="model">Name of the model that it was calibrated on; null if there is none.</param>
    /// <param name="direction">What a refusal adds, (D); null for nothing.</param>
    /// <exception cref="UsageException">The folder exists and is not empty, or cannot be written.</exception>
    public static void Save(string folder, SparseAutoencoder sae, string source, string digest, IReadOnlyList<long> latents, GuardrailOptions options, GuardrailCalibration calibration, string? model, Tensor? direction = null) =>
        AtomicFolder.Write(folder, target =>
        {
            long[] all = [.. latents, .. options is RefusalClampOptions { RefusalLatent: { } refusal } ? (long[])[refusal] : []];
            Directory.CreateDirectory(Path.Combine(target, SaeFolder));
            using (var subset = sae.LatentsCompete ? null : new LatentSubset(sae, all))
                SaeLensFolder.Write(subset?.Own ?? sae, Path.Combine(target, SaeFolder));
            if (direction is not null)
                SafetensorsWriter.Write(Path.Combine(target, DirectionName), new Dictionary<string, HostArray> { [DirectionTensor] = direction.To(DType.Float32).To(Device.Cpu).ToHost() });
            var json = new JsonObject
            {
                ["schema"] = Schema,
                ["kind"] = options.Kind,
                ["site"] = sae.Site!.Name,
                ["latents"] = new JsonArray([.. latents.Select(latent => (JsonNode)latent)]),
                ["model"] = model,
                ["sae"] = new JsonObject { ["name"] = source, ["digest"] = digest, ["width"] = sae.Width, ["whole"] = sae.LatentsCompete },
                ["options"] = JsonSerializer.SerializeToNode(options, options.GetType(), ResultJson.Options),
                ["calibration"] = JsonSerializer.SerializeToNode(calibration, ResultJson.Options),
                ["files"] = new JsonObject(FolderTree.Files(target).Select(file => KeyValuePair.Create(file, (JsonNode?)FolderTree.Sha256(Path.Combine(target, file))))),
            };
            AtomicFile.WriteAllText(Path.Combine(target, DescriptionName), json.ToJsonString(ResultJson.Options) + "\n");
        });

    /// <summary>Reads a guardrail, and refuses it where it does not fit the model.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="model">The model that it shall guard.</param>
    /// <exception cref="BadInputException">Something is missing, damaged or out of bounds, or it does not belong to the model: another width, layer or size of activations.</exception>
    public static OpenedGuardrail Open(string folder, CausalLanguageModel model)
    {
        var path = Path.Combine(folder, DescriptionName);
        if (!File.Exists(path))
            throw new BadInputException($"{folder}: {(Directory.Exists(folder) ? $"holds no {DescriptionName}" : "there is no such folder")}; name a guardrail's folder, as ./lethe guardrail calibrate writes it.");
        var json = JsonFields.Read(path, MaxBytes);
        if (json.Text("schema") is var schema && schema != Schema)
            throw json.Refuse("schema", $"is '{schema}'; '{Schema}' is read.");
        var kind = json.Text("kind") ?? throw json.Refuse("kind", $"is missing; it must be one of {string.Join(", ", GuardrailOptions.Kinds.Keys)}.");
        if (!GuardrailOptions.Kinds.TryGetValue(kind, out var type))
            throw json.Refuse("kind", $"is '{kind}'; it must be one of {string.Join(", ", GuardrailOptions.Kinds.Keys)}.");
        long[] latents = [.. (json.Ints("latents", 0, int.MaxValue) ?? throw json.Refuse("latents", "is missing; it must be a list of latents.")).Select(latent => (long)latent)];
        if (latents.Length is 0 or > MaxLatents)
            throw json.Refuse("latents", $"has {latents.Length} latents; 1 to {MaxLatents} are allowed.");
        var options = (GuardrailOptions)Read(json, "options", type);
        var calibration = Checked(json, (GuardrailCalibration)Read(json, "calibration", typeof(GuardrailCalibration)), latents.Length);
        Verify(folder, json);
        try
        {
            return Open(folder, json, latents, options, calibration, model);
        }
        catch (LetheException e) when (e is UsageException or BadInputException && !e.Message.StartsWith(folder, StringComparison.Ordinal))
        {
            throw new BadInputException($"{folder}: {e.Message}", e);
        }
    }

    private static OpenedGuardrail Open(string folder, JsonFields json, long[] latents, GuardrailOptions options, GuardrailCalibration calibration, CausalLanguageModel model)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var about = json.Object("sae") ?? throw json.Refuse("sae", "is missing; it must say what autoencoder it is.");
        var whole = about.Flag("whole") ?? throw about.Refuse("whole", "is missing; it must be true or false.");
        var sae = SaeFiles.Read(Path.Combine(folder, SaeFolder), device: model.Device);
        try
        {
            if (sae.Site?.Name != json.Text("site"))
                throw json.Refuse("site", $"is '{json.Text("site")}', and its autoencoder is of '{sae.Site?.Name ?? "no site"}'; they must be the same.");
            var refusal = (options as RefusalClampOptions)?.RefusalLatent;
            var kept = latents.Length + (refusal is null ? 0 : 1);
            if (!whole && (sae.LatentsCompete || sae.Width != kept))
                throw json.Refuse("sae", $"holds {sae.Width} latents{(sae.LatentsCompete ? ", which compete" : "")}; the {kept} of the guardrail are needed, or the whole autoencoder.");
            // Of a part of the autoencoder the latents have new numbers: their order.
            var inside = whole ? latents : [.. Enumerable.Range(0, latents.Length).Select(k => (long)k)];
            var used = whole || refusal is null ? options : (RefusalClampOptions)options with { RefusalLatent = latents.Length };
            Tensor? direction = null;
            if (File.Exists(Path.Combine(folder, DirectionName)))
                using (var file = SafetensorsFile.Open(Path.Combine(folder, DirectionName)))
                    direction = Tensor.From(file.Contains(DirectionTensor) ? file.Read(DirectionTensor) : throw new BadInputException($"{file.Path}: has no tensor '{DirectionTensor}'."));
            var guardrail = Guardrail.Create(sae, inside, used, calibration, direction);
            try
            {
                guardrail.Check(model);
                var digest = FolderTree.Sha256(Path.Combine(folder, DescriptionName));
                return new OpenedGuardrail(guardrail, sae, new GuardrailFacts(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), options.Kind, guardrail.Site.ToString(), latents, digest));
            }
            catch
            {
                guardrail.Dispose();
                throw;
            }
        }
        catch
        {
            sae.Dispose();
            throw;
        }
    }

    private static object Read(JsonFields json, string key, Type type)
    {
        if (json.Find(key) is not { ValueKind: JsonValueKind.Object } value)
            throw json.Refuse(key, "is missing; it must be an object.");
        try
        {
            var read = value.Deserialize(type, Strict)!;
            (read as GuardrailOptions)?.Validate();
            return read;
        }
        catch (JsonException e)
        {
            throw json.Refuse(key, $"cannot be read at '{e.Path}': a key is not known, or a value is of another type.");
        }
        catch (UsageException e)
        {
            throw json.Refuse(key, $"is out of bounds: {e.Message}");
        }
    }

    private static GuardrailCalibration Checked(JsonFields json, GuardrailCalibration calibration, int latents)
    {
        void Check(bool holds, string key, double? value, string allowed)
        {
            if (!holds)
                throw json.Refuse("calibration." + key, FormattableString.Invariant($"is {value}; it must be {allowed}."));
        }
        Check(calibration.Threshold is null or >= 0, "threshold", calibration.Threshold, "0 or more");
        Check(calibration.FiringRate is >= 0 and <= 1, "firing_rate", calibration.FiringRate, "a share from 0 to 1");
        Check(calibration.Positions >= 0, "positions", calibration.Positions, "0 or more");
        Check(calibration.Norm is null or > 0, "norm", calibration.Norm, "above 0");
        if (calibration.MeanActive is { } means)
        {
            Check(means.Count == latents, "mean_active", means.Count, $"a list of {latents} numbers, one for each latent");
            foreach (var mean in means)
                Check(mean > 0 && double.IsFinite(mean), "mean_active", mean, "numbers above 0");
        }
        return calibration;
    }

    // What changed since it was written, by a fault or by somebody.
    private static void Verify(string folder, JsonFields json)
    {
        var files = json.Object("files") ?? throw json.Refuse("files", "is missing; it must name the folder's files and their SHA-256.");
        string[] present = [.. FolderTree.Files(folder).Where(file => file is DirectionName || file.StartsWith(SaeFolder + "/", StringComparison.Ordinal))];
        if (present.Length == 0)
            throw new BadInputException($"{folder}: holds no {SaeFolder}/ with the autoencoder; it is damaged.");
        foreach (var file in present)
            if (files.Text(file) is not { } digest)
                throw json.Refuse("files", $"does not name '{file}', which the folder holds; it is damaged.");
            else if (FolderTree.Sha256(Path.Combine(folder, file)) != digest)
                throw new BadInputException($"{folder}: '{file}' is not the file that {DescriptionName} names (its SHA-256 differs); it is damaged or was changed. Calibrate the guardrail again.");
    }
}

/// <summary>A guardrail that was read, with what it was read from.</summary>
/// <param name="Guardrail">The guardrail.</param>
/// <param name="Sae">Its autoencoder, or the part of it that it needs.</param>
/// <param name="Facts">What results say of it.</param>
public sealed record OpenedGuardrail(Guardrail Guardrail, SparseAutoencoder Sae, GuardrailFacts Facts) : IDisposable
{
    /// <summary>Frees both.</summary>
    public void Dispose()
    {
        Guardrail.Dispose();
        Sae.Dispose();
    }
}

/// <summary>What results say of a guardrail.</summary>
/// <param name="Name">Its folder's name.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Site">Where it stands.</param>
/// <param name="Latents">The latents that it watches, by their numbers in the autoencoder that they come from.</param>
/// <param name="Digest">SHA-256 of its description, which names those of its other files.</param>
public sealed record GuardrailFacts(string Name, string Kind, string Site, IReadOnlyList<long> Latents, string Digest);
