using System.Globalization;
using Lethe.Torch;

namespace Lethe.Evaluation.Features;

/// <summary>
/// What a judge network sees in a set of images: one row of features for each. Distances between such sets are only comparable within
/// one judge and one layer of it; they are not FID, which uses Inception's features.
/// </summary>
public sealed class JudgeFeatures
{
    private readonly double[] values;

    private JudgeFeatures(double[] values, int count, int dimension) => (this.values, Count, Dimension) = (values, count, dimension);

    /// <summary>Number of images.</summary>
    public int Count { get; }

    /// <summary>Number of features of an image.</summary>
    public int Dimension { get; }

    /// <summary>The features of one image.</summary>
    public ReadOnlySpan<double> this[int image] => values.AsSpan(image * Dimension, Dimension);

    /// <summary>The features of consecutive images, row by row.</summary>
    internal ReadOnlySpan<double> Rows(int start, int count) => values.AsSpan(start * Dimension, count * Dimension);

    /// <summary>Takes features that lie row by row; the array is not copied.</summary>
    /// <param name="values">count × dimension finite values.</param>
    /// <param name="dimension">Number of features of an image, at least 1.</param>
    /// <exception cref="RunFailedException">A value is not finite.</exception>
    public static JudgeFeatures FromRows(double[] values, int dimension)
    {
        if (dimension < 1 || values.Length % dimension != 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{values.Length} values do not make whole rows of {dimension} features"));
        var bad = Array.FindIndex(values, value => !double.IsFinite(value));
        if (bad >= 0)
            throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"Feature {bad % dimension} of image {bad / dimension} is {values[bad]}; the judge or the image is broken."));
        return new JudgeFeatures(values, values.Length / dimension, dimension);
    }

    /// <summary>Takes images through a judge, in batches and without recording gradients.</summary>
    /// <param name="features">Features (B, D) of images (B, …); the judge must be in evaluation mode.</param>
    /// <param name="images">(N, …), N at least 1.</param>
    /// <param name="batch">Images at once.</param>
    /// <exception cref="RunFailedException">A feature is not finite.</exception>
    public static JudgeFeatures Read(Func<Tensor, Tensor> features, Tensor images, int batch = 1_000)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        using var noGrad = Autograd.NoGrad();
        var rows = new List<double[]>();
        var dimension = 0L;
        for (long start = 0, count = images.Size(0); start < count; start += batch)
        {
            using var scope = new TensorScope();
            var read = features(images.Narrow(0, start, Math.Min(batch, count - start)));
            dimension = read.Size(1);
            rows.Add(read.To(DType.Float64).ToArray<double>());
        }
        return FromRows([.. rows.SelectMany(row => row)], (int)dimension);
    }

    /// <summary>Several sets by one judge as one.</summary>
    /// <param name="sets">At least one, all of the same dimension.</param>
    public static JudgeFeatures Join(params IReadOnlyList<JudgeFeatures> sets)
    {
        if (sets.FirstOrDefault(set => set.Dimension != sets[0].Dimension) is { } odd)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"sets of {sets[0].Dimension} and {odd.Dimension} features cannot be joined; all must come from one layer of one judge"));
        return new JudgeFeatures([.. sets.SelectMany(set => set.values)], sets.Sum(set => set.Count), sets[0].Dimension);
    }

    /// <summary>The rows at the given places, copied.</summary>
    /// <param name="images">Places from 0.</param>
    public JudgeFeatures Select(IReadOnlyList<int> images)
    {
        var picked = new double[images.Count * Dimension];
        for (var i = 0; i < images.Count; i++)
            this[images[i]].CopyTo(picked.AsSpan(i * Dimension));
        return new JudgeFeatures(picked, images.Count, Dimension);
    }

    /// <summary>Two sets come from one judge and hold enough images.</summary>
    internal static void CheckPair(JudgeFeatures real, JudgeFeatures samples, int least)
    {
        if (real.Dimension != samples.Dimension)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"real images have {real.Dimension} features and samples {samples.Dimension}; both must come from one layer of one judge"));
        if (real.Count < least || samples.Count < least)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{real.Count} real images and {samples.Count} samples given; at least {least} of each are needed"));
    }
}
