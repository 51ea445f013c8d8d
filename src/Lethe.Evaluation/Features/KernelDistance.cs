using MathNet.Numerics.Distributions;

namespace Lethe.Evaluation.Features;

/// <summary>
/// The kernel distance (Bińkowski et al. 2018, arXiv 1801.01401): the squared maximum mean discrepancy of two sets of features under the
/// kernel k(x, y) = (x·y/d + 1)³, without bias, so that it can be a little below 0 where the sets agree.
/// </summary>
/// <remarks>
/// All pairs are used, not subsets. The standard error is the delete-one jackknife over both sets, which needs only the row sums that
/// are there already. Cost: (m² + n² + 2mn)·d multiply-adds.
/// </remarks>
public static class KernelDistance
{
    /// <summary>Measures the distance between real images and samples.</summary>
    /// <param name="real">Judge features of m ≥ 3 real images.</param>
    /// <param name="samples">Features of n ≥ 3 samples by the same judge.</param>
    /// <param name="confidence">Of the interval (kind "jackknife"), share of 1.</param>
    public static Measure Between(JudgeFeatures real, JudgeFeatures samples, double confidence = 0.95)
    {
        Statistics.Check.Confidence(confidence);
        JudgeFeatures.CheckPair(real, samples, least: 3);
        double m = real.Count, n = samples.Count;
        var (realSums, sampleSums) = (KernelSums(real, real, skipSelf: true), KernelSums(samples, samples, skipSelf: true));
        var (realCross, sampleCross) = (KernelSums(real, samples, skipSelf: false), KernelSums(samples, real, skipSelf: false));
        double xx = realSums.Sum(), yy = sampleSums.Sum(), xy = realCross.Sum();
        var value = xx / (m * (m - 1)) + yy / (n * (n - 1)) - 2 * xy / (m * n);

        // Leaving one row out takes its sum from xx twice (as row and as column) and from xy once.
        double Leave(double own, double cross, double total, double size, double otherMean, double otherSize) =>
            (total - 2 * own) / ((size - 1) * (size - 2)) + otherMean - 2 * (xy - cross) / ((size - 1) * otherSize);
        var leaveReal = realSums.Zip(realCross, (own, cross) => Leave(own, cross, xx, m, yy / (n * (n - 1)), n)).ToArray();
        var leaveSample = sampleSums.Zip(sampleCross, (own, cross) => Leave(own, cross, yy, n, xx / (m * (m - 1)), m)).ToArray();
        var error = Math.Sqrt(JackknifeVariance(leaveReal) + JackknifeVariance(leaveSample));
        var half = Normal.InvCDF(0, 1, 0.5 + confidence / 2) * error;
        return new Measure(value, samples.Count, error, new Interval(value - half, value + half, confidence, "jackknife"), Better.Lower);
    }

    private static double[] KernelSums(JudgeFeatures first, JudgeFeatures second, bool skipSelf)
    {
        var sums = new double[first.Count];
        var scale = 1.0 / first.Dimension;
        Pairs.ForEach(first, second, (row, start, products) =>
        {
            var sum = 0.0;
            for (var i = 0; i < products.Length; i++)
            {
                if (skipSelf && start + i == row)
                    continue;
                var inner = products[i] * scale + 1;
                sum += inner * inner * inner;
            }
            sums[row] += sum;
        });
        return sums;
    }

    private static double JackknifeVariance(double[] leftOut)
    {
        var deviation = Statistics.Mean.MeanAndDeviation(leftOut).Deviation;
        var n = (double)leftOut.Length;
        return deviation * deviation * (n - 1) * (n - 1) / n;
    }
}
