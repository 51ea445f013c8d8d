using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Layers;
using Lethe.Torch;

namespace Lethe.Models.Language.Families;

/// <summary>
/// Gemma 2 (arXiv 2408.00118): layers see a window and everything in turn, norms stand before and after attention and MLP, scores and logits are capped, and the
/// embedding is multiplied by √width. Follows transformers' modeling_gemma2.py.
/// </summary>
public sealed class Gemma2Model : CausalLanguageModel
{
    private readonly RmsScale? norm;
    private readonly double scale;

    internal Gemma2Model(ModelBuild build) : base(build)
    {
        var c = build.Configuration;
        // The library keeps √width in the type of the weights: in bfloat16 55.5 for 55.43 (width 3072).
        using (var rounded = Tensor.Full([1], Math.Sqrt(c.HiddenSize), StorageType))
        using (var exact = rounded.To(DType.Float64))
            scale = exact.Item();
        LoadEmbedding("model.embed_tokens.weight");
        LoadLayers("model.layers.", (layer, prefix) => new SandwichLayer(c, layer, Rotary!, Source, prefix));
        norm = HasHead ? new(Load("model.norm.weight", [c.HiddenSize], ParameterRole.FactorLessOne), c.NormEpsilon, PlusOne: true) : null;
        LoadHead("lm_head.weight");
    }

    /// <inheritdoc/>
    public override Tensor Normalise(Tensor hidden) => (norm ?? throw NoHead()).Forward(hidden);

    private protected override Tensor Place(Tensor embedded, Tensor? positions, long past) => embedded * scale;

    /// <summary>x + norm(attention(norm x)), then x + norm(mlp(norm x)).</summary>
    private sealed class SandwichLayer : DecoderLayer
    {
        private readonly RmsScale beforeAttention, afterAttention, beforeMlp, afterMlp;
        private readonly SelfAttention attention;
        private readonly GatedMlp mlp;
        private readonly int layer;

        public SandwichLayer(LanguageModelConfiguration c, int layer, RotaryEmbedding rotary, ParameterSource source, string prefix) : base(source, prefix)
        {
            this.layer = layer;
            RmsScale Norm(string name) => new(Load(name + ".weight", [c.HiddenSize], ParameterRole.FactorLessOne), c.NormEpsilon, PlusOne: true);
            beforeAttention = Norm("input_layernorm");
            attention = Part("self_attn", new SelfAttention(c, layer, rotary, headNorms: false, source, Full("self_attn.")));
            afterAttention = Norm("post_attention_layernorm");
            beforeMlp = Norm("pre_feedforward_layernorm");
            mlp = Part("mlp", new GatedMlp(c, layer, source, Full("mlp.")));
            afterMlp = Norm("post_feedforward_layernorm");
        }

        internal override LayerMiddle Begin(Tensor hidden, ForwardPass pass)
        {
            var x = pass.Visit(layer, SiteKind.ResidualBefore, hidden);
            x += pass.Visit(layer, SiteKind.AttentionAdded, afterAttention.Forward(attention.Forward(beforeAttention.Forward(x), pass)));
            x = pass.Visit(layer, SiteKind.ResidualMiddle, x);
            return new(x, mlp.Neurons(beforeMlp.Forward(x)));
        }

        internal override Tensor Finish(LayerMiddle middle, ForwardPass pass) =>
            pass.Visit(layer, SiteKind.ResidualAfter, middle.Stream + pass.Visit(layer, SiteKind.MlpAdded, afterMlp.Forward(mlp.Output(middle.Neurons, pass))));
    }
}
