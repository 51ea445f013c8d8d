using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Training;

/// <summary>
/// JumpReLU: mean ‖x − x̂‖² + λ (L0 / target − 1)² (Rajamanoharan et al. 2024, arXiv 2407.14435, equations 9 to 12; the target as in dictionary_learning). The derivatives with
/// respect to a threshold θ are estimates with a rectangle of width ε around it: −θ/ε K for the value, −1/ε K for the count, K = 1 where |pre − θ| &lt; ε/2. They come in as identities:
/// (θ.detach − θ) · c is 0 and has the derivative −c, so that backward calls nothing here.
/// </summary>
internal sealed class JumpReluTrainer : SaeTrainer
{
    private readonly JumpReluOptions options;
    private readonly Tensor encoderBias, logThreshold;

    public JumpReluTrainer(long inputs, long width, JumpReluOptions options, RandomStream random) : base(inputs, width, random)
    {
        this.options = options;
        using var scope = new TensorScope();
        encoderBias = Parameter("b_enc", Tensor.Zeros([width], device: random.Device));
        logThreshold = Parameter("log_threshold", Tensor.Full([width], Math.Log(options.Threshold), device: random.Device));
    }

    // Threshold and bandwidth are given for this scale (Gemma Scope).
    public override double TargetNorm => 1;

    public override SaeStep Step(Tensor x, double pressure, long deadAfter)
    {
        Tensor? z = null, squared = null;
        var gradients = Differentiate(() =>
        {
            var pre = ((x - DecoderBias).MatMul(Encoder.T()) + encoderBias).Relu();
            var threshold = logThreshold.Exp();
            (z, var count) = Jump(pre, threshold, options.Bandwidth);
            squared = (z.Mm(Decoder) + DecoderBias - x).Square().Sum();
            return squared / x.Size(0) + (count.Sum() / ((double)x.Size(0) * options.Active) - 1.0).Square() * (options.TargetWeight * pressure);
        }, out var loss);
        return new SaeStep(loss.Item(), squared!.Item(), z!.Detach().Gt(0.0).Sum(0L).To(DType.Float32), gradients);
    }

    /// <summary>JumpReLU and the step function of pre-activations, with the estimated derivatives in the threshold.</summary>
    internal static (Tensor Value, Tensor Count) Jump(Tensor pre, Tensor threshold, double bandwidth)
    {
        var still = threshold.Detach();
        var moving = still - threshold; // 0, with derivative −1
        var above = pre.Detach().Gt(still).To(pre.DType);
        var near = (pre.Detach() - still).Abs().Lt(bandwidth / 2).To(pre.DType) / bandwidth;
        return (pre * above + moving * (near * still), above + moving * near);
    }

    public override SparseAutoencoder Export(SparseAutoencoderConfiguration common)
    {
        using var scope = new TensorScope();
        return Make(common, JumpReluAutoencoder.Name, new Dictionary<string, Tensor> { ["b_enc"] = encoderBias / Scale, ["threshold"] = logThreshold.Exp() / Scale });
    }
}
