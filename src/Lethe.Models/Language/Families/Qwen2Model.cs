using Lethe.Models.Language.Layers;
using Lethe.Torch;

namespace Lethe.Models.Language.Families;

/// <summary>Qwen2 and Qwen2.5 (Yang et al., arXiv 2407.10671): Llama's layers, with biases on queries, keys and values, which the configuration says. Follows transformers' modeling_qwen2.py.</summary>
public sealed class Qwen2Model : CausalLanguageModel
{
    private readonly RmsScale? norm;

    internal Qwen2Model(ModelBuild build) : base(build)
    {
        var c = build.Configuration;
        LoadEmbedding("model.embed_tokens.weight");
        LoadLayers("model.layers.", (layer, prefix) => new PreNormLayer(c, layer, Rotary!, headNorms: false, Source, prefix));
        norm = HasHead ? new(Load("model.norm.weight", [c.HiddenSize], ParameterRole.Factor), c.NormEpsilon) : null;
        LoadHead("lm_head.weight");
    }

    /// <inheritdoc/>
    public override Tensor Normalise(Tensor hidden) => (norm ?? throw NoHead()).Forward(hidden);
}
