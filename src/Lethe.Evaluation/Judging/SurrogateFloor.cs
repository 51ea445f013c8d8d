using Lethe.Evaluation.Statistics;
using Lethe.Torch;

namespace Lethe.Evaluation.Judging;

/// <summary>What a judge says of images that hold nothing of the concept: no forgetting into this surrogate can be expected to read lower.</summary>
/// <param name="Probability">Probability of the forgotten class on the mean surrogate image.</param>
/// <param name="Entropy">Entropy of the judge on the mean surrogate image, nats.</param>
/// <param name="Share">Share judged as the forgotten class among mean surrogate images with pixel noise (Wilson's interval).</param>
/// <param name="Deviation">Standard deviation of that noise.</param>
public sealed record SurrogateFloorResult(double Probability, double Entropy, Measure Share, double Deviation);

/// <summary>
/// The floor of the forgetting measures for a noise surrogate. A model that learned noise draws its mean: a nearly even image. The judge
/// has to call it something, and what it calls it says how it reads grey and nothing of what the model knows.
/// </summary>
public static class SurrogateFloor
{
    /// <summary>Reads the mean surrogate image, and copies of it with independent Gaussian noise at each pixel.</summary>
    /// <param name="judge">Log-probabilities (B, C) of images (B, …).</param>
    /// <param name="forgotten">The forgotten class.</param>
    /// <param name="meanSurrogate">The mean surrogate image, (…) without a batch dimension.</param>
    /// <param name="samples">Samples of the forgotten condition, (N, …): the noise gets the standard deviation of all their pixels.</param>
    /// <param name="count">Noisy images to judge, at least 1; as many as the samples they are compared with.</param>
    /// <param name="noise">Where the noise comes from; a sub-stream is used, so that the same stream gives the same result.</param>
    /// <param name="batch">Images at once.</param>
    /// <remarks>Noisy pixels are clamped to [0, 1], the range of images here.</remarks>
    public static SurrogateFloorResult Read(Func<Tensor, Tensor> judge, int forgotten, Tensor meanSurrogate, Tensor samples, int count, RandomStream noise, int batch = 1_000)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        using var stream = noise.Child("surrogate-floor");
        var clean = judge(meanSurrogate.Unsqueeze(0)).To(DType.Float64).ToArray<double>();
        var deviation = samples.Std().Item();

        var judgedAs = new List<bool>(count);
        for (var done = 0; done < count; done += batch)
        {
            using var inner = new TensorScope();
            var size = Math.Min(batch, count - done);
            var images = Tensor.Randn([size, .. meanSurrogate.Shape], stream, meanSurrogate.DType).MulInPlace(deviation).AddInPlace(meanSurrogate).ClampInPlace(0, 1);
            judgedAs.AddRange(judge(images).Argmax(1).ToArray<long>().Select(verdict => verdict == forgotten));
        }
        return new SurrogateFloorResult(Math.Exp(clean[forgotten]), Entropy.OfLogProbabilities(clean), Proportion.Share(judgedAs), deviation);
    }
}
