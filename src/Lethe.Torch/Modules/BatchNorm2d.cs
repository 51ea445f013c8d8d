namespace Lethe.Torch;

/// <summary>
/// Normalises each channel: in training over the batch, while running statistics are kept; in evaluation by those statistics
/// (Ioffe and Szegedy, arXiv 1502.03167).
/// </summary>
public sealed class BatchNorm2d : Layer
{
    private readonly double momentum, epsilon;
    private readonly Tensor mean, variance, batches;

    /// <summary>A layer that starts with weight 1, bias 0, running mean 0 and running variance 1.</summary>
    /// <param name="channels">Channels of x.</param>
    /// <param name="momentum">Share of each batch in the running statistics; in (0, 1].</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="type">Element type.</param>
    /// <param name="device">Where the parameters live; the CPU by default.</param>
    public BatchNorm2d(long channels, double momentum = 0.1, double epsilon = 1e-5, DType type = DType.Float32, Device? device = null)
    {
        (this.momentum, this.epsilon) = (momentum, epsilon);
        Weight = Parameter("weight", Tensor.Ones([channels], type, device));
        Bias = Parameter("bias", Tensor.Zeros([channels], type, device));
        mean = Buffer("running_mean", Tensor.Zeros([channels], type, device));
        variance = Buffer("running_var", Tensor.Ones([channels], type, device));
        batches = Buffer("num_batches_tracked", Tensor.Zeros([], DType.Int64, device));
    }

    /// <summary>Factor of each channel, (channels).</summary>
    public Tensor Weight { get; }

    /// <summary>What is added to each channel, (channels).</summary>
    public Tensor Bias { get; }

    /// <summary>x (N, channels, H, W) → the same shape. In training the running statistics change.</summary>
    public override Tensor Forward(Tensor x)
    {
        if (Training)
            batches.AddInPlace(1);
        return x.BatchNorm(Weight, Bias, mean, variance, Training, momentum, epsilon);
    }
}
