using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Unlearning.Tests.Generative;

/// <summary>
/// A second real model, as far from a VAE as the interface allows: independent Bernoulli pixels with logits offset + W f(c), where f(c) is a
/// fixed vector for each condition. Its likelihood is exact and needs no noise, it has no latents, and no weight belongs to one condition.
/// </summary>
internal sealed class LogisticGenerator : Module, IConditionalLikelihood
{
    private readonly Tensor offset, weight, features;

    public LogisticGenerator(long pixels, int conditions, long width, RandomStream random, DType type = DType.Float64)
    {
        Conditions = conditions;
        ImageShape = [pixels];
        offset = Parameter("offset", Tensor.Randn([pixels], random, type));
        weight = Parameter("weight", Tensor.Randn([pixels, width], random, type));
        using var fixedStream = new RandomStream(12345);
        features = Constant(Tensor.Randn([conditions, width], fixedStream, type));
        TrainedParameters = [.. NamedParameters()];
    }

    public int Conditions { get; }

    public IReadOnlyList<long> ImageShape { get; }

    public IReadOnlyList<(string Name, Tensor Tensor)> TrainedParameters { get; }

    public IReadOnlyList<(string Parameter, long Column)> OwnColumns(int condition) => [];

    public Tensor[] DrawNoise(long n, RandomStream random) => [];

    /// <summary>f(c), (B, width).</summary>
    public Tensor Features(Tensor conditions) => features.IndexSelect(0, conditions);

    public Tensor Logits(Tensor conditions) => Features(conditions).MatMul(weight.T()) + offset;

    public Tensor NegativeElbo(Tensor images, Tensor conditions, Tensor[] noise)
    {
        var logits = Logits(conditions);
        return (logits.Softplus() - images * logits).Sum(1);
    }

    public Tensor Sample(Tensor conditions, RandomStream random)
    {
        using var noGrad = Autograd.NoGrad();
        return Logits(conditions).Sigmoid().Bernoulli(random);
    }
}
