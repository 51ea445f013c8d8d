using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders;

/// <summary>Checked tensors of an autoencoder by name; they belong to the scope that is open until a module takes them.</summary>
internal sealed class SaeState
{
    private readonly Dictionary<string, Tensor> tensors = new(StringComparer.Ordinal);

    /// <summary>Checks all arrays before memory is taken for any, and makes tensors of them.</summary>
    /// <param name="arrays">By name; element types are converted.</param>
    /// <param name="shapes">What is needed.</param>
    /// <param name="source">The file, for errors.</param>
    /// <param name="type">Element type to compute in.</param>
    /// <param name="device">Where to.</param>
    /// <exception cref="BadInputException">One is missing, left over, of another shape, not real, or not finite.</exception>
    public SaeState(IReadOnlyDictionary<string, HostArray> arrays, IReadOnlyDictionary<string, long[]> shapes, string source, DType type, Device device)
    {
        foreach (var (name, shape) in shapes)
        {
            if (!arrays.TryGetValue(name, out var array))
                throw new BadInputException($"{source}: has no tensor '{name}', which an autoencoder of this architecture needs with shape [{string.Join(", ", shape)}].");
            if (!array.Shape.SequenceEqual(shape))
                throw new BadInputException($"{source}: the tensor '{name}' has shape [{string.Join(", ", array.Shape)}]; [{string.Join(", ", shape)}] is needed.");
            if (!array.Type.IsFloatingPoint())
                throw new BadInputException($"{source}: the tensor '{name}' holds {array.Type}; real numbers are needed.");
        }
        if (arrays.Keys.FirstOrDefault(name => !shapes.ContainsKey(name)) is { } foreign)
            throw new BadInputException($"{source}: holds a tensor '{foreign}', which an autoencoder of this architecture does not have; it has {string.Join(", ", shapes.Keys)}.");
        foreach (var name in shapes.Keys)
        {
            var tensor = Tensor.From(arrays[name]).To(type).To(device);
            if (tensor.IsFinite().All().Item() == 0)
                throw new BadInputException($"{source}: the tensor '{name}' holds a number that is not finite; the file is damaged.");
            tensors.Add(name, tensor);
        }
    }

    /// <summary>A tensor.</summary>
    public Tensor this[string name] => tensors[name];
}
