using System.Globalization;
using System.Text.RegularExpressions;
using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Unlearning.Language.Subspaces;

/// <summary>
/// Where a matrix of a decoder layer stands to the residual stream: on which side, what multiplies coordinates in between, and at which site its inputs can be read. In Hugging Face's layout a matrix is (out, in), so
/// the residual stream is the left side of down_proj and o_proj and the right side of q, k, v, gate and up.
/// </summary>
public sealed partial class MatrixPlace
{
    private static readonly string[] Writers = ["mlp.down_proj", "mlp.c_proj", "mlp.dense_4h_to_h", "self_attn.o_proj", "attn.c_proj", "attention.dense"];
    private static readonly string[] FromStream = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
    private static readonly string[] FromMiddle = ["mlp.gate_proj", "mlp.up_proj"];

    private MatrixPlace(string name, int layer, bool writes, bool inputsFirst, Site inputs, long outputSize, long inputSize, double[]? factors, double epsilon) =>
        (Name, Layer, Writes, InputsFirst, Inputs, OutputSize, InputSize, Factors, this.epsilon) = (name, layer, writes, inputsFirst, inputs, outputSize, inputSize, factors, epsilon);

    private readonly double epsilon;

    /// <summary>Its name in the checkpoint.</summary>
    public string Name { get; }

    /// <summary>Its layer, from 0.</summary>
    public int Layer { get; }

    /// <summary>Whether it writes into the residual stream; otherwise it reads from it.</summary>
    public bool Writes { get; }

    /// <summary>Whether the checkpoint keeps it as (in, out), as GPT-2 does.</summary>
    public bool InputsFirst { get; }

    /// <summary>The site whose value is what the matrix reads, or, where it reads from the residual stream, the stream before the norm.</summary>
    public Site Inputs { get; }

    /// <summary>Size of what it gives.</summary>
    public long OutputSize { get; }

    /// <summary>Size of what it reads.</summary>
    public long InputSize { get; }

    /// <summary>
    /// What a norm between the matrix and the residual stream multiplies each coordinate of the stream with, beside one factor for all: of a matrix that reads, the weights of the norm before it; of one that writes, those of a norm
    /// after it (Gemma-2: 1 + w). Null: nothing.
    /// </summary>
    public IReadOnlyList<double>? Factors { get; }

    /// <summary>Finds a matrix.</summary>
    /// <param name="model">The model, with the layer of the matrix loaded.</param>
    /// <param name="name">Name of its weight, as the checkpoint has it.</param>
    /// <exception cref="UsageException">It is none of a layer's matrices, or its place is not known: matrices that read through a norm with a mean and a bias (GPT-2, GPT-NeoX), which no subspace passes unchanged.</exception>
    public static MatrixPlace Of(CausalLanguageModel model, string name)
    {
        var parameters = model.NamedParameters().ToDictionary(entry => entry.Name, entry => entry.Tensor, StringComparer.Ordinal);
        if (!parameters.TryGetValue(name, out var weight))
            throw new UsageException($"The model has no weight '{name}' among its layers {model.FromLayer} to {model.ToLayer - 1}.");
        var c = model.Configuration;
        var parts = Parts().Match(name);
        var part = parts.Groups["part"].Value;
        var (writes, reads) = (Writers.Contains(part), FromStream.Contains(part) || FromMiddle.Contains(part));
        if (!parts.Success || !(writes || reads))
            throw new UsageException($"An update of '{name}' cannot be confined: it is none of {string.Join(", ", Writers.Concat(FromStream).Concat(FromMiddle))} of a layer.");
        var layer = int.Parse(parts.Groups["layer"].ValueSpan, CultureInfo.InvariantCulture);
        var gemma = c.ModelType == "gemma2";
        var norm = writes
            ? gemma ? part.StartsWith("mlp", StringComparison.Ordinal) ? "post_feedforward_layernorm" : "post_attention_layernorm" : null
            : FromStream.Contains(part) ? "input_layernorm" : gemma ? "pre_feedforward_layernorm" : "post_attention_layernorm";
        double[]? factors = null;
        if (norm is not null)
        {
            using var scope = new TensorScope();
            using var noGrad = Autograd.NoGrad();
            var stored = parameters[$"{parts.Groups["before"].Value}{norm}.weight"].To(Device.Cpu).To(DType.Float64).ToArray<double>();
            factors = gemma ? [.. stored.Select(value => 1 + value)] : stored;
        }
        var site = new Site(layer, part.StartsWith("mlp", StringComparison.Ordinal)
            ? writes ? SiteKind.MlpNeurons : SiteKind.ResidualMiddle
            : writes ? SiteKind.Heads : SiteKind.ResidualBefore);
        var inputsFirst = c.ModelType == "gpt2";
        return new(name, layer, writes, inputsFirst, site, weight.Size(inputsFirst ? 1 : 0), weight.Size(inputsFirst ? 0 : 1), factors, c.NormEpsilon);
    }

    /// <summary>
    /// The subspace that the residual side of an update must lie in so that what it does in the stream stays in a given one: diag(1/f) U, made orthonormal, with f the norm's <see cref="Factors"/>; U itself where there is no norm. For a
    /// matrix behind which a norm follows it is exact but for that norm's common factor, which also rescales what the untouched matrix gives.
    /// </summary>
    /// <param name="stream">A subspace of the residual stream.</param>
    /// <returns>A basis of its own, to be disposed.</returns>
    /// <exception cref="BadInputException">A factor of the norm is 0.</exception>
    public OrthonormalBasis Residual(OrthonormalBasis stream)
    {
        var size = Writes ? OutputSize : InputSize;
        if (stream.Size != size)
            throw new BadInputException($"The subspace lies in a space of {stream.Size} dimensions; the residual stream at '{Name}' has {size}. It comes from an autoencoder of another model.");
        return Factors is null ? stream.Copy() : stream.Through([.. Factors.Select(factor => 1 / factor)]);
    }

    /// <summary>What the matrix reads when the site <see cref="Inputs"/> has a value, (…, in).</summary>
    public Tensor Read(Tensor value)
    {
        if (Writes)
            return value;
        using var scope = new TensorScope();
        var wide = value.To(DType.Float32);
        var normal = wide * wide.Square().Mean(-1, keep: true).AddInPlace(epsilon).Rsqrt();
        return scope.Keep(normal * Tensor.FromArray(Factors!.Select(factor => (float)factor).ToArray()).To(value.Device));
    }

    [GeneratedRegex(@"^(?<before>(?:.*\.)?(?:layers|h)\.(?<layer>\d{1,6})\.)(?<part>.+)\.weight$", RegexOptions.CultureInvariant)]
    private static partial Regex Parts();
}
