using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders;

/// <summary>
/// A trained sparse autoencoder: x̂ = z W_dec + b_dec with z ≥ 0 mostly 0. One class for each way of finding z; training is elsewhere
/// (the folder Training). Its tensors are named as SAELens names them: W_enc (D, K), W_dec (K, D), b_enc (K), b_dec (D).
/// </summary>
public abstract class SparseAutoencoder : Module
{
    // SAELens adds it to the standard deviation, and does not when it undoes the normalisation.
    private const double LayerNormEpsilon = 1e-5;

    private protected SparseAutoencoder(SparseAutoencoderConfiguration configuration, SaeState state)
    {
        Configuration = configuration;
        Encoder = Buffer("W_enc", state["W_enc"]);
        Decoder = Buffer("W_dec", state["W_dec"]);
        DecoderBias = Buffer("b_dec", state["b_dec"]);
    }

    /// <summary>All but the weights.</summary>
    public SparseAutoencoderConfiguration Configuration { get; }

    /// <summary>Size D of an activation.</summary>
    public long InputSize => Configuration.InputSize;

    /// <summary>Number K of latents.</summary>
    public long Width => Configuration.Width;

    /// <summary>Where its activations come from; null where the file did not say.</summary>
    public SaeSite? Site => Configuration.Site;

    /// <summary>W_enc, (D, K).</summary>
    public Tensor Encoder { get; }

    /// <summary>W_dec, (K, D): row k is the direction that latent k writes.</summary>
    public Tensor Decoder { get; }

    /// <summary>b_dec, (D).</summary>
    public Tensor DecoderBias { get; }

    /// <summary>Latents, (…, D) → (…, K); computed in the autoencoder's element type.</summary>
    /// <exception cref="BadInputException">The activations have another size.</exception>
    public Tensor Encode(Tensor x)
    {
        using var scope = new TensorScope();
        return scope.Keep(Latents(Normalise(Flat(x)).Value));
    }

    /// <summary>
    /// Pre-activations, (…, D) → (…, K): what the latents' nonlinearity is applied to (the magnitude's path of a gated one). Gradients flow where a latent is not active, too. For a few latents take
    /// <see cref="LatentSubset.Own"/>.
    /// </summary>
    /// <exception cref="BadInputException">The activations have another size.</exception>
    public Tensor PreActivations(Tensor x)
    {
        using var scope = new TensorScope();
        var (factor, shift) = Affine;
        var product = Centred(Normalise(Flat(x)).Value).MatMul(Encoder);
        return scope.Keep((factor is null ? product : product * factor) + shift);
    }

    /// <summary>Activations, (…, K) → (…, D).</summary>
    /// <param name="z">Latents.</param>
    /// <param name="like">What the latents were encoded from. Needed where the autoencoder normalises its input, and for its shape where that has heads; else it may be left out.</param>
    public Tensor Decode(Tensor z, Tensor? like = null)
    {
        if (like is null && Configuration.Normalisation != InputNormalisation.None)
            throw new ArgumentException($"The autoencoder normalises its input ({Configuration.Normalisation}); decoding needs the activations that the latents come from.", nameof(like));
        using var scope = new TensorScope();
        var decoded = Directions(z) + DecoderBias;
        if (like is null)
            return scope.Keep(decoded);
        var (_, scale, shift) = Normalise(Flat(like));
        decoded = scale is null ? decoded : decoded * scale;
        decoded = shift is null ? decoded : decoded + shift;
        return scope.Keep(decoded.Reshape(like.Shape.ToArray()));
    }

    /// <summary>decode(encode(x)), of x's shape.</summary>
    /// <exception cref="BadInputException">The activations have another size.</exception>
    public Tensor Reconstruct(Tensor x) => Decode(Encode(x), x);

    /// <summary>
    /// The activations with edited latents and the error term kept: x + decode(edited) − decode(z), computed as x + (edited − z) W_dec, so that what the
    /// autoencoder cannot express stays to the last bit, and without an edit x itself comes back.
    /// </summary>
    /// <param name="x">Activations, (…, D).</param>
    /// <param name="z">Their latents.</param>
    /// <param name="edited">The latents after the edit.</param>
    public Tensor Edit(Tensor x, Tensor z, Tensor edited)
    {
        using var scope = new TensorScope();
        var change = Directions(edited - z);
        var (_, scale, _) = Normalise(Flat(x));
        return scope.Keep(x + (scale is null ? change : change * scale).Reshape(x.Shape.ToArray()).To(x.DType));
    }

