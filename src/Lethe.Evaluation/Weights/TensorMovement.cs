using Lethe.Torch;

namespace Lethe.Evaluation.Weights;

/// <summary>How far one tensor of a model moved.</summary>
/// <param name="Name">Its name in the checkpoint.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Norm">L2 norm of the change Δ.</param>
/// <param name="Relative">Norm of the change over norm of the original; infinite where all-zero weights moved, 0 where nothing did.</param>
/// <param name="Largest">Largest |Δ| of one element.</param>
/// <param name="FisherWeighted">Σ F Δ²: its part of the penalty of elastic weight consolidation, before λ; null where no Fisher information of it was given.</param>
public sealed record TensorMovement(string Name, IReadOnlyList<long> Shape, double Norm, double Relative, double Largest, double? FisherWeighted)
{
    /// <summary>Compares two states of one model, tensor by tensor, in double precision.</summary>
    /// <param name="before">All tensors before, by name.</param>
    /// <param name="after">The same names and shapes after.</param>
    /// <param name="fisher">Fisher information of some or all of them, by the same names; null for none.</param>
    /// <returns>One entry for each tensor, by name.</returns>
    /// <exception cref="BadInputException">The two do not have the same tensors.</exception>
    /// <exception cref="RunFailedException">A tensor holds a value that is not finite.</exception>
    public static IReadOnlyList<TensorMovement> Compare(IReadOnlyDictionary<string, HostArray> before, IReadOnlyDictionary<string, HostArray> after, IReadOnlyDictionary<string, HostArray>? fisher = null)
    {
        if (before.Keys.Concat(after.Keys).FirstOrDefault(name => !before.ContainsKey(name) || !after.ContainsKey(name)) is { } odd)
            throw new BadInputException($"The tensor '{odd}' is in only one of the two models; only models of one architecture can be compared.");
        var moves = new List<TensorMovement>(before.Count);
        foreach (var name in before.Keys.Order(StringComparer.Ordinal))
        {
            using var scope = new TensorScope();
            var original = Load(name, before[name], before[name].Shape);
            var change = Load(name, after[name], before[name].Shape) - original;
            double norm = change.Norm().Item(), size = original.Norm().Item();
            if (!double.IsFinite(norm) || !double.IsFinite(size))
                throw new RunFailedException($"The tensor '{name}' holds a value that is not finite, before or after.");
            double? weighted = fisher is not null && fisher.TryGetValue(name, out var information)
                ? (Load(name, information, before[name].Shape) * change.Square()).Sum().Item()
                : null;
            moves.Add(new TensorMovement(name, before[name].Shape, norm, norm == 0 ? 0 : norm / size, change.Elements == 0 ? 0 : change.Abs().Max().Item(), weighted));
        }
        return moves;
    }

    private static Tensor Load(string name, HostArray array, IReadOnlyList<long> shape) => array.Shape.SequenceEqual(shape)
        ? Tensor.From(array).To(DType.Float64)
        : throw new BadInputException($"The tensor '{name}' has shape [{string.Join(", ", array.Shape)}] on one side and [{string.Join(", ", shape)}] on the other; only models of one architecture can be compared.");
}
