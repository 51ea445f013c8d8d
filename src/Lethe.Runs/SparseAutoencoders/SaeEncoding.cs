using Lethe.Formats;
using Lethe.Models.SparseAutoencoders.Files;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Torch;

namespace Lethe.Runs.SparseAutoencoders;

/// <summary>What <c>sae encode --json</c> prints.</summary>
/// <param name="Sae">The autoencoder.</param>
/// <param name="Architecture">Its architecture.</param>
/// <param name="Site">Its site; null where the file names none.</param>
/// <param name="InputSize">Size of an activation.</param>
/// <param name="Width">Number of latents.</param>
/// <param name="Rows">Activations encoded.</param>
/// <param name="ActiveLatents">Latents other than 0, mean over activations.</param>
/// <param name="ExplainedVariance">1 − Σ‖x − x̂‖² / Σ‖x − mean‖²; null where the activations do not vary.</param>
/// <param name="Output">The file written.</param>
public sealed record SaeEncodingResult(string Sae, string Architecture, string? Site, long InputSize, long Width, long Rows, double ActiveLatents, double? ExplainedVariance, string Output)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.sae-encode/1";
}

/// <summary>Encodes stored activations into a file.</summary>
public static class SaeEncoding
{
    private const string InputName = "x";

    // Activations that pass through at a time; bounds the memory beside the result.
    private const int Rows = 4096;

    /// <summary>Reads, encodes, writes. Call on the torch thread.</summary>
    /// <exception cref="BadInputException">A file is missing or damaged, or the activations have another size.</exception>
    public static SaeEncodingResult Run(string path, string input, string output, Device device)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        using var sae = SaeFiles.Read(path, device: device);
        var x = ReadActivations(input);
        if (x.Type == DType.Bool || x.Shape.Count == 0 || x.Count == 0)
            throw new BadInputException($"{input}: the tensor has shape [{string.Join(", ", x.Shape)}] of {x.Type}; activations (…, {sae.InputSize}) of real numbers are needed.");
        var heads = sae.Configuration.Heads && x.Shape.Count >= 2 && x.Shape[^1] != sae.InputSize && x.Shape[^1] * x.Shape[^2] == sae.InputSize ? 2 : 1;
        if (heads == 1 && x.Shape[^1] != sae.InputSize)
            throw new BadInputException($"{input}: the activations have size {x.Shape[^1]}; the autoencoder takes {sae.InputSize}.");
        var flat = Tensor.From(x).To(DType.Float32).Reshape(-1, sae.InputSize);
        if (flat.IsFinite().All().Item() == 0)
            throw new BadInputException($"{input}: holds a number that is not finite.");
        var quality = new ReconstructionQuality(sae.InputSize, sae.Width, device);
        var (codes, decoded) = (new List<Tensor>(), new List<Tensor>());
        foreach (var part in flat.Split(Rows))
        {
            var on = part.To(device);
            var z = sae.Encode(on);
            var recovered = sae.Decode(z, on);
            quality.Add(on, z, recovered);
            codes.Add(z.To(Device.Cpu));
            decoded.Add(recovered.To(Device.Cpu));
        }
        long[] outer = [.. x.Shape.Take(x.Shape.Count - heads)];
        SafetensorsWriter.Write(output, new Dictionary<string, HostArray>
        {
            [InputName] = x,
            ["z"] = Tensor.Cat([.. codes]).Reshape([.. outer, sae.Width]).ToHost(),
            ["x_hat"] = Tensor.Cat([.. decoded]).Reshape([.. x.Shape]).ToHost(),
        });
        var reading = quality.Read();
        quality.Dispose();
        return new SaeEncodingResult(path, sae.Configuration.Architecture, sae.Site?.Name, sae.InputSize, sae.Width, flat.Size(0), reading.ActiveLatents, reading.ExplainedVariance, output);
    }

    private static HostArray ReadActivations(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return file.Contains(InputName) ? file.Read(InputName)
            : file.Entries.Count == 1 ? file.Read(file.Entries[0].Name)
            : throw new BadInputException($"{path}: has {file.Entries.Count} tensors and none is called '{InputName}'; one tensor, or one of that name, is needed.");
    }
}
