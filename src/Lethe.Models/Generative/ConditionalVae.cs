using Lethe.Torch;

namespace Lethe.Models.Generative;

/// <summary>Sizes of a <see cref="ConditionalVae"/>.</summary>
public sealed record ConditionalVaeOptions
{
    /// <summary>Most conditions: the table of one-hot rows has as many elements as their square.</summary>
    public const int MostConditions = 4096;

    /// <summary>Pixels of an image. 784 for 28 × 28, as in the paper's code.</summary>
    public long Pixels { get; init; } = 784;

    /// <summary>Number of conditions, 1 to <see cref="MostConditions"/>. 10 digits in the paper's code.</summary>
    public int Conditions { get; init; } = 10;

    /// <summary>Width of the layer next to the image. 512 in the paper's code.</summary>
    public long Outer { get; init; } = 512;

    /// <summary>Width of the layer next to the latent. 256 in the paper's code.</summary>
    public long Inner { get; init; } = 256;

    /// <summary>Latent dimensions. 8 in the paper's code.</summary>
    public long Latent { get; init; } = 8;

    /// <summary>Every layer with its outputs and inputs, in order.</summary>
    internal IReadOnlyList<(string Name, long Outputs, long Inputs)> Layers =>
    [
        ("fc1", Outer, Pixels + Conditions), ("fc2", Inner, Outer), ("fc31", Latent, Inner), ("fc32", Latent, Inner),
        ("fc4", Inner, Latent + Conditions), ("fc5", Outer, Inner), ("fc6", Pixels, Outer),
    ];
}

/// <summary>
/// The conditional VAE of Selective Amnesia (Heng and Soh 2023, arXiv 2305.10120; clear-nus/selective-amnesia, vae/): the one-hot
/// condition beside the image and beside the latent, two ReLU layers each way, Bernoulli likelihood.
/// −ELBO(x, c) = BCE(decode(z, c), x) + KL(q(z | x, c) ‖ N(0, I)), summed over pixels and latent dimensions, in nats an image.
/// Parameters are named as there: fc1, fc2, fc31 (μ), fc32 (log σ²), fc4, fc5, fc6.
/// </summary>
public sealed class ConditionalVae : Module, ILinearLayers, ILatentGenerator
{
    private readonly Linear fc1, fc2, fc31, fc32, fc4, fc5, fc6;
    private readonly Tensor identity;

    /// <summary>A model with PyTorch's initial values.</summary>
    public ConditionalVae(ConditionalVaeOptions options, RandomStream random, DType type = DType.Float32)
    {
        Options = options;
        Linear[] layers = [.. options.Layers.Select(layer => Part(layer.Name, new Linear(layer.Inputs, layer.Outputs, random, type: type)))];
        (fc1, fc2, fc31, fc32, fc4, fc5, fc6) = (layers[0], layers[1], layers[2], layers[3], layers[4], layers[5], layers[6]);
        identity = Constant(Tensor.Eye(options.Conditions, type, random.Device));
        TrainedParameters = [.. NamedParameters()];
    }

    /// <summary>The sizes.</summary>
    public ConditionalVaeOptions Options { get; }

    /// <inheritdoc/>
    public int Conditions => Options.Conditions;

