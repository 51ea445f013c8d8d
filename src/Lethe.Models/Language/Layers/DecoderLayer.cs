using Lethe.Torch;

namespace Lethe.Models.Language.Layers;

/// <summary>One layer of a decoder, in two parts that meet before the MLP's last matrix: who edits that matrix alone needs the first part once.</summary>
public abstract class DecoderLayer : ModelPart
{
    private protected DecoderLayer(ParameterSource source, string prefix) : base(source, prefix) { }

    /// <summary>The residual stream before the layer, (B, T, D) → after it.</summary>
    internal Tensor Forward(Tensor hidden, ForwardPass pass) => Finish(Begin(hidden, pass), pass);

    /// <summary>From the residual stream before the layer, (B, T, D), to the neurons.</summary>
    internal abstract LayerMiddle Begin(Tensor hidden, ForwardPass pass);

    /// <summary>From the neurons, which it lets be visited, to the residual stream after the layer.</summary>
    internal abstract Tensor Finish(LayerMiddle middle, ForwardPass pass);
}
