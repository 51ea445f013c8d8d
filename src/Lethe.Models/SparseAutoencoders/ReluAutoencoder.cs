using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders;

/// <summary>z = ReLU((x − b_dec) W_enc + b_enc) (Bricken et al. 2023, Towards Monosemanticity); SAELens calls it "standard".</summary>
public sealed class ReluAutoencoder : SparseAutoencoder
{
    /// <summary>The name in configurations.</summary>
    public const string Name = "standard";

    internal ReluAutoencoder(SparseAutoencoderConfiguration configuration, SaeState state) : base(configuration, state) =>
        EncoderBias = Buffer("b_enc", state["b_enc"]);

    /// <summary>b_enc, (K).</summary>
    public Tensor EncoderBias { get; }

    private protected override (Tensor? Factor, Tensor Shift) Affine => (null, EncoderBias);

    private protected override Tensor Latents(Tensor x) => (Centred(x).MatMul(Encoder) + EncoderBias).Relu();
}
