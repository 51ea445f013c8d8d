using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Reading;

/// <summary>What a corpus makes of each latent; arrays of size K.</summary>
/// <param name="Activations">Activations (tokens) of the corpus.</param>
/// <param name="Active">How many of them each latent was active on.</param>
/// <param name="Sum">Sum of its values.</param>
/// <param name="SumOfSquares">Sum of their squares.</param>
/// <param name="Largest">Its largest value; 0 where it was never active.</param>
public sealed record LatentReading(long Activations, double[] Active, double[] Sum, double[] SumOfSquares, double[] Largest)
{
    /// <summary>Mean over all activations, (K).</summary>
    public double[] Mean => [.. Sum.Select(sum => sum / Activations)];

    /// <summary>Share of the activations on which each latent is active, (K).</summary>
    public double[] Frequency => [.. Active.Select(count => count / Activations)];

    /// <summary>Variance over all activations, (K); Welch's test of two corpora needs no more than this, mean and count.</summary>
    public double[] Variance => [.. Sum.Zip(SumOfSquares, (sum, squares) => Math.Max(0, squares / Activations - sum / Activations * (sum / Activations)))];
}

/// <summary>Adds up latents of one corpus as they stream, in float64: five numbers for each latent, whatever the corpus's size.</summary>
public sealed class LatentStatistics : IDisposable
{
    private readonly Tensor active, sum, squares, largest;
    private long count;

    /// <summary>Begins with nothing.</summary>
    public LatentStatistics(long width, Device? device = null)
    {
        Tensor Zero()
        {
            using var scope = new TensorScope();
            return TensorScope.Detach(Tensor.Zeros([width], DType.Float64, device));
        }
        (active, sum, squares, largest) = (Zero(), Zero(), Zero(), Zero());
    }

    /// <summary>Takes in latents, (N, K).</summary>
    public void Add(Tensor z)
    {
        if (z.Size(0) == 0)
            return;
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        count += z.Size(0);
        active.AddInPlace(z.Ne(0.0).Sum(0L).To(DType.Float64));
        sum.AddInPlace(z.Sum(0L).To(DType.Float64));
        squares.AddInPlace(z.Square().Sum(0L).To(DType.Float64));
        largest.CopyInPlace(largest.Maximum(z.Amax([0]).To(DType.Float64)));
    }

    /// <summary>What was found so far.</summary>
    public LatentReading Read() => new(count, active.ToArray<double>(), sum.ToArray<double>(), squares.ToArray<double>(), largest.ToArray<double>());

    /// <summary>Frees the sums.</summary>
    public void Dispose()
    {
        active.Dispose();
        sum.Dispose();
        squares.Dispose();
        largest.Dispose();
    }
}
