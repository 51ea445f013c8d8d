using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Files;

/// <summary>
/// Gemma Scope's params.npz (Lieberum et al. 2024, arXiv 2408.05147): a JumpReLU autoencoder whose encoder subtracts no bias. There is no
/// configuration: the site comes from the folders' names, …-res/layer_20/width_16k/average_l0_71/params.npz.
/// </summary>
public static class GemmaScopeFile
{
    /// <summary>The file's name.</summary>
    public const string Name = "params.npz";

    // SAELens drops a scaling factor that is this near to 1, and knows no other in Gemma Scope.
    private const double NearOne = 1e-5;

    /// <summary>Reads a file.</summary>
    /// <exception cref="BadInputException">It is damaged or something else, or its width is not the folder's.</exception>
    public static SparseAutoencoder Read(string path, DType type = DType.Float32, Device? device = null)
    {
        using var file = NpzFile.Open(path);
        var arrays = new Dictionary<string, HostArray>(StringComparer.Ordinal);
        foreach (var (name, array) in file.ReadAll())
            arrays[name is "w_enc" or "w_dec" ? "W" + name[1..] : name] = array;
        RefuseScaling(path, arrays);
        if (!arrays.TryGetValue("W_enc", out var encoder) || encoder.Shape is not [var inputs, var width])
            throw new BadInputException($"{path}: has no matrix 'W_enc'; it has {(arrays.Count == 0 ? "no arrays" : string.Join(", ", arrays.Keys.Take(8)))}, and is no autoencoder of Gemma Scope.");
        if (SiteNames.WidthOfGemmaScope(path) is { } named && named != width)
            throw new BadInputException($"{path}: has {width} latents; the folder's name says {named}.");
        var embedding = Path.GetFullPath(path).Split(Path.DirectorySeparatorChar).Contains("embedding");
        var configuration = new SparseAutoencoderConfiguration
        {
            Architecture = JumpReluAutoencoder.Name,
            InputSize = inputs,
            Width = width,
            SubtractDecoderBias = false,
            Site = embedding ? new SaeSite("embedding") : SiteNames.OfGemmaScope(path),
            ContextSize = 1024,
        };
        var sae = Architectures.Create(configuration, arrays, path, type, device);
        if (embedding)
        {
            // Trained on rows of the embedding times √D; the rows themselves come in here.
            using var noGrad = Autograd.NoGrad();
            sae.Encoder.DivInPlace(Math.Sqrt(inputs));
            sae.Decoder.MulInPlace(Math.Sqrt(inputs));
        }
        return sae;
    }

    /// <summary>Writes a JumpReLU autoencoder that subtracts no bias and normalises nothing; equal ones give equal files.</summary>
    /// <exception cref="UsageException">The autoencoder has another architecture, which this format cannot hold.</exception>
    public static void Write(SparseAutoencoder sae, string path)
    {
        if (sae is not JumpReluAutoencoder || sae.Configuration.SubtractDecoderBias || sae.Configuration.Normalisation != InputNormalisation.None)
            throw new UsageException($"{path}: Gemma Scope's format holds JumpReLU autoencoders that subtract no bias and normalise nothing; save this one ({sae.Configuration.Architecture}) as SAELens does.");
        NpzFile.Write(path, new[] { "W_enc", "W_dec", "b_enc", "b_dec", "threshold" }.Select(name => KeyValuePair.Create(name, sae.StateDict()[name])));
    }

    private static void RefuseScaling(string path, Dictionary<string, HostArray> arrays)
    {
        if (!arrays.Remove("scaling_factor", out var scaling))
            return;
        using var scope = new TensorScope();
        if (!scaling.Type.IsFloatingPoint() || Tensor.From(scaling).To(DType.Float64).Sub(1.0).Abs().Le(NearOne).All().Item() == 0)
            throw new BadInputException($"{path}: has a 'scaling_factor' other than 1, which no published autoencoder of Gemma Scope has; it is not read.");
    }
}
