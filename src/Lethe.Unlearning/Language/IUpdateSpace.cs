using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>
/// How trained numbers become the change ΔW of one weight. Free: ΔW is what is trained. Confined: ΔW = U·B·P. Low-rank: ΔW = s·B·A. The optimizer moves
/// <see cref="Parameters"/>; the gradient of the weight is carried over by the chain rule, so nothing in the models changes.
/// </summary>
public interface IUpdateSpace : IDisposable
{
    /// <summary>What is trained, by names that are unique within the space; owned by it, moved in place. At the start they give ΔW = 0. Float32, or float64 for a model in float64.</summary>
    IReadOnlyList<(string Name, Tensor Value)> Parameters { get; }

    /// <summary>The gradient of the loss with respect to <see cref="Parameters"/>, in their order; new tensors, owned by the open scope, which the optimizer may change.</summary>
    /// <param name="weightGradient">The gradient with respect to the weight, of its shape, in the parameters' type.</param>
    IReadOnlyList<Tensor> Gradients(Tensor weightGradient);

    /// <summary>ΔW of the weight's shape, in the parameters' type; owned by the open scope, or by the space: only to be read.</summary>
    Tensor Change();
}

/// <summary>A weight that is edited, for whoever chooses its update space.</summary>
/// <param name="Name">Its name in the checkpoint.</param>
/// <param name="Layer">The layer that it belongs to; null for one outside of all layers.</param>
/// <param name="Original">Its values before any edit, (out, in) for a matrix as checkpoints lay it out (GPT-2: (in, out)); only to be read.</param>
/// <param name="ParameterType">The type that parameters of its update space have.</param>
public sealed record EditedWeight(string Name, int? Layer, Tensor Original, DType ParameterType);

/// <summary>Every element of the weight moves on its own: ΔW = B.</summary>
public sealed class FreeUpdate : IUpdateSpace
{
    private readonly Tensor change;

    /// <summary>Starts at ΔW = 0.</summary>
    public FreeUpdate(EditedWeight weight)
    {
        using var scope = new TensorScope();
        change = TensorScope.Detach(Tensor.Zeros(weight.Original.Shape.ToArray(), weight.ParameterType, weight.Original.Device));
    }

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Value)> Parameters => [("change", change)];

    /// <inheritdoc/>
    public IReadOnlyList<Tensor> Gradients(Tensor weightGradient) => [weightGradient];

    /// <inheritdoc/>
    public Tensor Change() => change;

    /// <inheritdoc/>
    public void Dispose() => change.Dispose();
}
