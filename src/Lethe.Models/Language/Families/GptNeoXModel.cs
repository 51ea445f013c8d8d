using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Layers;
using Lethe.Torch;

namespace Lethe.Models.Language.Families;

/// <summary>
/// GPT-NeoX and Pythia (Black et al., arXiv 2204.06745; Biderman et al., arXiv 2304.01373): part of each head is turned, and attention and MLP read the same residual side by side, unless the
/// configuration says one after the other. Follows transformers' modeling_gpt_neox.py.
/// </summary>
public sealed class GptNeoXModel : CausalLanguageModel
{
    private readonly LayerScale? norm;

    internal GptNeoXModel(ModelBuild build) : base(build)
    {
        var c = build.Configuration;
        LoadEmbedding("gpt_neox.embed_in.weight");
        LoadLayers("gpt_neox.layers.", (layer, prefix) => new Layer(c, layer, Rotary!, Source, prefix));
        norm = HasHead ? new(Load("gpt_neox.final_layer_norm.weight", [c.HiddenSize], ParameterRole.Factor), Load("gpt_neox.final_layer_norm.bias", [c.HiddenSize], ParameterRole.Bias), c.NormEpsilon) : null;
        LoadHead("embed_out.weight");
    }

    /// <inheritdoc/>
    public override Tensor Normalise(Tensor hidden) => (norm ?? throw NoHead()).Forward(hidden);

    private sealed class Layer : DecoderLayer
    {
        private readonly LanguageModelConfiguration configuration;
        private readonly RotaryEmbedding rotary;
        private readonly LayerScale before, between;
        private readonly Projection project, output, up, down;
        private readonly ActivationKind kind;
        private readonly int layer;

        public Layer(LanguageModelConfiguration c, int layer, RotaryEmbedding rotary, ParameterSource source, string prefix) : base(source, prefix)
        {
            (configuration, this.layer, this.rotary, kind) = (c, layer, rotary, Elementwise.Kind(c.Activation));
            long width = c.HiddenSize;
            before = Norm("input_layernorm");
            between = Norm("post_attention_layernorm");
            project = LoadProjection("attention.query_key_value", width, 3 * width, c.AttentionBias);
            output = LoadProjection("attention.dense", width, width, c.AttentionOutputBias, ParameterRole.ResidualMatrix);
            up = LoadProjection("mlp.dense_h_to_4h", width, c.IntermediateSize, c.MlpBias);
            down = LoadProjection("mlp.dense_4h_to_h", c.IntermediateSize, width, c.MlpBias, ParameterRole.ResidualMatrix);

            LayerScale Norm(string name) => new(Load(name + ".weight", [width], ParameterRole.Factor), Load(name + ".bias", [width], ParameterRole.Bias), c.NormEpsilon);
        }

        internal override LayerMiddle Begin(Tensor hidden, ForwardPass pass)
        {
            var x = pass.Visit(layer, SiteKind.ResidualBefore, hidden);
            var attended = pass.Visit(layer, SiteKind.AttentionAdded, Attend(before.Forward(x), pass));
            if (configuration.ParallelResidual)
                return new(x, Neurons(x), attended);
            x = pass.Visit(layer, SiteKind.ResidualMiddle, x + attended);
            return new(x, Neurons(x));
        }

        internal override Tensor Finish(LayerMiddle middle, ForwardPass pass)
        {
            var neurons = pass.Visit(layer, SiteKind.MlpNeurons, middle.Neurons);
            var added = pass.Visit(layer, SiteKind.MlpAdded, pass.Visit(layer, SiteKind.MlpOutput, down.Forward(neurons)));
            // Added up in the library's order.
            return pass.Visit(layer, SiteKind.ResidualAfter, middle.Attended is { } attended ? added + attended + middle.Stream : middle.Stream + added);
        }

        private Tensor Neurons(Tensor x) => Torch.Activation.Apply(kind, up.Forward(between.Forward(x)));

        private Tensor Attend(Tensor x, ForwardPass pass)
        {
            // (B, T, heads, 3 · size): query, key and value of a head side by side
            var all = project.Forward(x).View(x.Size(0), x.Size(1), configuration.Heads, 3L * configuration.HeadSize).Split(configuration.HeadSize, -1);
            var query = rotary.Turn(all[0], pass.Cosines!, pass.Sines!);
            var (key, value) = (rotary.Turn(all[1], pass.Cosines!, pass.Sines!).Transpose(1, 2), all[2].Transpose(1, 2));
            if (pass.Cache is { } cache)
                (key, value) = cache.Append(layer, key, value);
            var mixed = GroupedAttention.Attend(query, key, value, configuration.QueryScale, null, null, pass);
            return pass.Visit(layer, SiteKind.AttentionOutput, output.Forward(pass.Visit(layer, SiteKind.Heads, mixed)));
        }
    }
}
