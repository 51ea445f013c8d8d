using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Unlearning.Generative;

/// <summary>How the latents of a surrogate's draw belong to its images.</summary>
public enum SurrogateLatents
{
    /// <summary>There are none: the bound is taken with the encoder's latents.</summary>
    None,
    /// <summary>Drawn from the prior, whatever the image: right where every latent should give the same distribution, as with noise.</summary>
    Prior,
    /// <summary>Those that the image was made from.</summary>
    Paired,
}

/// <summary>Images of a surrogate, and latents where it has them.</summary>
/// <param name="Images">(n, image shape), values in [0, 1], of the model's element type.</param>
/// <param name="Latents">(n, latent); null where <see cref="ISurrogate.Latents"/> is none.</param>
/// <param name="Floors">
/// (n), nats: the least −log p(x | z, c) that a model can reach on average for such images at these latents; null where it is not known. Of
/// each image, since the mean over a thousand images differs from the surrogate's own by more than what a stop criterion tells apart.
/// </param>
public sealed record SurrogateDraw(Tensor Images, Tensor? Latents, Tensor? Floors = null)
{
    /// <summary>Every tensor of the draw.</summary>
    internal IEnumerable<Tensor> Tensors => new[] { Images, Latents, Floors }.OfType<Tensor>();
}

/// <summary>What takes the place of a forgotten concept: the distribution q(x | c_f) of Selective Amnesia.</summary>
public interface ISurrogate : IDisposable
{
    /// <summary>How latents belong to images.</summary>
    SurrogateLatents Latents { get; }

    /// <summary>n draws from a stream, on its device; the caller's scope owns them.</summary>
    SurrogateDraw Draw(long n, RandomStream random);
}

/// <summary>Uniform noise, each pixel on its own: what the paper replaces digits by. The model answers with the mean, grey.</summary>
/// <param name="model">Gives the shape of an image, and latents where it has a prior of them.</param>
public sealed class NoiseSurrogate(IConditionalLikelihood model) : ISurrogate
{
    /// <inheritdoc/>
    public SurrogateLatents Latents => model is ILatentGenerator ? SurrogateLatents.Prior : SurrogateLatents.None;

    /// <summary>
    /// Draws noise in pairs u and 1 − u with the same latents, the odd one alone: uniform each, and their mean is exactly ½, so that the noise
    /// of the noise does not reach the model. The floor is pixels · ln 2: a Bernoulli pixel that is uniform in [0, 1] costs ln 2 at probability ½,
    /// and more at any other.
    /// </summary>
    public SurrogateDraw Draw(long n, RandomStream random)
    {
        using var scope = new TensorScope();
        var type = model.TrainedParameters[0].Tensor.DType;
        Tensor Pairs(Tensor one, Tensor other) => scope.Keep(Tensor.Cat([one, other.Narrow(0, 0, n / 2)]));
        var noise = Tensor.Rand([(n + 1) / 2, .. model.ImageShape], random, type);
        var images = Pairs(noise, 1 - noise);
        if (model is not ILatentGenerator generator)
            return new(images, null);
        var latents = generator.DrawLatents((n + 1) / 2, random);
        return new(images, Pairs(latents, latents), scope.Keep(Tensor.Full([n], model.ImageShape.Aggregate(1L, (a, b) => a * b) * Math.Log(2), type, random.Device)));
    }

    /// <summary>Holds nothing.</summary>
    public void Dispose() { }
}

/// <summary>The samples that the model gave for another label before it was changed: the concept is mapped to that label.</summary>
public sealed class LabelSurrogate : ISurrogate
{
    private readonly Tensor images;
    private readonly Tensor? latents, floors;

    /// <summary>Makes the samples.</summary>
    /// <param name="frozen">The model before forgetting; not needed any more afterwards.</param>
    /// <param name="label">The label that takes the concept's place.</param>
    /// <param name="n">Samples to draw from; 1 or more.</param>
    /// <param name="random">Where they come from.</param>
    public LabelSurrogate(IConditionalLikelihood frozen, int label, long n, RandomStream random)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var conditions = Tensor.Full([n], label, DType.Int64, random.Device);
        if (frozen is ILatentGenerator generator)
        {
            latents = TensorScope.Detach(generator.DrawLatents(n, random));
            images = TensorScope.Detach(generator.Generate(latents, conditions));
            // What the model before forgetting gives its own samples at their own latents: no model can give them more.
            floors = TensorScope.Detach(generator.NegativeLogLikelihood(images, conditions, latents));
        }
        else
            images = TensorScope.Detach(frozen.Sample(conditions, random));
    }

    /// <inheritdoc/>
    public SurrogateLatents Latents => latents is null ? SurrogateLatents.None : SurrogateLatents.Paired;

    /// <inheritdoc/>
    public SurrogateDraw Draw(long n, RandomStream random)
    {
        using var scope = new TensorScope();
        var chosen = Tensor.RandInt(0, images.Size(0), [n], random);
        Tensor Chosen(Tensor all) => scope.Keep(all.IndexSelect(0, chosen));
        return new(Chosen(images), latents is null ? null : Chosen(latents), floors is null ? null : Chosen(floors));
    }

    /// <summary>Frees the samples.</summary>
    public void Dispose()
    {
        images.Dispose();
        latents?.Dispose();
        floors?.Dispose();
    }
}

/// <summary>A user's images, drawn with replacement.</summary>
public sealed class ImagesSurrogate : ISurrogate
{
    private readonly Tensor images;

    /// <summary>Takes the images over.</summary>
    /// <param name="images">(N, image shape), values in [0, 1].</param>
    /// <exception cref="BadInputException">There is none.</exception>
    public ImagesSurrogate(Tensor images)
    {
        if (images.Size(0) == 0)
            throw new BadInputException("A surrogate of images needs at least one image; none was given.");
        this.images = TensorScope.Detach(images);
    }

    /// <inheritdoc/>
    public SurrogateLatents Latents => SurrogateLatents.None;

    /// <inheritdoc/>
    public SurrogateDraw Draw(long n, RandomStream random)
    {
        using var scope = new TensorScope();
        return new(scope.Keep(images.IndexSelect(0, Tensor.RandInt(0, images.Size(0), [n], random))), null);
    }

    /// <summary>Frees the images.</summary>
    public void Dispose() => images.Dispose();
}

/// <summary>A weighted mean of two surrogates, pixel by pixel.</summary>
/// <param name="first">Taken over.</param>
/// <param name="second">Taken over.</param>
/// <param name="weight">Share of the first, in [0, 1].</param>
/// <exception cref="UsageException">The share is out of its range.</exception>
public sealed class BlendSurrogate(ISurrogate first, ISurrogate second, double weight) : ISurrogate
{
    private readonly double weight = weight is >= 0 and <= 1 ? weight : throw new UsageException($"The weight of a blend is {weight}; it must be between 0 and 1.");

    /// <inheritdoc/>
    public SurrogateLatents Latents => SurrogateLatents.None;

    /// <inheritdoc/>
    public SurrogateDraw Draw(long n, RandomStream random)
    {
        using var scope = new TensorScope();
        return new(scope.Keep(second.Draw(n, random).Images.Lerp(first.Draw(n, random).Images, weight)), null);
    }

    /// <summary>Frees both.</summary>
    public void Dispose()
    {
        first.Dispose();
        second.Dispose();
    }
}
