using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders;

/// <summary>
/// z = ReLU(pre) where pre = (x − b_dec) W_enc + b_enc exceeds the latent's threshold, else 0 (Rajamanoharan et al. 2024, arXiv 2407.14435; Gemma Scope).
/// An autoencoder trained with BatchTopK is one, too, with one threshold for all latents (Bussmann et al. 2024, arXiv 2412.06410).
/// </summary>
public sealed class JumpReluAutoencoder : SparseAutoencoder
{
    /// <summary>The name in configurations.</summary>
    public const string Name = "jumprelu";

    internal JumpReluAutoencoder(SparseAutoencoderConfiguration configuration, SaeState state) : base(configuration, state)
    {
        EncoderBias = Buffer("b_enc", state["b_enc"]);
        Threshold = Buffer("threshold", state["threshold"]);
    }

    /// <summary>b_enc, (K).</summary>
    public Tensor EncoderBias { get; }

    /// <summary>The pre-activation that a latent has to exceed, (K).</summary>
    public Tensor Threshold { get; }

    private protected override (Tensor? Factor, Tensor Shift) Affine => (null, EncoderBias);

    private protected override Tensor Latents(Tensor x)
    {
        var pre = Centred(x).MatMul(Encoder) + EncoderBias;
        return pre.Relu() * pre.Gt(Threshold).To(pre.DType);
    }
}
