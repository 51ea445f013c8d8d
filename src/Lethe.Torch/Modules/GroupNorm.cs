namespace Lethe.Torch;

/// <summary>Normalises groups of channels of each image to mean 0 and variance 1, then scales and shifts each channel (Wu and He, arXiv 1803.08494).</summary>
public sealed class GroupNorm : Layer
{
    private readonly long groups;
    private readonly double epsilon;

    /// <summary>A layer that starts with weight 1 and bias 0.</summary>
    /// <param name="groups">Number of groups; it divides the channels.</param>
    /// <param name="channels">Channels of x.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="type">Element type.</param>
    /// <param name="device">Where the parameters live; the CPU by default.</param>
    public GroupNorm(long groups, long channels, double epsilon = 1e-5, DType type = DType.Float32, Device? device = null)
    {
        (this.groups, this.epsilon) = (groups, epsilon);
        Weight = Parameter("weight", Tensor.Ones([channels], type, device));
        Bias = Parameter("bias", Tensor.Zeros([channels], type, device));
    }

    /// <summary>Factor of each channel, (channels).</summary>
    public Tensor Weight { get; }

    /// <summary>What is added to each channel, (channels).</summary>
    public Tensor Bias { get; }

    /// <summary>x (N, channels, …) → the same shape.</summary>
    public override Tensor Forward(Tensor x) => x.GroupNorm(groups, Weight, Bias, epsilon);
}