    /// <summary>Encodes, edits and gives back the activations with the error term kept; see <see cref="Edit(Tensor, Tensor, Tensor)"/>.</summary>
    public Tensor Edit(Tensor x, Func<Tensor, Tensor> edit)
    {
        using var scope = new TensorScope();
        var z = Encode(x);
        return scope.Keep(Edit(x, z, edit(z)));
    }

    /// <summary>Refuses activations of a model that the autoencoder was not made for.</summary>
    /// <param name="where">What the activations are, for the error: "SmolLM2's layers.7.residual_after".</param>
    /// <param name="size">Size of an activation there.</param>
    /// <param name="layers">Layers of the model; null where it has none that are numbered.</param>
    /// <param name="meanNorm">Mean norm of a sample of activations there (without first positions); null to leave the norm unchecked.</param>
    /// <exception cref="BadInputException">Size, layer or norm do not fit.</exception>
    public void Check(string where, long size, int? layers = null, double? meanNorm = null)
    {
        if (size != InputSize)
            throw new BadInputException($"The autoencoder{(Site is null ? "" : $" of {Site}")} takes activations of size {InputSize}; {where} has size {size}.");
        if (layers is { } count && Site?.Layer is { } layer && layer >= count)
            throw new BadInputException($"The autoencoder belongs to layer {layer}; {where} is in a model with layers 0 to {count - 1}.");
        if (meanNorm is { } norm && Configuration.ActivationNorm is { } trained && !(norm / trained is >= 0.5 and <= 2))
            throw new BadInputException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The autoencoder was trained on activations with a mean norm of {trained:G4}; {where} has {norm:G4}, and at most twice or half of it is allowed: it is another site, another model, or first positions were not left out."));
    }

    /// <summary>Whether a latent's value depends on the others': then none can be encoded alone.</summary>
    public virtual bool LatentsCompete => false;

    /// <summary>An autoencoder of some latents alone, their numbers in <paramref name="latents"/> (k) int64: what they write, and where they do not compete what they read.</summary>
    internal SparseAutoencoder Only(Tensor latents)
    {
        using var scope = new TensorScope();
        var count = latents.Elements;
        HostArray Cut(string name, Tensor value) => (name == "W_enc" ? value.IndexSelect(1, latents) : name == "b_dec" ? value : value.IndexSelect(0, latents)).To(Device.Cpu).ToHost();
        return Architectures.Create(Configuration with { Width = count, Active = Configuration.Active == 0 ? 0 : count },
            NamedBuffers().ToDictionary(entry => entry.Name, entry => Cut(entry.Name, entry.Tensor)), "The autoencoder", Encoder.DType, Encoder.Device);
    }

    /// <summary>Latents of normalised activations, (N, D) → (N, K).</summary>
    private protected abstract Tensor Latents(Tensor x);

    /// <summary>What the encoder's product is multiplied by, (K) or null, and what is added to it then, (K), before the nonlinearity.</summary>
    private protected abstract (Tensor? Factor, Tensor Shift) Affine { get; }

    /// <summary>What the latents write, without the bias; linear.</summary>
    private protected virtual Tensor Directions(Tensor z) => z.MatMul(Decoder);

    /// <summary>x, or x − b_dec where the configuration says so.</summary>
    private protected Tensor Centred(Tensor x) => Configuration.SubtractDecoderBias ? x - DecoderBias : x;

    private Tensor Flat(Tensor x)
    {
        x = x.To(Encoder.DType);
        if (Configuration.Heads && x.Dimensions >= 2 && x.Size(-1) * x.Size(-2) == InputSize)
            x = x.Flatten(-2);
        if (x.Dimensions == 0 || x.Size(-1) != InputSize)
            throw new BadInputException($"The autoencoder takes activations of size {InputSize}, and {x.Describe()} was given.");
        return x;
    }

    private (Tensor Value, Tensor? Scale, Tensor? Shift) Normalise(Tensor x)
    {
        switch (Configuration.Normalisation)
        {
            case InputNormalisation.ConstantNorm:
                var norm = x.Norm(2, [-1], keep: true) / Math.Sqrt(InputSize);
                return (x / norm, norm, null);
            case InputNormalisation.LayerNorm:
                var mean = x.Mean(-1, keep: true);
                var centred = x - mean;
                var deviation = centred.Var([-1], unbiased: true, keep: true).Sqrt();
                return (centred / (deviation + LayerNormEpsilon), deviation, mean);
            default:
                return (x, null, null);
        }
    }
}
