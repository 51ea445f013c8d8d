using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Training;

/// <summary>
/// Gated: mean over the batch of ‖x − x̂‖² + λ Σ ReLU(π) + ‖x − x̂_gate‖², where π are the gates' pre-activations and x̂_gate decodes ReLU(π) with a decoder that is not
/// differentiated (Rajamanoharan et al. 2024, arXiv 2404.16014, equation 8).
/// </summary>
internal sealed class GatedTrainer : SaeTrainer
{
    private readonly GatedOptions options;
    private readonly Tensor gateBias, magnitudeBias, magnitudeScale;

    public GatedTrainer(long inputs, long width, GatedOptions options, RandomStream random) : base(inputs, width, random)
    {
        this.options = options;
        using var scope = new TensorScope();
        gateBias = Parameter("b_gate", Tensor.Zeros([width], device: random.Device));
        magnitudeBias = Parameter("b_mag", Tensor.Zeros([width], device: random.Device));
        magnitudeScale = Parameter("r_mag", Tensor.Zeros([width], device: random.Device));
    }

    public override SaeStep Step(Tensor x, double pressure, long deadAfter)
    {
        Tensor? z = null, squared = null;
        var gradients = Differentiate(() =>
        {
            var shared = (x - DecoderBias).MatMul(Encoder.T());
            var gates = (shared + gateBias).Relu();
            z = gates.Detach().Gt(0.0).To(x.DType) * (shared * magnitudeScale.Exp() + magnitudeBias).Relu();
            squared = (z.Mm(Decoder) + DecoderBias - x).Square().Sum();
            var viaGates = (gates.Mm(Decoder.Detach()) + DecoderBias.Detach() - x).Square().Sum();
            return (squared + gates.Sum() * (options.Penalty * pressure) + viaGates) / x.Size(0);
        }, out var loss);
        return new SaeStep(loss.Item(), squared!.Item(), z!.Detach().Gt(0.0).Sum(0L).To(DType.Float32), gradients);
    }

    public override SparseAutoencoder Export(SparseAutoencoderConfiguration common)
    {
        using var scope = new TensorScope();
        return Make(common, GatedAutoencoder.Name, new Dictionary<string, Tensor> { ["b_gate"] = gateBias / Scale, ["b_mag"] = magnitudeBias / Scale, ["r_mag"] = magnitudeScale });
    }
}
