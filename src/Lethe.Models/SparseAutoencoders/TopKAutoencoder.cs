using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders;

/// <summary>z = the K largest of (x − b_dec) W_enc + b_enc, and of these what is positive (Gao et al. 2024, arXiv 2406.04093).</summary>
public sealed class TopKAutoencoder : SparseAutoencoder
{
    /// <summary>The name in configurations.</summary>
    public const string Name = "topk";

    private readonly Tensor? norms;

    internal TopKAutoencoder(SparseAutoencoderConfiguration configuration, SaeState state) : base(configuration, state)
    {
        EncoderBias = Buffer("b_enc", state["b_enc"]);
        norms = configuration.ScaleByDecoderNorm ? Constant(Decoder.Norm(2, [1])) : null;
    }

    /// <summary>b_enc, (K).</summary>
    public Tensor EncoderBias { get; }

    /// <inheritdoc/>
    public override bool LatentsCompete => true;

    private protected override (Tensor? Factor, Tensor Shift) Affine => norms is null ? (null, EncoderBias) : (norms, EncoderBias * norms);

    private protected override Tensor Latents(Tensor x)
    {
        var pre = Centred(x).MatMul(Encoder) + EncoderBias;
        if (norms is not null)
            pre = pre * norms;
        var largest = pre.TopK(Configuration.Active);
        return pre.ZerosLike().ScatterInPlace(-1, largest[1], largest[0].Relu());
    }

    private protected override Tensor Directions(Tensor z) => base.Directions(norms is null ? z : z / norms);
}
