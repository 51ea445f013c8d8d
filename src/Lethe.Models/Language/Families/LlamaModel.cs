using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Layers;
using Lethe.Torch;

namespace Lethe.Models.Language.Families;

/// <summary>
/// Llama 1 to 3 (Touvron et al., arXiv 2302.13971; Dubey et al., arXiv 2407.21783), SmolLM2, and Mistral (Jiang et al., arXiv 2310.06825), which differs by a sliding window. Follows
/// transformers' modeling_llama.py.
/// </summary>
public sealed class LlamaModel : CausalLanguageModel
{
    private readonly RmsScale? norm;

    internal LlamaModel(ModelBuild build) : base(build)
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
