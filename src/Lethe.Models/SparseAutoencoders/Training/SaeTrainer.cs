using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Training;

/// <summary>What one step found.</summary>
/// <param name="Loss">What is minimised.</param>
/// <param name="Error">Σ‖x − x̂‖² over the batch, in the trainer's scale.</param>
/// <param name="Active">Latents other than 0 over the batch, (K): how often each was active.</param>
/// <param name="Gradients">One for each parameter, in their order.</param>
internal sealed record SaeStep(double Loss, double Error, Tensor Active, Tensor[] Gradients);

/// <summary>
/// Trains one autoencoder; one class for each way of being sparse. Activations are scaled to a fixed mean norm, so that penalties and rates mean the same at every
/// site; the scale goes into the exported weights. The encoder lies as (K, D), a row for each latent like the decoder: gradients of the few active latents are rows.
/// </summary>
internal abstract class SaeTrainer : IDisposable
{
    private readonly List<(string Name, Tensor Tensor)> parameters = [];

    /// <param name="inputs">Size D of an activation.</param>
    /// <param name="width">Latents K.</param>
    /// <param name="random">Where the decoder's directions come from, and on which device.</param>
    protected SaeTrainer(long inputs, long width, RandomStream random)
    {
        (Inputs, Width) = (inputs, width);
        using var scope = new TensorScope();
        var directions = Tensor.Randn([width, inputs], random);
        directions = directions / directions.Norm(2, [1], keep: true);
        // The encoder starts as the decoder's transpose: a latent reads what it writes (both in dictionary_learning and SAELens).
        Encoder = Parameter("W_enc", directions.Clone());
        Decoder = Parameter("W_dec", directions);
        DecoderBias = Parameter("b_dec", Tensor.Zeros([inputs], device: random.Device));
        SinceActive = TensorScope.Detach(Tensor.Zeros([width], DType.Int64, random.Device));
    }

    /// <summary>Size D of an activation.</summary>
    public long Inputs { get; }

    /// <summary>Latents K.</summary>
    public long Width { get; }

    /// <summary>W_encᵀ, (K, D).</summary>
    public Tensor Encoder { get; }

    /// <summary>W_dec, (K, D).</summary>
    public Tensor Decoder { get; }

    /// <summary>b_dec, (D).</summary>
    public Tensor DecoderBias { get; }

    /// <summary>Activations seen since each latent was last active, (K), int64.</summary>
    public Tensor SinceActive { get; }

    /// <summary>All parameters by name.</summary>
    public IReadOnlyList<(string Name, Tensor Tensor)> Parameters => parameters;

    /// <summary>What activations are multiplied by before they come here.</summary>
    public double Scale { get; set; } = 1;

    /// <summary>The mean norm that activations are scaled to.</summary>
    public virtual double TargetNorm => Math.Sqrt(Inputs);

    /// <summary>Whether the decoder's rows stay of unit norm.</summary>
    public virtual bool UnitNorm => true;

    /// <summary>One step's loss and gradients.</summary>
    /// <param name="x">Scaled activations, (N, D).</param>
    /// <param name="pressure">Share of the sparsity penalty that counts already, 0 to 1.</param>
    /// <param name="deadAfter">Activations after which a latent counts as dead.</param>
    public abstract SaeStep Step(Tensor x, double pressure, long deadAfter);

    /// <summary>The autoencoder as it is now, its scale folded into the weights: latents are in the activations' own unit.</summary>
    public abstract SparseAutoencoder Export(SparseAutoencoderConfiguration common);

    /// <summary>What the next step depends on beside parameters and <see cref="SinceActive"/>.</summary>
    public virtual void Save(StateWriter state, string prefix) { }

    /// <summary>Goes on from there.</summary>
    public virtual void Load(StateReader state, string prefix) { }

    /// <summary>Takes the part of the decoder's gradient away that would only change its norms.</summary>
    public void ProjectGradient(Tensor gradient)
    {
        if (UnitNorm)
            gradient.SubInPlace(Decoder * (gradient * Decoder).Sum(1, keep: true));
    }

    /// <summary>Brings the decoder's rows back to unit norm.</summary>
    public void Normalise()
    {
        if (UnitNorm)
            Decoder.DivInPlace(Decoder.Norm(2, [1], keep: true));
    }

    /// <summary>Counts activity.</summary>
    /// <returns>Latents that count as dead.</returns>
    public long Count(Tensor active, long activations, long deadAfter)
    {
        SinceActive.AddInPlace(activations);
        SinceActive.MulInPlace(active.Eq(0).To(DType.Int64));
        return (long)SinceActive.Ge(deadAfter).Sum().Item();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, tensor) in parameters)
            tensor.Dispose();
        SinceActive.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Registers a parameter; it belongs to the trainer from now on.</summary>
    protected Tensor Parameter(string name, Tensor tensor)
    {
        parameters.Add((name, TensorScope.Detach(tensor)));
        return tensor;
    }

    /// <summary>Makes the inference autoencoder of matrices in the trainer's scale.</summary>
    /// <param name="common">Site, model and the like.</param>
    /// <param name="architecture">Its name.</param>
    /// <param name="vectors">Tensors of size K besides the matrices, by name; those that are in the unit of activations are divided by the scale already.</param>
    /// <param name="active">Active latents of a TopK autoencoder.</param>
    protected SparseAutoencoder Make(SparseAutoencoderConfiguration common, string architecture, IReadOnlyDictionary<string, Tensor> vectors, long active = 0)
    {
        var state = new Dictionary<string, HostArray>
        {
            ["W_enc"] = Encoder.Detach().T().Contiguous().ToHost(),
            ["W_dec"] = Decoder.Detach().ToHost(),
            ["b_dec"] = (DecoderBias.Detach() / Scale).ToHost(),
        };
        foreach (var (name, tensor) in vectors)
            state.Add(name, tensor.Detach().ToHost());
        return Architectures.Create(common with { Architecture = architecture, InputSize = Inputs, Width = Width, Active = active }, state, "the training");
    }

    /// <summary>Gradients of a loss with respect to all parameters, by backward; their graph ends here.</summary>
    protected Tensor[] Differentiate(Func<Tensor> loss, out Tensor value)
    {
        using var grad = Autograd.EnableGrad();
        foreach (var (_, tensor) in parameters)
            tensor.RequiresGrad = true;
        value = loss();
        var gradients = Autograd.Grad([value], [.. parameters.Select(entry => entry.Tensor)]);
        foreach (var (_, tensor) in parameters)
            tensor.RequiresGrad = false;
        return gradients;
    }
}
