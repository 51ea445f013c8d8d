using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Training;

/// <summary>
/// TopK and BatchTopK. Loss: Σ‖x − x̂‖² / Σ‖x − x̄‖² + α Σ‖r − r̂‖² / Σ‖r − r̄‖², where r = x − x̂ (not differentiated) and r̂ is what the largest dead latents
/// make of it (Gao et al. 2024, arXiv 2406.04093, section 2.4 and appendix A.2; openai/sparse_autoencoder). Gradients are written out: only active latents have any, so that of
/// the five matrix products of autograd only the encoder's remains, and the other four gather and scatter rows (measured at 2048 × 576 × 2304, 32 active, two cores: 16 to
/// 30 ms each where the dense product takes 90).
/// </summary>
internal sealed class TopKTrainer : SaeTrainer
{
    // The most latents of one activation, in BatchTopK, as a multiple of the mean: bounds what has to be sorted.
    private const int MostOfMean = 4;

    private readonly TopKOptions options;
    private readonly Tensor encoderBias;

    public TopKTrainer(long inputs, long width, TopKOptions options, RandomStream random) : base(inputs, width, random)
    {
        if (options.Active > width)
            throw new UsageException($"sparsity.active is {options.Active}; an autoencoder of {width} latents can have {width} active at most.");
        this.options = options;
        using var scope = new TensorScope();
        encoderBias = Parameter("b_enc", Tensor.Zeros([width], device: random.Device));
    }

    /// <summary>BatchTopK: running average of the smallest active latent; 0 before the first step.</summary>
    public double Threshold { get; private set; }

    public override SaeStep Step(Tensor x, double pressure, long deadAfter)
    {
        var n = x.Size(0);
        var centred = x - DecoderBias; // (N, D)
        var pre = encoderBias.Addmm(centred, Encoder.T()); // (N, K)
        var code = Choose(pre);
        var error = Decoder.GatherSum(code.Latents, code.Offsets, code.Values).AddInPlace(DecoderBias).SubInPlace(x); // (N, D)
        var variation = Variation(x);
        var squared = error.Square().Sum().Item();
        var gradient = error * (2 / variation);
        var toValues = gradient.GatherDot(Decoder, code.Latents, code.Offsets, code.Rows) * code.Values.Gt(0.0).To(DType.Float32);
        var toDecoder = gradient.ScatterSum(code.Latents, code.Rows, code.Values, Width);
        var toEncoder = centred.ScatterSum(code.Latents, code.Rows, toValues, Width);
        var toEncoderBias = encoderBias.ZerosLike().IndexAddInPlace(0, code.Latents, toValues);
        var loss = squared / variation + Auxiliary(pre, centred, error, deadAfter, toDecoder, toEncoder, toEncoderBias);
        // b_dec is added after decoding and subtracted before encoding; the latter sums to Σ over latents of their bias's gradient times their row.
        var toDecoderBias = gradient.Sum(0L) - toEncoderBias.Unsqueeze(0).Mm(Encoder).Squeeze(0);
        var active = encoderBias.ZerosLike().IndexAddInPlace(0, code.Latents, code.Values.Gt(0.0).To(DType.Float32));
        return new SaeStep(loss, squared, active, [toEncoder, toDecoder, toDecoderBias, toEncoderBias]);
    }

    public override SparseAutoencoder Export(SparseAutoencoderConfiguration common)
    {
        using var scope = new TensorScope();
        var vectors = new Dictionary<string, Tensor> { ["b_enc"] = encoderBias / Scale };
        if (options is not BatchTopKOptions)
            return Make(common, TopKAutoencoder.Name, vectors, options.Active);
        vectors.Add("threshold", Tensor.Full([Width], Threshold / Scale));
        return Make(common, JumpReluAutoencoder.Name, vectors);
    }

    public override void Save(StateWriter state, string prefix) => state.Add(prefix + "threshold", Threshold);

    public override void Load(StateReader state, string prefix) => Threshold = state.Real(prefix + "threshold");

    /// <summary>The active latents of a batch as a list.</summary>
    /// <param name="Latents">Which, (M).</param>
    /// <param name="Rows">Of which activation, (M), ascending.</param>
    /// <param name="Offsets">Where each activation begins in the list, (N).</param>
    /// <param name="Values">How strong, 0 or more, (M).</param>
    private sealed record Code(Tensor Latents, Tensor Rows, Tensor Offsets, Tensor Values);

    private Code Choose(Tensor pre)
    {
        var (n, device) = (pre.Size(0), pre.Device);
        if (options is not BatchTopKOptions batch)
        {
            var largest = pre.TopK(options.Active);
            var offsets = Tensor.Arange(0, n * options.Active, options.Active, device: device);
            return new Code(largest[1].View(-1), Tensor.Arange(0, n, device: device).RepeatInterleave(options.Active, 0), offsets, largest[0].View(-1).ReluInPlace());
        }
        // The n · K largest of the batch, among the 4 K largest of each activation.
        var candidates = Math.Min(Width, (long)options.Active * MostOfMean);
        var top = pre.TopK(candidates);
        var flat = top[0].View(-1);
        var kept = flat.TopK(n * options.Active)[1].Sort()[0];
        var values = flat.IndexSelect(0, kept).ReluInPlace();
        var rows = Tensor.Arange(0, n, device: device).RepeatInterleave(candidates, 0).IndexSelect(0, kept);
        var counts = Tensor.Zeros([n], DType.Int64, device).IndexAddInPlace(0, rows, rows.OnesLike());
        Follow(values, batch.ThresholdRate);
        return new Code(top[1].View(-1).IndexSelect(0, kept), rows, counts.Cumsum(0) - counts, values);
    }

    private void Follow(Tensor values, double rate)
    {
        var positive = values.Index(values.Gt(0.0));
        if (positive.Elements == 0)
            return;
        var smallest = positive.Min().Item();
        Threshold = Threshold == 0 ? smallest : Threshold + rate * (smallest - Threshold);
    }

    // Adds the auxiliary loss's gradients in place; dense, over the dead latents alone, which are few or soon few.
    private double Auxiliary(Tensor pre, Tensor centred, Tensor error, long deadAfter, Tensor toDecoder, Tensor toEncoder, Tensor toEncoderBias)
    {
        var dead = SinceActive.Ge(deadAfter).Nonzero().View(-1);
        if (options.AuxiliaryWeight == 0 || dead.Elements == 0)
            return 0;
        var taken = Math.Min(dead.Elements, options.AuxiliaryActive > 0 ? options.AuxiliaryActive : Math.Max(1, Inputs / 2));
        var deadPre = pre.IndexSelect(1, dead);
        var top = deadPre.TopK(taken);
        var values = deadPre.ZerosLike().ScatterInPlace(1, top[1], top[0].Relu()); // (N, dead)
        var directions = Decoder.IndexSelect(0, dead);
        var variation = Variation(error);
        if (!(variation > 0))
            return 0;
        var missing = values.Mm(directions).AddInPlace(error); // r̂ − r, since r = −error
        var gradient = missing * (2 * options.AuxiliaryWeight / variation);
        var toValues = gradient.Mm(directions.T()).MulInPlace(values.Gt(0.0).To(DType.Float32));
        toDecoder.IndexAddInPlace(0, dead, values.T().Mm(gradient));
        toEncoder.IndexAddInPlace(0, dead, toValues.T().Mm(centred));
        toEncoderBias.IndexAddInPlace(0, dead, toValues.Sum(0L));
        return options.AuxiliaryWeight * missing.Square().Sum().Item() / variation;
    }

    private static double Variation(Tensor x) => (x - x.Mean(0L)).Square().Sum().Item();
}
