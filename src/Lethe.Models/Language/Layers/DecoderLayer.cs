using Lethe.Torch;

namespace Lethe.Models.Language.Layers;

/// <summary>One layer of a decoder.</summary>
public abstract class DecoderLayer : ModelPart
{
    private protected DecoderLayer(ParameterSource source, string prefix) : base(source, prefix) { }

    /// <summary>The residual stream before the layer, (B, T, D) → after it.</summary>
    internal abstract Tensor Forward(Tensor hidden, ForwardPass pass);
}
