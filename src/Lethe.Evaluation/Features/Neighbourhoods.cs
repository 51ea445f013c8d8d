using Lethe.Evaluation.Statistics;

namespace Lethe.Evaluation.Features;

/// <summary>Precision, recall, density and coverage in a judge's feature space. All are better the higher.</summary>
/// <param name="Precision">Share of samples that lie within the neighbourhood of some real image: are samples plausible?</param>
/// <param name="Recall">Share of real images that lie within the neighbourhood of some sample: is all variety there?</param>
/// <param name="Density">Mean number of real neighbourhoods that a sample lies in, over k: like precision, less moved by outliers; may exceed 1.</param>
/// <param name="Coverage">Share of real images with a sample in their neighbourhood: like recall, less moved by outliers.</param>
public sealed record NeighbourhoodResult(Measure Precision, Measure Recall, Measure Density, Measure Coverage);

/// <summary>
/// Improved precision and recall (Kynkäänniemi et al. 2019, arXiv 1904.06991) and density and coverage (Naeem et al. 2020, arXiv
/// 2002.09797). The neighbourhood of a point is the ball that reaches its k-th nearest other point of its own set.
/// </summary>
/// <remarks>
/// Shares carry Wilson's interval and density its standard error, both given the neighbourhoods: how these would change with other
/// images is not part of it. Cost: (m² + n² + 2mn)·d multiply-adds, no matrix of distances in memory.
/// </remarks>
public static class Neighbourhoods
{
    /// <summary>Measures samples against real images. The order matters: the reference comes first.</summary>
    /// <param name="real">Judge features of more than k real images.</param>
    /// <param name="samples">Features of more than k samples by the same judge.</param>
    /// <param name="k">Which nearest neighbour sets the radius; 3 as in Kynkäänniemi et al.</param>
    /// <param name="confidence">Of the intervals, share of 1.</param>
    public static NeighbourhoodResult Between(JudgeFeatures real, JudgeFeatures samples, int k = 3, double confidence = 0.95)
    {
        Check.Confidence(confidence);
        if (k < 1)
            throw new ArgumentOutOfRangeException(nameof(k), k, "the nearest neighbour counts from 1");
        JudgeFeatures.CheckPair(real, samples, least: k + 1);

        double[] realNorms = Pairs.SquaredNorms(real), sampleNorms = Pairs.SquaredNorms(samples);
        double[] realRadii = SquaredRadii(real, realNorms, k), sampleRadii = SquaredRadii(samples, sampleNorms, k);

        var inside = new int[samples.Count]; // real neighbourhoods, border included, that hold the sample
        var strictlyInside = new int[samples.Count];
        Pairs.ForEach(samples, real, (row, start, products) =>
        {
            int within = 0, strictly = 0;
            for (var i = 0; i < products.Length; i++)
            {
                var distance = SquaredDistance(sampleNorms[row], realNorms[start + i], products[i]);
                within += distance <= realRadii[start + i] ? 1 : 0;
                strictly += distance < realRadii[start + i] ? 1 : 0;
            }
            inside[row] += within;
            strictlyInside[row] += strictly;
        });

        var recalled = new bool[real.Count];
        var covered = new bool[real.Count];
        Pairs.ForEach(real, samples, (row, start, products) =>
        {
            for (var i = 0; i < products.Length; i++)
            {
                var distance = SquaredDistance(realNorms[row], sampleNorms[start + i], products[i]);
                recalled[row] |= distance <= sampleRadii[start + i];
                covered[row] |= distance < realRadii[row];
            }
        });

        return new NeighbourhoodResult(
            Proportion.Share([.. inside.Select(n => n > 0)], Better.Higher, confidence),
            Proportion.Share(recalled, Better.Higher, confidence),
            Mean.Of([.. strictlyInside.Select(n => (double)n / k)], Better.Higher, confidence),
            Proportion.Share(covered, Better.Higher, confidence));
    }

    /// <summary>The squared distance of each row to its k-th nearest other row.</summary>
    private static double[] SquaredRadii(JudgeFeatures set, double[] norms, int k)
    {
        var nearest = new double[set.Count * k]; // ascending for each row
        Array.Fill(nearest, double.PositiveInfinity);
        Pairs.ForEach(set, set, (row, start, products) =>
        {
            var list = nearest.AsSpan(row * k, k);
            for (var i = 0; i < products.Length; i++)
            {
                if (start + i == row)
                    continue;
                var distance = SquaredDistance(norms[row], norms[start + i], products[i]);
                if (distance >= list[^1])
                    continue;
                var place = k - 1;
                for (; place > 0 && list[place - 1] > distance; place--)
                    list[place] = list[place - 1];
                list[place] = distance;
            }
        });
        return [.. Enumerable.Range(0, set.Count).Select(row => nearest[row * k + k - 1])];
    }

    private static double SquaredDistance(double firstNorm, double secondNorm, double product) => Math.Max(0, firstNorm + secondNorm - 2 * product);
}
