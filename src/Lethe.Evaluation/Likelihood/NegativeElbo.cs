using System.Globalization;
using Lethe.Evaluation.Statistics;
using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Evaluation.Likelihood;

/// <summary>Options of <see cref="NegativeElbo"/>.</summary>
public sealed record NegativeElboOptions
{
    /// <summary>Draws of the bound's noise for each image, at least 1. 16 bring the noise of the draws far below the spread between images.</summary>
    public int Draws { get; init; } = 16;

    /// <summary>Images at once. Noise pairs up between two calls only if this is equal.</summary>
    public int Batch { get; init; } = 1_000;
}

/// <summary>
/// The negative evidence lower bound of real held-out images, nats an image: how badly a model explains them. The lower the better for what
/// is kept; of what was forgotten, it should be high.
/// </summary>
public sealed class NegativeElbo
{
    private readonly double[] values;
    private readonly long[] labels;

    private NegativeElbo(double[] values, long[] labels) => (this.values, this.labels) = (values, labels);

    /// <summary>The value of each image, a mean over the draws, nats.</summary>
    public IReadOnlyList<double> Values => values;

    /// <summary>A measurement that was kept: its values and labels in their order.</summary>
    /// <param name="values">Of each image, nats.</param>
    /// <param name="labels">Of each image.</param>
    public static NegativeElbo FromValues(double[] values, long[] labels)
    {
        Check.SameLength(values.Length, labels.Length, "images");
        Check.Finite(values, "of −ELBO by image");
        return new NegativeElbo(values, labels);
    }

    /// <summary>Measures every image under its own label.</summary>
    /// <param name="model">In evaluation mode.</param>
    /// <param name="images">(N, …), N at least 1.</param>
    /// <param name="imageLabels">(N) int64.</param>
    /// <param name="noise">
    /// Where the bound's noise comes from. A sub-stream is used, whatever was drawn before: two models measured on the same images with the same
    /// stream see the same noise, which cancels in <see cref="Change"/>.
    /// </param>
    /// <param name="options">Draws and batch.</param>
    /// <exception cref="RunFailedException">The value of an image is not finite.</exception>
    /// <exception cref="UsageException">An option is out of its range.</exception>
    public static NegativeElbo Measure(IConditionalLikelihood model, Tensor images, Tensor imageLabels, RandomStream noise, NegativeElboOptions? options = null)
    {
        options ??= new NegativeElboOptions();
        Check.Option(options.Draws >= 1, "number of draws for −ELBO", options.Draws, "at least 1");
        Check.Option(options.Batch >= 1, "batch for −ELBO", options.Batch, "at least 1");
        var count = images.Size(0);
        if (count == 0 || imageLabels.Dimensions != 1 || imageLabels.Size(0) != count)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{images} are measured with labels {imageLabels}; at least one image and one label for each are needed"));

        using var noGrad = Autograd.NoGrad();
        using var stream = noise.Child("negative-elbo");
        var values = new double[count];
        for (long start = 0; start < count; start += options.Batch)
        {
            using var scope = new TensorScope();
            var size = Math.Min(options.Batch, count - start);
            Tensor x = images.Narrow(0, start, size), y = imageLabels.Narrow(0, start, size);
            var sum = Tensor.Zeros([size], DType.Float64, images.Device);
            for (var draw = 0; draw < options.Draws; draw++)
            {
                using var inner = new TensorScope();
                sum.AddInPlace(model.NegativeElbo(x, y, model.DrawNoise(size, stream)));
            }
            sum.DivInPlace(options.Draws).ToArray<double>().CopyTo(values.AsSpan((int)start));
        }
        Check.Finite(values, "of −ELBO by image");
        return new NegativeElbo(values, imageLabels.ToArray<long>());
    }

    /// <summary>The mean over all images of the given labels; standard error over images.</summary>
    /// <param name="of">Labels that images were measured of; null for all.</param>
    /// <param name="better">Higher for what was to be forgotten, lower for what had to stay.</param>
    public Measure Of(IReadOnlyCollection<int>? of = null, Better better = Better.Neither) => Mean.Of(Select(of), better);

    /// <summary>The mean change of the same images between two models; standard error of the paired differences.</summary>
    /// <param name="before">Measured on the same images, in the same order.</param>
    /// <param name="after">Measured with the same stream and options.</param>
    /// <param name="of">Labels that images were measured of; null for all.</param>
    /// <param name="better">Which direction of the change is better.</param>
    public static Measure Change(NegativeElbo before, NegativeElbo after, IReadOnlyCollection<int>? of = null, Better better = Better.Neither)
    {
        if (!before.labels.AsSpan().SequenceEqual(after.labels))
            throw new ArgumentException("the two measurements are not of the same images in the same order, so their change cannot be paired");
        return PairedDifference.Of(before.Select(of), after.Select(of), better);
    }

    private double[] Select(IReadOnlyCollection<int>? of)
    {
        if (of is null)
            return values;
        var wanted = of.Select(label => (long)label).ToHashSet();
        if (wanted.Except(labels).Order().FirstOrDefault(-1) is var missing and >= 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"no image of label {missing} was measured"));
        return [.. values.Where((_, i) => wanted.Contains(labels[i]))];
    }
}
