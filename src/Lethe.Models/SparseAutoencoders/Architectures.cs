using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders;

/// <summary>The architectures by name, and how an autoencoder is made of a configuration and arrays.</summary>
public static class Architectures
{
    /// <param name="Vectors">Tensors of shape (K) that it has besides W_enc, W_dec and b_dec.</param>
    /// <param name="Make">Makes it.</param>
    private sealed record Architecture(string[] Vectors, Func<SparseAutoencoderConfiguration, SaeState, SparseAutoencoder> Make);

    private static readonly Dictionary<string, Architecture> Known = new(StringComparer.Ordinal)
    {
        [ReluAutoencoder.Name] = new(["b_enc"], (configuration, state) => new ReluAutoencoder(configuration, state)),
        [TopKAutoencoder.Name] = new(["b_enc"], (configuration, state) => new TopKAutoencoder(configuration, state)),
        [JumpReluAutoencoder.Name] = new(["b_enc", "threshold"], (configuration, state) => new JumpReluAutoencoder(configuration, state)),
        [GatedAutoencoder.Name] = new(["b_gate", "b_mag", "r_mag"], (configuration, state) => new GatedAutoencoder(configuration, state)),
    };

    /// <summary>The names.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <summary>Makes an autoencoder.</summary>
    /// <param name="configuration">All but the weights.</param>
    /// <param name="arrays">The weights, named as SAELens names them.</param>
    /// <param name="source">Where they come from, for errors.</param>
    /// <param name="type">Element type to compute in. float32 keeps latents near a threshold where they are; bfloat16 flips some.</param>
    /// <param name="device">Where to.</param>
    /// <exception cref="BadInputException">The architecture is not known; a tensor is missing, left over, of another shape, or not finite.</exception>
    public static SparseAutoencoder Create(SparseAutoencoderConfiguration configuration, IReadOnlyDictionary<string, HostArray> arrays, string source, DType type = DType.Float32, Device? device = null)
    {
        if (!Known.TryGetValue(configuration.Architecture, out var architecture))
            throw new BadInputException($"{source}: the architecture is '{configuration.Architecture}'; {string.Join(", ", Known.Keys)} are read.");
        if (configuration.InputSize < 1 || configuration.Width < 1)
            throw new BadInputException($"{source}: takes activations of size {configuration.InputSize} and has {configuration.Width} latents; both must be 1 or more.");
        if (configuration.Architecture == TopKAutoencoder.Name && !(configuration.Active >= 1 && configuration.Active <= configuration.Width))
            throw new BadInputException($"{source}: k is {configuration.Active}; 1 to {configuration.Width} (the number of latents) is allowed.");
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var (inputs, width) = (configuration.InputSize, configuration.Width);
        var shapes = new Dictionary<string, long[]> { ["W_enc"] = [inputs, width], ["W_dec"] = [width, inputs], ["b_dec"] = [inputs] };
        foreach (var vector in architecture.Vectors)
            shapes.Add(vector, [width]);
        return architecture.Make(configuration, new SaeState(arrays, shapes, source, type, device ?? Device.Cpu));
    }
}
