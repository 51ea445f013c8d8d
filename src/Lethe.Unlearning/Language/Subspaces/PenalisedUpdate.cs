using Lethe.Torch;

namespace Lethe.Unlearning.Language.Subspaces;

/// <summary>
/// The published soft form of the constraint: every element of the weight moves, and λ ‖ΔW − U Uᵀ ΔW V Vᵀ‖² is added to the loss, with U and V the projectors of either side (the identity where there is none). For a matrix that writes into the
/// residual stream and no input side that is λ ‖(I − U Uᵀ) ΔW‖², as SSPU's regularisation term is described (arXiv 2505.24428, λ unknown).
/// </summary>
/// <remarks>The penalty's gradient, 2 λ (ΔW − U Uᵀ ΔW V Vᵀ), is added to the loss's in closed form: the two maps are one orthogonal projection.</remarks>
public sealed class PenalisedUpdate : IUpdateSpace
{
    private readonly FreeUpdate free;
    private readonly Tensor? left, right;
    private readonly double weight;

    /// <summary>Starts at ΔW = 0.</summary>
    /// <param name="edited">The weight.</param>
    /// <param name="place">Where it stands.</param>
    /// <param name="outputs">Subspace of what the matrix gives; null: all of it.</param>
    /// <param name="inputs">Subspace of what the matrix reads; null: all of it.</param>
    /// <param name="weight">λ, 0 or more, for each squared unit of ΔW.</param>
    public PenalisedUpdate(EditedWeight edited, MatrixPlace place, OrthonormalBasis? outputs, OrthonormalBasis? inputs, double weight)
    {
        if (!(weight >= 0 && double.IsFinite(weight)))
            throw new ArgumentOutOfRangeException(nameof(weight), weight, "0 or more is allowed");
        this.weight = weight;
        free = new FreeUpdate(edited);
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var (rows, columns) = place.InputsFirst ? (inputs, outputs) : (outputs, inputs);
        Tensor? Own(OrthonormalBasis? basis) => basis is null ? null : TensorScope.Detach(basis.As(edited.ParameterType, edited.Original.Device).Clone());
        (left, right) = (Own(rows), Own(columns));
    }

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Value)> Parameters => free.Parameters;

    /// <summary>λ ‖ΔW − U Uᵀ ΔW V Vᵀ‖² now.</summary>
    public double Penalty()
    {
        using var scope = new TensorScope();
        return weight * Outside().Square().Sum().Item();
    }

    /// <inheritdoc/>
    public IReadOnlyList<Tensor> Gradients(Tensor weightGradient)
    {
        using var scope = new TensorScope();
        return [scope.Keep(weightGradient.Add(Outside(), 2 * weight))];
    }

    /// <inheritdoc/>
    public Tensor Change() => free.Change();

    /// <inheritdoc/>
    public void Dispose()
    {
        free.Dispose();
        left?.Dispose();
        right?.Dispose();
    }

    private Tensor Outside()
    {
        using var scope = new TensorScope();
        var change = free.Change();
        var inside = change;
        if (left is not null)
            inside = left.Mm(left.T().Mm(inside));
        if (right is not null)
            inside = inside.Mm(right).Mm(right.T());
        return scope.Keep(change - inside);
    }
}
