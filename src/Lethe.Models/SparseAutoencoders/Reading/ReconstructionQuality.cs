using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Reading;

/// <summary>How well an autoencoder stands for the activations it was shown.</summary>
/// <param name="Activations">Activations shown.</param>
/// <param name="ActiveLatents">L0: latents other than 0, mean over activations.</param>
/// <param name="ExplainedVariance">1 − Σ‖x − x̂‖² / Σ‖x − mean‖², the textbook's; null where the activations do not vary.</param>
/// <param name="Cosine">Mean cosine of x and x̂.</param>
/// <param name="NormRatio">Mean of ‖x̂‖ / ‖x‖: below 1 where magnitudes shrink.</param>
/// <param name="DeadShare">Share of latents that were never active.</param>
/// <param name="MeanNorm">Mean of ‖x‖.</param>
/// <param name="Density">Histogram of log10 of the share of activations on which a latent is active.</param>
/// <param name="Frequency">That share for each latent, (K).</param>
public sealed record ReconstructionReading(long Activations, double ActiveLatents, double? ExplainedVariance, double Cosine, double NormRatio, double DeadShare, double MeanNorm, DensityHistogram Density, IReadOnlyList<double> Frequency);

/// <summary>A histogram of latents by log10 of their density.</summary>
/// <param name="Edges">Borders of the bins, ascending, one more than bins.</param>
/// <param name="Latents">Latents in each bin; dead ones are in none.</param>
public sealed record DensityHistogram(IReadOnlyList<double> Edges, IReadOnlyList<long> Latents)
{
    // A latent that is active less than once in a million tokens lies in the first bin.
    private const double Lowest = -6;
    private const int BinsPerDecade = 2;

    /// <summary>Makes the histogram.</summary>
    public static DensityHistogram Of(IEnumerable<double> frequency)
    {
        var bins = (int)-Lowest * BinsPerDecade;
        var counts = new long[bins];
        foreach (var share in frequency.Where(share => share > 0))
            counts[Math.Clamp((int)Math.Floor((Math.Log10(share) - Lowest) * BinsPerDecade), 0, bins - 1)]++;
        return new DensityHistogram([.. Enumerable.Range(0, bins + 1).Select(k => Lowest + (double)k / BinsPerDecade)], counts);
    }
}

/// <summary>
/// Adds up, batch by batch in float64, what <see cref="ReconstructionReading"/> needs: a few numbers, a mean of size D and a count of size K, however many
/// activations pass.
/// </summary>
/// <remarks>Σ‖x − mean‖² is updated by Chan's formula, so that a large common mean costs no digits.</remarks>
public sealed class ReconstructionQuality : IDisposable
{
    private readonly Tensor mean; // (D)
    private readonly Tensor active; // (K)
    private long count;
    private double variation, error, cosine, ratio, norm;

    /// <summary>Begins with nothing.</summary>
    public ReconstructionQuality(long inputSize, long width, Device? device = null)
    {
        using var scope = new TensorScope();
        mean = TensorScope.Detach(Tensor.Zeros([inputSize], DType.Float64, device));
        active = TensorScope.Detach(Tensor.Zeros([width], DType.Float64, device));
    }

    /// <summary>Takes in activations (N, D), their latents (N, K) and their reconstructions (N, D).</summary>
    public void Add(Tensor x, Tensor z, Tensor reconstruction)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var n = x.Size(0);
        if (n == 0)
            return;
        var (exact, recovered) = (x.To(DType.Float64), reconstruction.To(DType.Float64));
        var batchMean = exact.Mean(0L);
        var between = batchMean - mean;
        variation += (exact - batchMean).Square().Sum().Item() + between.Square().Sum().Item() * count * n / (count + n);
        mean.AddInPlace(between, (double)n / (count + n));
        count += n;
        error += (exact - recovered).Square().Sum().Item();
        var (norms, recoveredNorms) = (exact.Norm(2, [-1]).Clamp(minimum: 1e-300), recovered.Norm(2, [-1]));
        cosine += ((exact * recovered).Sum(-1) / (norms * recoveredNorms.Clamp(minimum: 1e-300))).Sum().Item();
        ratio += (recoveredNorms / norms).Sum().Item();
        norm += norms.Sum().Item();
        active.AddInPlace(z.Ne(0.0).Sum(0L).To(DType.Float64));
    }

    /// <summary>What was found so far.</summary>
    /// <exception cref="InvalidOperationException">No activation was taken in.</exception>
    public ReconstructionReading Read()
    {
        if (count == 0)
            throw new InvalidOperationException("No activation was taken in.");
        double[] frequency = [.. active.ToArray<double>().Select(times => times / count)];
        return new ReconstructionReading(count, frequency.Sum(), variation > 0 ? 1 - error / variation : null, cosine / count, ratio / count,
            (double)frequency.Count(share => share == 0) / frequency.Length, norm / count, DensityHistogram.Of(frequency), frequency);
    }

    /// <summary>Frees the sums.</summary>
    public void Dispose()
    {
        mean.Dispose();
        active.Dispose();
    }
}
