using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Unlearning.Generative;

/// <summary>What takes the place of a forgotten concept: the distribution q(x | c_f) of Selective Amnesia.</summary>
public interface ISurrogate : IDisposable
{
    /// <summary>Images drawn from it.</summary>
    /// <param name="n">How many.</param>
    /// <param name="random">Where they come from.</param>
    /// <returns>(n, image shape), values in [0, 1].</returns>
    Tensor Draw(long n, RandomStream random);
}

/// <summary>Uniform noise, each pixel on its own: what the paper replaces digits by. The model answers with the mean, grey.</summary>
/// <param name="imageShape">Shape of one image.</param>
public sealed class NoiseSurrogate(IReadOnlyList<long> imageShape) : ISurrogate
{
    /// <inheritdoc/>
    public Tensor Draw(long n, RandomStream random) => Tensor.Rand([n, .. imageShape], random);

    /// <summary>Holds nothing.</summary>
    public void Dispose() { }
}

/// <summary>Images at hand, drawn with replacement: a user's own, or samples of another label made beforehand.</summary>
public sealed class ImagesSurrogate : ISurrogate
{
    private readonly Tensor images;

    /// <summary>Takes the images over.</summary>
    /// <param name="images">(N, image shape), values in [0, 1].</param>
    public ImagesSurrogate(Tensor images)
    {
        if (images.Size(0) == 0)
            throw new BadInputException("A surrogate of images needs at least one image; none was given.");
        this.images = TensorScope.Detach(images);
    }

    /// <summary>The samples that a model gives for another label: the concept is mapped to that label.</summary>
    /// <param name="frozen">The model before forgetting.</param>
    /// <param name="label">The label that takes the concept's place.</param>
    /// <param name="n">Samples to draw from.</param>
    /// <param name="random">Where they come from.</param>
    public static ImagesSurrogate OfLabel(IConditionalLikelihood frozen, int label, long n, RandomStream random)
    {
        using var scope = new TensorScope();
        return new ImagesSurrogate(scope.Keep(SamplePool.Generate(frozen, [label], n, random).Images));
    }

    /// <inheritdoc/>
    public Tensor Draw(long n, RandomStream random)
    {
        using var scope = new TensorScope();
        return scope.Keep(images.IndexSelect(0, Tensor.RandInt(0, images.Size(0), [n], random)));
    }

    /// <summary>Frees the images.</summary>
    public void Dispose() => images.Dispose();
}

/// <summary>A weighted mean of two surrogates, pixel by pixel.</summary>
/// <param name="first">Taken over.</param>
/// <param name="second">Taken over.</param>
/// <param name="weight">Share of the first, in [0, 1].</param>
public sealed class BlendSurrogate(ISurrogate first, ISurrogate second, double weight) : ISurrogate
{
    /// <inheritdoc/>
    public Tensor Draw(long n, RandomStream random)
    {
        using var scope = new TensorScope();
        return scope.Keep(second.Draw(n, random).Lerp(first.Draw(n, random), weight));
    }

    /// <summary>Frees both.</summary>
    public void Dispose()
    {
        first.Dispose();
        second.Dispose();
    }
}
