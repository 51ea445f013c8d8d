using Lethe.Torch;

namespace Lethe.Models.Language.Layers;

/// <summary>A part of a language model whose parameters come from a checkpoint or from chance, under the checkpoint's names.</summary>
public abstract class ModelPart : Module
{
    private readonly string prefix;

    private protected ModelPart(ParameterSource source, string prefix)
    {
        (Source, this.prefix) = (source, prefix);
        source.Register(this);
    }

    private protected ParameterSource Source { get; }

    /// <summary>The name that a part or parameter of this part has in the whole model.</summary>
    private protected string Full(string name) => prefix + name;

    /// <summary>Loads a parameter and registers it under its name within this part.</summary>
    private protected Tensor Load(string name, long[] shape, ParameterRole role) => Own(name, Source.Make(Full(name), shape, role));

    /// <summary>x Wᵀ + b, with W in name.weight and b in name.bias.</summary>
    private protected Projection LoadProjection(string name, long inputs, long outputs, bool bias, ParameterRole role = ParameterRole.Matrix) =>
        new(Load(name + ".weight", [outputs, inputs], role), bias ? Load(name + ".bias", [outputs], ParameterRole.Bias) : null, Source.RoundedProducts);

    /// <summary>Projections of one x, whose matrices lie one below the other in one piece of memory, so that one product gives them all.</summary>
    private protected JoinedProjection LoadJoined(string[] names, long inputs, long[] outputs, bool bias)
    {
        var weight = Constant(Tensor.Empty([outputs.Sum(), inputs], Source.Type, Source.Device));
        var shift = bias ? Constant(Tensor.Empty([outputs.Sum()], Source.Type, Source.Device)) : null;
        var parts = new Projection[names.Length];
        for (var (k, at) = (0, 0L); k < names.Length; at += outputs[k], k++)
            parts[k] = new(Piece(names[k] + ".weight", weight, at, outputs[k], ParameterRole.Matrix), shift is null ? null : Piece(names[k] + ".bias", shift, at, outputs[k], ParameterRole.Bias), Source.RoundedProducts);
        return new(new(weight, shift, Source.RoundedProducts), parts, outputs);
    }

    private Tensor Piece(string name, Tensor whole, long start, long length, ParameterRole role)
    {
        // Detached: a leaf of its own that shares the memory, so that what trains it changes the whole.
        var piece = whole.Narrow(0, start, length).Detach();
        Source.Fill(piece, Full(name), role);
        return Own(name, piece);
    }

    private Tensor Own(string name, Tensor tensor)
    {
        Parameter(name, tensor).RequiresGrad = Source.IsTrainable(Full(name));
        return tensor;
    }
}
