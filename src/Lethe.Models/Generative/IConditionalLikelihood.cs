using Lethe.Torch;

namespace Lethe.Models.Generative;

/// <summary>
/// What Selective Amnesia needs of a generator of p(x | θ, c): its trained parameters, the −ELBO of images under a condition, and
/// samples. Conditional VAEs implement it; so can anything whose likelihood has a variational bound.
/// </summary>
/// <remarks>Randomness is a value: the noise of a bound is drawn apart (<see cref="DrawNoise"/>), so that two models can be compared with common noise.</remarks>
public interface IConditionalLikelihood
{
    /// <summary>Number of conditions; they are the whole numbers from 0.</summary>
    int Conditions { get; }

    /// <summary>Shape of one image without the batch: (pixels) or (channels, height, width).</summary>
    IReadOnlyList<long> ImageShape { get; }

    /// <summary>What is trained, under its checkpoint names, always in the same order.</summary>
    IReadOnlyList<(string Name, Tensor Tensor)> TrainedParameters { get; }

    /// <summary>
    /// The columns of trained parameters that one condition alone reads, where the model has such: moving them changes nothing for any
    /// other condition. Empty where all parameters are shared.
    /// </summary>
    /// <param name="condition">A condition.</param>
    IReadOnlyList<(string Parameter, long Column)> OwnColumns(int condition);

    /// <summary>The randomness of one estimate of the bound for each of n images: latent noise of a VAE, time and noise of a diffusion model.</summary>
    Tensor[] DrawNoise(long n, RandomStream random);

    /// <summary>−ELBO in nats of each image, one estimate.</summary>
    /// <param name="images">(B, image shape), values in [0, 1].</param>
    /// <param name="conditions">(B), int64.</param>
    /// <param name="noise">From <see cref="DrawNoise"/>.</param>
    /// <returns>(B), differentiable.</returns>
    Tensor NegativeElbo(Tensor images, Tensor conditions, Tensor[] noise);

    /// <summary>Samples, without gradients.</summary>
    /// <param name="conditions">(B), int64.</param>
    /// <param name="random">Where the samples come from.</param>
    /// <returns>(B, image shape), values in [0, 1].</returns>
    Tensor Sample(Tensor conditions, RandomStream random);
}

/// <summary>A generator that makes images from latents drawn from a fixed prior: what it generates depends on −log p(x | z, c) at those latents alone.</summary>
public interface ILatentGenerator : IConditionalLikelihood
{
    /// <summary>Latents from the prior, (n, latent).</summary>
    Tensor DrawLatents(long n, RandomStream random);

    /// <summary>Images that the latents stand for, without gradients; (B, image shape) in [0, 1].</summary>
    Tensor Generate(Tensor latents, Tensor conditions);

    /// <summary>−log p(x | z, c) of each image, nats; (B), differentiable.</summary>
    Tensor NegativeLogLikelihood(Tensor images, Tensor conditions, Tensor latents);

    /// <summary>
    /// The bound with other latents in its first rows: −log p(x | z, c) at the latents given, for the rest at the encoder's, plus the weighted
    /// divergence of the encoder from the prior.
    /// </summary>
    /// <param name="images">(B, image shape).</param>
    /// <param name="conditions">(B), int64.</param>
    /// <param name="noise">From <see cref="IConditionalLikelihood.DrawNoise"/>, for all rows.</param>
    /// <param name="firstLatents">(P, latent), P ≤ B.</param>
    /// <param name="divergenceWeights">(B); 1 is the bound's own weight.</param>
    /// <returns>(B), differentiable.</returns>
    Tensor NegativeElbo(Tensor images, Tensor conditions, Tensor[] noise, Tensor firstLatents, Tensor divergenceWeights);
}

/// <summary>One use of a linear layer in a forward pass: what came in and what came out before the non-linearity.</summary>
/// <param name="Weight">Name of the weight, (outputs, inputs).</param>
/// <param name="Bias">Name of the bias, (outputs).</param>
/// <param name="Input">(B, inputs).</param>
/// <param name="PreActivation">(B, outputs), part of the graph.</param>
public sealed record LinearTrace(string Weight, string Bias, Tensor Input, Tensor PreActivation);

/// <summary>A generator whose trained parameters all belong to linear layers that are used once per image: its Fisher information has a closed form.</summary>
public interface ILinearLayers : IConditionalLikelihood
{
    /// <summary>−ELBO of each image and every linear layer on the way.</summary>
    (Tensor NegativeElbo, IReadOnlyList<LinearTrace> Layers) Trace(Tensor images, Tensor conditions, Tensor[] noise);
}
