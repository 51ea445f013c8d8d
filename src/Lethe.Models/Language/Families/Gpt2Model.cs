using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Layers;
using Lethe.Torch;

namespace Lethe.Models.Language.Families;

/// <summary>
/// GPT-2 (Radford et al. 2019): learnt positions, layer norms before attention and MLP, matrices stored as (inputs, outputs). Published checkpoints name their
/// tensors with or without "transformer." in front; parameters keep the file's spelling. Follows transformers' modeling_gpt2.py.
/// </summary>
public sealed class Gpt2Model : CausalLanguageModel
{
    private readonly LayerScale? norm;
    private readonly Tensor places;

    internal Gpt2Model(ModelBuild build) : base(build)
    {
        var c = build.Configuration;
        var prefix = build.Weights?.Contains("wte.weight") == true ? "" : "transformer.";
        LoadEmbedding(prefix + "wte.weight");
        places = Load(prefix + "wpe.weight", [c.MaximumPositions, c.HiddenSize], ParameterRole.Matrix);
        LoadLayers(prefix + "h.", (layer, name) => new Layer(c, layer, Source, name));
        norm = HasHead ? new(Load(prefix + "ln_f.weight", [c.HiddenSize], ParameterRole.Factor), Load(prefix + "ln_f.bias", [c.HiddenSize], ParameterRole.Bias), c.NormEpsilon) : null;
        LoadHead("lm_head.weight");
    }

    /// <inheritdoc/>
    public override Tensor Normalise(Tensor hidden) => (norm ?? throw NoHead()).Forward(hidden);

    private protected override Tensor Place(Tensor embedded, Tensor? positions, long past)
    {
        var count = embedded.Size(1);
        if (positions is null && past + count > Configuration.MaximumPositions)
            throw new ArgumentOutOfRangeException(nameof(positions), past + count, $"GPT-2 has {Configuration.MaximumPositions} positions");
        return embedded + (positions is null ? places.Narrow(0, past, count) : places.Embedding(positions.To(Device))).To(ComputeType);
    }

    /// <summary>x W + b with W (inputs, outputs).</summary>
    private sealed record Conv1D(Tensor Weight, Tensor Bias, bool Rounded)
    {
        public Tensor Forward(Tensor x) => new Projection(Weight.T(), Bias, Rounded).Forward(x);
    }

    private sealed class Layer : DecoderLayer
    {
        private readonly LanguageModelConfiguration configuration;
        private readonly LayerScale before, between;
        private readonly Conv1D project, output, up, down;
        private readonly ActivationKind kind;
        private readonly int layer;

        public Layer(LanguageModelConfiguration c, int layer, ParameterSource source, string prefix) : base(source, prefix)
        {
            (configuration, this.layer, kind) = (c, layer, Elementwise.Kind(c.Activation));
            long width = c.HiddenSize, inner = c.IntermediateSize;
            before = Norm("ln_1");
            project = Matrix("attn.c_attn", width, 3 * width, ParameterRole.Matrix);
            output = Matrix("attn.c_proj", width, width, ParameterRole.ResidualMatrix);
            between = Norm("ln_2");
            up = Matrix("mlp.c_fc", width, inner, ParameterRole.Matrix);
            down = Matrix("mlp.c_proj", inner, width, ParameterRole.ResidualMatrix);

            LayerScale Norm(string name) => new(Load(name + ".weight", [width], ParameterRole.Factor), Load(name + ".bias", [width], ParameterRole.Bias), c.NormEpsilon);
            Conv1D Matrix(string name, long inputs, long outputs, ParameterRole role) => new(Load(name + ".weight", [inputs, outputs], role), Load(name + ".bias", [outputs], ParameterRole.Bias), Source.RoundedProducts);
        }

        internal override LayerMiddle Begin(Tensor hidden, ForwardPass pass)
        {
            var x = pass.Visit(layer, SiteKind.ResidualBefore, hidden);
            x += pass.Visit(layer, SiteKind.AttentionAdded, Attend(before.Forward(x), pass));
            x = pass.Visit(layer, SiteKind.ResidualMiddle, x);
            return new(x, Torch.Activation.Apply(kind, up.Forward(between.Forward(x))));
        }

        internal override Tensor Finish(LayerMiddle middle, ForwardPass pass)
        {
            var neurons = pass.Visit(layer, SiteKind.MlpNeurons, middle.Neurons);
            var added = pass.Visit(layer, SiteKind.MlpAdded, pass.Visit(layer, SiteKind.MlpOutput, down.Forward(neurons)));
            return pass.Visit(layer, SiteKind.ResidualAfter, middle.Stream + added);
        }

        private Tensor Attend(Tensor x, ForwardPass pass)
        {
            // (B, T, 3 · heads · size): queries, then keys, then values
            var all = project.Forward(x).View(x.Size(0), x.Size(1), 3, configuration.Heads, configuration.HeadSize);
            var (key, value) = (all.Select(2, 1).Transpose(1, 2), all.Select(2, 2).Transpose(1, 2));
            if (pass.Cache is { } cache)
                (key, value) = cache.Append(layer, key, value);
            var mixed = GroupedAttention.Attend(all.Select(2, 0), key, value, configuration.QueryScale, null, null, pass);
            return pass.Visit(layer, SiteKind.AttentionOutput, output.Forward(pass.Visit(layer, SiteKind.Heads, mixed)));
        }
    }
}
