using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Training;

/// <summary>
/// ReLU with L1: mean over the batch of ‖x − x̂‖² + λ Σₖ zₖ ‖W_dec,k‖ (Conerly et al. 2024, transformer-circuits.pub/2024/april-update). The decoder's rows may grow, since the
/// penalty follows them; the exported ones have unit norm.
/// </summary>
internal sealed class ReluTrainer : SaeTrainer
{
    private readonly ReluOptions options;
    private readonly Tensor encoderBias;

    public ReluTrainer(long inputs, long width, ReluOptions options, RandomStream random) : base(inputs, width, random)
    {
        this.options = options;
        using var scope = new TensorScope();
        encoderBias = Parameter("b_enc", Tensor.Zeros([width], device: random.Device));
        // Rows of norm 0.1, so that reconstructions start small (the same source).
        Decoder.MulInPlace(0.1);
        Encoder.MulInPlace(0.1);
    }

    public override bool UnitNorm => false;

    public override SaeStep Step(Tensor x, double pressure, long deadAfter)
    {
        Tensor? z = null, squared = null;
        var gradients = Differentiate(() =>
        {
            z = ((x - DecoderBias).MatMul(Encoder.T()) + encoderBias).Relu();
            squared = (z.Mm(Decoder) + DecoderBias - x).Square().Sum();
            return (squared + (z * Decoder.Norm(2, [1])).Sum() * (options.Penalty * pressure)) / x.Size(0);
        }, out var loss);
        return new SaeStep(loss.Item(), squared!.Item(), z!.Gt(0.0).Sum(0L).To(DType.Float32), gradients);
    }

    public override SparseAutoencoder Export(SparseAutoencoderConfiguration common)
    {
        using var scope = new TensorScope();
        var plain = Make(common, ReluAutoencoder.Name, new Dictionary<string, Tensor> { ["b_enc"] = encoderBias / Scale });
        // A row of norm 0 writes nothing, whatever its latent says.
        var norms = plain.Decoder.Norm(2, [1]).Clamp(minimum: 1e-12);
        plain.Decoder.DivInPlace(norms.Unsqueeze(1));
        plain.Encoder.MulInPlace(norms);
        ((ReluAutoencoder)plain).EncoderBias.MulInPlace(norms);
        return plain;
    }
}
