using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Models.Language.Layers;

/// <summary>down(f(gate x) · up x), the MLP of Llama and those after it (Shazeer, arXiv 2002.05202).</summary>
internal sealed class GatedMlp : ModelPart
{
    private readonly JoinedProjection both;
    private readonly Projection down;
    private readonly ActivationKind kind;
    private readonly int layer;

    public GatedMlp(LanguageModelConfiguration c, int layer, ParameterSource source, string prefix) : base(source, prefix)
    {
        this.layer = layer;
        kind = Elementwise.Kind(c.Activation);
        both = LoadJoined(["gate_proj", "up_proj"], c.HiddenSize, [c.IntermediateSize, c.IntermediateSize], c.MlpBias);
        down = LoadProjection("down_proj", c.IntermediateSize, c.HiddenSize, c.MlpBias, ParameterRole.ResidualMatrix);
    }

    /// <summary>(B, T, D) → (B, T, inner).</summary>
    public Tensor Neurons(Tensor x)
    {
        var parts = both.Forward(x);
        return Torch.Activation.Apply(kind, parts[0]) * parts[1];
    }

    /// <summary>(B, T, inner) → (B, T, D), the neurons visited.</summary>
    public Tensor Output(Tensor neurons, ForwardPass pass) =>
        pass.Visit(layer, SiteKind.MlpOutput, down.Forward(pass.Visit(layer, SiteKind.MlpNeurons, neurons)));
}

/// <summary>Functions of one element, by their names in configurations.</summary>
internal static class Elementwise
{
    public static ActivationKind Kind(Checkpoints.Activation activation) => activation switch
    {
        Checkpoints.Activation.Silu => ActivationKind.Silu,
        Checkpoints.Activation.Gelu => ActivationKind.Gelu,
        Checkpoints.Activation.GeluTanh => ActivationKind.GeluTanh,
        Checkpoints.Activation.Relu => ActivationKind.Relu,
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "no activation that Lethe knows"),
    };
}
