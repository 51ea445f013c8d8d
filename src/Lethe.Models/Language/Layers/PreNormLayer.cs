using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Models.Language.Layers;

/// <summary>x + attention(norm x), then x + mlp(norm x): the layer of Llama, Mistral and Qwen.</summary>
internal sealed class PreNormLayer : DecoderLayer
{
    private readonly RmsScale before, between;
    private readonly SelfAttention attention;
    private readonly GatedMlp mlp;
    private readonly int layer;

    public PreNormLayer(LanguageModelConfiguration c, int layer, RotaryEmbedding rotary, bool headNorms, ParameterSource source, string prefix) : base(source, prefix)
    {
        this.layer = layer;
        before = new(Load("input_layernorm.weight", [c.HiddenSize], ParameterRole.Factor), c.NormEpsilon);
        attention = Part("self_attn", new SelfAttention(c, layer, rotary, headNorms, source, Full("self_attn.")));
        between = new(Load("post_attention_layernorm.weight", [c.HiddenSize], ParameterRole.Factor), c.NormEpsilon);
        mlp = Part("mlp", new GatedMlp(c, layer, source, Full("mlp.")));
    }

    internal override LayerMiddle Begin(Tensor hidden, ForwardPass pass)
    {
        var x = pass.Visit(layer, SiteKind.ResidualBefore, hidden);
        x += pass.Visit(layer, SiteKind.AttentionAdded, attention.Forward(before.Forward(x), pass));
        x = pass.Visit(layer, SiteKind.ResidualMiddle, x);
        return new(x, mlp.Neurons(between.Forward(x)));
    }

    internal override Tensor Finish(LayerMiddle middle, ForwardPass pass) =>
        pass.Visit(layer, SiteKind.ResidualAfter, middle.Stream + pass.Visit(layer, SiteKind.MlpAdded, mlp.Output(middle.Neurons, pass)));
}