    /// <inheritdoc/>
    public IReadOnlyList<long> ImageShape => [Options.Pixels];

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Tensor)> TrainedParameters { get; }

    /// <summary>A model with the tensors of a checkpoint; the sizes are read off their shapes.</summary>
    /// <exception cref="BadInputException">A tensor is missing, left over, or does not fit the others.</exception>
    public static ConditionalVae FromState(IReadOnlyDictionary<string, HostArray> state, DType type = DType.Float32, Device? device = null)
    {
        // Nothing is allocated by what a hostile file claims before the matrices that back it are seen to be there.
        long Size(string name, int dimension) => state.TryGetValue(name, out var array) && array.Shape is [> 0, > 0]
            ? array.Shape[dimension]
            : throw new BadInputException($"The checkpoint is no conditional VAE: it has no matrix '{name}'.");
        var latent = Size("fc31.weight", 0);
        var conditions = Size("fc4.weight", 1) - latent;
        if (conditions is < 1 or > ConditionalVaeOptions.MostConditions)
            throw new BadInputException($"The checkpoint is no conditional VAE: fc4 takes {Size("fc4.weight", 1)} values, which leaves {conditions} conditions beside {latent} latent dimensions; 1 to {ConditionalVaeOptions.MostConditions} are allowed.");
        var options = new ConditionalVaeOptions
        {
            Pixels = Size("fc6.weight", 0),
            Conditions = (int)conditions,
            Outer = Size("fc1.weight", 0),
            Inner = Size("fc2.weight", 0),
            Latent = latent,
        };
        foreach (var (name, outputs, inputs) in options.Layers)
            if (Size(name + ".weight", 0) != outputs || Size(name + ".weight", 1) != inputs)
                throw new BadInputException($"The checkpoint's tensor '{name}.weight' has shape [{Size(name + ".weight", 0)}, {Size(name + ".weight", 1)}]; the model needs [{outputs}, {inputs}].");
        using var scope = new TensorScope();
        using var random = new RandomStream(0, device);
        var model = new ConditionalVae(options, random, type);
        try
        {
            model.LoadStateDict(state);
            return model;
        }
        catch (BadInputException)
        {
            model.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<(string Parameter, long Column)> OwnColumns(int condition) =>
        [("fc1.weight", Options.Pixels + condition), ("fc4.weight", Options.Latent + condition)];

    /// <summary>μ and log σ² of q(z | x, c), each (B, latent).</summary>
    public (Tensor Mean, Tensor LogVariance) Encode(Tensor images, Tensor conditions)
    {
        var hidden = fc2.Forward(fc1.Forward(WithCondition(images, conditions)).Relu()).Relu(); // (B, inner)
        return (fc31.Forward(hidden), fc32.Forward(hidden));
    }

    /// <summary>Logits of the pixels, (B, pixels).</summary>
    public Tensor DecodeLogits(Tensor latent, Tensor conditions) =>
        fc6.Forward(fc5.Forward(fc4.Forward(WithCondition(latent, conditions)).Relu()).Relu());

    /// <summary>Every hidden layer of encoder and decoder by name, for probes: z is the encoder's mean.</summary>
    public IReadOnlyList<(string Layer, Tensor Activations)> Activations(Tensor images, Tensor conditions)
    {
        var h1 = fc1.Forward(WithCondition(images, conditions)).Relu();
        var h2 = fc2.Forward(h1).Relu();
        var mean = fc31.Forward(h2);
        var h4 = fc4.Forward(WithCondition(mean, conditions)).Relu();
        return [("fc1", h1), ("fc2", h2), ("latent", mean), ("fc4", h4), ("fc5", fc5.Forward(h4).Relu())];
    }

    /// <inheritdoc/>
    public Tensor[] DrawNoise(long n, RandomStream random) =>
        [Tensor.Randn([n, Options.Latent], random, TrainedParameters[0].Tensor.DType)];

    /// <inheritdoc/>
    public Tensor NegativeElbo(Tensor images, Tensor conditions, Tensor[] noise)
    {
        var (mean, logVariance) = Encode(images, conditions);
        return CrossEntropy(images, DecodeLogits(Reparametrise(mean, logVariance, noise[0]), conditions)) + Divergence(mean, logVariance);
    }

    /// <inheritdoc/>
    public Tensor NegativeElbo(Tensor images, Tensor conditions, Tensor[] noise, Tensor firstLatents, Tensor divergenceWeights)
    {
        var (mean, logVariance) = Encode(images, conditions);
        var given = firstLatents.Size(0);
        var latents = Tensor.Cat([firstLatents, Reparametrise(mean, logVariance, noise[0]).Narrow(0, given, images.Size(0) - given)]);
        return CrossEntropy(images, DecodeLogits(latents, conditions)) + Divergence(mean, logVariance) * divergenceWeights;
    }

    /// <inheritdoc/>
    public Tensor NegativeLogLikelihood(Tensor images, Tensor conditions, Tensor latents) => CrossEntropy(images, DecodeLogits(latents, conditions));

    /// <inheritdoc/>
    public (Tensor NegativeElbo, IReadOnlyList<LinearTrace> Layers) Trace(Tensor images, Tensor conditions, Tensor[] noise)
    {
        var layers = new List<LinearTrace>();
        Tensor Through(Linear layer, string name, Tensor input)
        {
            var output = layer.Forward(input);
            layers.Add(new LinearTrace(name + ".weight", name + ".bias", input, output));
            return output;
        }
        var h1 = Through(fc1, "fc1", WithCondition(images, conditions)).Relu();
        var h2 = Through(fc2, "fc2", h1).Relu();
        var mean = Through(fc31, "fc31", h2);
        var logVariance = Through(fc32, "fc32", h2);
        var latent = Reparametrise(mean, logVariance, noise[0]);
        var h4 = Through(fc4, "fc4", WithCondition(latent, conditions)).Relu();
        var h5 = Through(fc5, "fc5", h4).Relu();
        return (CrossEntropy(images, Through(fc6, "fc6", h5)) + Divergence(mean, logVariance), layers);
    }

    /// <summary>Means of the decoder for z ~ N(0, I), as the paper's code samples; (B, pixels).</summary>
    public Tensor Sample(Tensor conditions, RandomStream random) => Generate(DrawLatents(conditions.Size(0), random), conditions);

    /// <inheritdoc/>
    public Tensor DrawLatents(long n, RandomStream random) => DrawNoise(n, random)[0];

    /// <inheritdoc/>
    public Tensor Generate(Tensor latents, Tensor conditions)
    {
        using var noGrad = Autograd.NoGrad();
        return DecodeLogits(latents, conditions).Sigmoid();
    }

    private static Tensor Reparametrise(Tensor mean, Tensor logVariance, Tensor noise) => mean + noise * (logVariance * 0.5).Exp();

    // BCE of a Bernoulli with logits l is softplus(l) − x l, which neither overflows nor needs the probabilities; (B)
    private static Tensor CrossEntropy(Tensor images, Tensor logits) => (logits.Softplus() - images * logits).Sum(1);

    // KL(q(z | x, c) ‖ N(0, I)); (B)
    private static Tensor Divergence(Tensor mean, Tensor logVariance) => (mean.Square() + logVariance.Exp() - logVariance - 1).Sum(1) * 0.5;

    // The one-hot condition comes last, as in the paper's code.
    private Tensor WithCondition(Tensor values, Tensor conditions) => Tensor.Cat([values, identity.IndexSelect(0, conditions)], 1);
}
