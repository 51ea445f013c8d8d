using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>
/// LoRA (Hu et al., arXiv 2106.09685; huggingface/peft): ΔW = (α/r) · B · A with A (r, in) normal and B (out, r) zero, so that ΔW starts at 0. Here it is a way to parametrise the change of a
/// weight, not a module beside it: what is exported is W₀ + ΔW. Without the dropout on the layer's input that peft offers, which acts on activations and has no meaning for a change of weights.
/// </summary>
public sealed class LowRankUpdate : IUpdateSpace
{
    private readonly Tensor a, b;
    private readonly double scale;

    /// <summary>Starts at ΔW = 0.</summary>
    /// <param name="weight">The matrix.</param>
    /// <param name="rank">r, 1 to the smaller of its sizes.</param>
    /// <param name="alpha">α; the change is scaled by α/r, so that the learning rate need not follow the rank. Above 0.</param>
    /// <param name="seed">Decides A, with the name of the weight.</param>
    /// <exception cref="UsageException">The weight is no matrix, or the rank does not fit it.</exception>
    public LowRankUpdate(EditedWeight weight, int rank, double alpha, ulong seed)
    {
        if (weight.Original.Dimensions != 2)
            throw new UsageException($"The weight '{weight.Name}' is {weight.Original.Describe()}; a low-rank update needs a matrix.");
        var (rows, columns) = (weight.Original.Size(0), weight.Original.Size(1));
        if (rank < 1 || rank > Math.Min(rows, columns))
            throw new UsageException($"The rank of a low-rank update is {rank}; for '{weight.Name}', {rows} by {columns}, 1 to {Math.Min(rows, columns)} is possible.");
        if (!(alpha > 0 && double.IsFinite(alpha)))
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "above 0");
        scale = alpha / rank;
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        // Drawn on the CPU, so that a GPU starts from the same numbers. The deviation 1/√in gives A x the scale of x.
        using var random = new RandomStream(RandomStream.ChildSeed(seed, weight.Name));
        a = TensorScope.Detach((Tensor.Randn([rank, columns], random, weight.ParameterType) / Math.Sqrt(columns)).To(weight.Original.Device));
        b = TensorScope.Detach(Tensor.Zeros([rows, rank], weight.ParameterType, weight.Original.Device));
    }

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Value)> Parameters => [("lora_A", a), ("lora_B", b)];

    /// <inheritdoc/>
    /// <remarks>∂L/∂A = (α/r) Bᵀ G and ∂L/∂B = (α/r) G Aᵀ, where G is the gradient of the weight.</remarks>
    public IReadOnlyList<Tensor> Gradients(Tensor weightGradient) => [b.T().MatMul(weightGradient).MulInPlace(scale), weightGradient.MatMul(a.T()).MulInPlace(scale)];

    /// <inheritdoc/>
    public Tensor Change() => b.MatMul(a).MulInPlace(scale);

    /// <inheritdoc/>
    public void Dispose()
    {
        a.Dispose();
        b.Dispose();
    }
}
