using Lethe.Models.Language.Layers;
using Lethe.Torch;

namespace Lethe.Models.Language.Families;

/// <summary>Qwen3 (arXiv 2505.09388): Llama's layers, with queries and keys normalised by head before they are turned. Follows transformers' modeling_qwen3.py.</summary>
public sealed class Qwen3Model : CausalLanguageModel
{
    private readonly RmsScale? norm;

    internal Qwen3Model(ModelBuild build) : base(build)
    {
        var c = build.Configuration;
        LoadEmbedding("model.embed_tokens.weight");
        LoadLayers("model.layers.", (layer, prefix) => new PreNormLayer(c, layer, Rotary!, headNorms: true, Source, prefix));
        norm = HasHead ? new(Load("model.norm.weight", [c.HiddenSize], ParameterRole.Factor), c.NormEpsilon) : null;
        LoadHead("lm_head.weight");
    }

    /// <inheritdoc/>
    public override Tensor Normalise(Tensor hidden) => (norm ?? throw NoHead()).Forward(hidden);
}
