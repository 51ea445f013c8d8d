using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Training;

/// <summary>Hidden layers of a conditional VAE over images, as a stream.</summary>
public static class VaeActivations
{
    /// <summary>Makes a stream; model and images stay the caller's and must outlive it.</summary>
    /// <param name="vae">The model.</param>
    /// <param name="images">The images with their conditions.</param>
    /// <param name="layers">Layers by their names in <see cref="ConditionalVae.Activations"/>.</param>
    /// <param name="batch">Images of a batch; those at the end of a pass that fill none are left out, other ones in every pass.</param>
    /// <param name="seed">Decides the order of the images.</param>
    /// <exception cref="BadInputException">There is no such layer, or fewer images than a batch.</exception>
    public static IActivationStream Of(ConditionalVae vae, ImageTensors images, IReadOnlyList<string> layers, int batch, ulong seed)
    {
        if (images.Count < batch)
            throw new BadInputException($"There are {images.Count} images; one batch takes {batch}.");
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var (first, conditions) = images.Batch(Tensor.Arange(0, 1));
        var sizes = vae.Activations(first, conditions).ToDictionary(entry => entry.Layer, entry => entry.Activations.Size(-1));
        if (layers.FirstOrDefault(layer => !sizes.ContainsKey(layer)) is { } missing)
            throw new BadInputException($"The conditional VAE has no layer '{missing}'; it has {string.Join(", ", sizes.Keys)}.");
        return new FunctionActivations([.. layers.Select(layer => new SiteActivations(new SaeSite(layer), sizes[layer]))], images.Count / batch, (pass, number) =>
        {
            using var random = new RandomStream(RandomStream.ChildSeed(seed, $"pass {pass}"));
            var (pixels, labels) = images.Batch(Tensor.RandPerm(images.Count, random).Narrow(0, number * batch, batch));
            var all = vae.Activations(pixels, labels).ToDictionary(entry => entry.Layer, entry => entry.Activations);
            return [.. layers.Select(layer => all[layer])];
        }, "conditional_vae");
    }
}
