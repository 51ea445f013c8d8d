using Lethe.Torch;

namespace Lethe.Unlearning.Language.Subspaces;

/// <summary>
/// An update that cannot leave a subspace: ΔW = U B P with U (out, k) orthonormal columns, P (r, in) orthonormal rows, and B (k, r) trained; either side may be the identity. The published penalty holds an update near a subspace at
/// the price of a weight to tune; this holds it there exactly, trains k · r numbers instead of out · in, and is an adapter of rank min(k, r).
/// </summary>
/// <remarks>∂L/∂B = Uᵀ (∂L/∂W) Pᵀ. AdamW moves B, so its step sizes are those of coordinates in the subspace.</remarks>
public sealed class ConfinedUpdate : IUpdateSpace
{
    private readonly Tensor? left, right; // (rows, k), (columns, r); orthonormal columns
    private readonly Tensor coordinates;

    /// <summary>Starts at ΔW = 0.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="place">Where it stands.</param>
    /// <param name="outputs">Subspace of what the matrix gives, as the matrix gives it (<see cref="MatrixPlace.Residual"/> for a matrix that writes into the stream); null: all of it.</param>
    /// <param name="inputs">Subspace of what the matrix reads; null: all of it.</param>
    /// <exception cref="ArgumentException">A subspace belongs to another size.</exception>
    public ConfinedUpdate(EditedWeight weight, MatrixPlace place, OrthonormalBasis? outputs, OrthonormalBasis? inputs)
    {
        if (outputs is not null && outputs.Size != place.OutputSize)
            throw new ArgumentException($"'{weight.Name}' gives {place.OutputSize} numbers; a subspace of {outputs.Size} dimensions was given.", nameof(outputs));
        if (inputs is not null && inputs.Size != place.InputSize)
            throw new ArgumentException($"'{weight.Name}' reads {place.InputSize} numbers; a subspace of {inputs.Size} dimensions was given.", nameof(inputs));
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var (rows, columns) = place.InputsFirst ? (inputs, outputs) : (outputs, inputs);
        var device = weight.Original.Device;
        left = Own(rows);
        right = Own(columns);
        coordinates = TensorScope.Detach(Tensor.Zeros([rows?.Rank ?? weight.Original.Size(0), columns?.Rank ?? weight.Original.Size(1)], weight.ParameterType, device));

        // A clone: of the basis's own type and device As gives the basis itself.
        Tensor? Own(OrthonormalBasis? basis) => basis is null ? null : TensorScope.Detach(basis.As(weight.ParameterType, device).Clone());
    }

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Value)> Parameters => [("coordinates", coordinates)];

    /// <inheritdoc/>
    public IReadOnlyList<Tensor> Gradients(Tensor weightGradient)
    {
        using var scope = new TensorScope();
        var gradient = weightGradient;
        if (left is not null)
            gradient = left.T().Mm(gradient);
        if (right is not null)
            gradient = gradient.Mm(right);
        return [scope.Keep(gradient.Contiguous())];
    }

    /// <inheritdoc/>
    public Tensor Change()
    {
        using var scope = new TensorScope();
        var change = coordinates;
        if (left is not null)
            change = left.Mm(change);
        if (right is not null)
            change = change.Mm(right.T());
        return scope.Keep(change);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        left?.Dispose();
        right?.Dispose();
        coordinates.Dispose();
    }
}
