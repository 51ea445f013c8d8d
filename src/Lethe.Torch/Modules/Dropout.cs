namespace Lethe.Torch;

/// <summary>In training, sets elements to 0 at random and scales the rest so that the mean stays (Srivastava et al., 2014); in evaluation, nothing.</summary>
public sealed class Dropout : Layer
{
    private readonly double probability;
    private readonly RandomStream random;

    /// <summary>Makes the layer.</summary>
    /// <param name="probability">Share of the elements that are dropped; in [0, 1).</param>
    /// <param name="random">What is drawn from; it stays the caller's, who saves its state with the training's.</param>
    public Dropout(double probability, RandomStream random)
    {
        this.probability = Check(probability);
        this.random = random;
    }

    /// <summary>x → the same shape.</summary>
    public override Tensor Forward(Tensor x) => Training && probability > 0 ? Drop(x, x.Shape.ToArray(), probability, random) : x;

    internal static double Check(double probability) =>
        probability is >= 0 and < 1 ? probability : throw new ArgumentOutOfRangeException(nameof(probability), probability, "The share that is dropped must be in [0, 1).");

    internal static Tensor Drop(Tensor x, long[] shape, double probability, RandomStream random) =>
        x * Tensor.Empty(shape, x.DType, x.Device).BernoulliInPlace(1 - probability, random).DivInPlace(1 - probability);
}

/// <summary>Dropout of whole channels of images, whose pixels are too alike for single ones to matter (Tompson et al., arXiv 1411.4280).</summary>
public sealed class Dropout2d : Layer
{
    private readonly double probability;
    private readonly RandomStream random;

    /// <summary>Makes the layer.</summary>
    /// <param name="probability">Share of the channels that are dropped; in [0, 1).</param>
    /// <param name="random">What is drawn from; it stays the caller's, who saves its state with the training's.</param>
    public Dropout2d(double probability, RandomStream random)
    {
        this.probability = Dropout.Check(probability);
        this.random = random;
    }

    /// <summary>x (N, C, H, W) → the same shape.</summary>
    public override Tensor Forward(Tensor x) => Training && probability > 0 ? Dropout.Drop(x, [x.Size(0), x.Size(1), 1, 1], probability, random) : x;
}
