namespace Lethe.Evaluation.Features;

/// <summary>Mean and covariance of a set of features, of the whole and with groups of images left out.</summary>
internal sealed class Moments
{
    private readonly double[] centred; // (n, d)
    private readonly double[] mean;
    private readonly double[] scatter; // (d, d), upper triangle
    private readonly int count, dimension;

    public Moments(JudgeFeatures set)
    {
        (count, dimension) = (set.Count, set.Dimension);
        mean = new double[dimension];
        for (var image = 0; image < count; image++)
            for (var i = 0; i < dimension; i++)
                mean[i] += set[image][i] / count;
        // Everything is reckoned about the mean of the whole set, so that a large offset costs no digits.
        centred = new double[count * dimension];
        for (var image = 0; image < count; image++)
            for (var i = 0; i < dimension; i++)
                centred[image * dimension + i] = set[image][i] - mean[i];
        scatter = Scatter([.. Enumerable.Range(0, count)]);
    }

    /// <summary>Mean and covariance (n − 1) of all images.</summary>
    public (double[] Mean, double[] Covariance) All => Without([]);

    /// <summary>Mean (d) and full covariance (d, d) of the images that are not left out; costs only what the left out ones do.</summary>
    public (double[] Mean, double[] Covariance) Without(ReadOnlySpan<int> images)
    {
        var left = Scatter(images);
        var shift = new double[dimension];
        foreach (var image in images)
            for (var i = 0; i < dimension; i++)
                shift[i] -= centred[image * dimension + i];
        var n = count - images.Length;
        var covariance = new double[dimension * dimension];
        var moved = new double[dimension];
        for (var i = 0; i < dimension; i++)
        {
            moved[i] = mean[i] + shift[i] / n;
            for (var j = i; j < dimension; j++)
            {
                var value = (scatter[i * dimension + j] - left[i * dimension + j] - shift[i] * shift[j] / n) / (n - 1);
                covariance[i * dimension + j] = covariance[j * dimension + i] = value;
            }
        }
        return (moved, covariance);
    }

    /// <summary>Σ x xᵀ over the given images, upper triangle, four images at a time.</summary>
    private double[] Scatter(ReadOnlySpan<int> images)
    {
        var sum = new double[dimension * dimension];
        ReadOnlySpan<double> zero = new double[dimension];
        for (var at = 0; at < images.Length; at += 4)
        {
            var x0 = Row(images[at]);
            var x1 = at + 1 < images.Length ? Row(images[at + 1]) : zero;
            var x2 = at + 2 < images.Length ? Row(images[at + 2]) : zero;
            var x3 = at + 3 < images.Length ? Row(images[at + 3]) : zero;
            for (var i = 0; i < dimension; i++)
                Dense.AddFour(sum.AsSpan(i * dimension + i, dimension - i), x0[i], x0[i..], x1[i], x1[i..], x2[i], x2[i..], x3[i], x3[i..]);
        }
        return sum;
    }

    private ReadOnlySpan<double> Row(int image) => centred.AsSpan(image * dimension, dimension);
}
