using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders;

/// <summary>
/// z = 1[h + b_gate &gt; 0] · ReLU(e^r_mag h + b_mag) with h = (x − b_dec) W_enc: one path decides which latents are active, the other how much
/// (Rajamanoharan et al. 2024, arXiv 2404.16014).
/// </summary>
public sealed class GatedAutoencoder : SparseAutoencoder
{
    /// <summary>The name in configurations.</summary>
    public const string Name = "gated";

    internal GatedAutoencoder(SparseAutoencoderConfiguration configuration, SaeState state) : base(configuration, state)
    {
        GateBias = Buffer("b_gate", state["b_gate"]);
        MagnitudeBias = Buffer("b_mag", state["b_mag"]);
        MagnitudeScale = Buffer("r_mag", state["r_mag"]);
    }

    /// <summary>b_gate, (K).</summary>
    public Tensor GateBias { get; }

    /// <summary>b_mag, (K).</summary>
    public Tensor MagnitudeBias { get; }

    /// <summary>r_mag, (K): the logarithm of what the magnitude's encoder is scaled by.</summary>
    public Tensor MagnitudeScale { get; }

    private protected override (Tensor? Factor, Tensor Shift) Affine => (MagnitudeScale.Exp(), MagnitudeBias);

    private protected override Tensor Latents(Tensor x)
    {
        var shared = Centred(x).MatMul(Encoder);
        return (shared + GateBias).Gt(0.0).To(x.DType) * (shared * MagnitudeScale.Exp() + MagnitudeBias).Relu();
    }
}
