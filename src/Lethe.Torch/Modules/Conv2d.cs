namespace Lethe.Torch;

/// <summary>Convolution over images.</summary>
public sealed class Conv2d : Layer
{
    private readonly long[] stride, padding, dilation;
    private readonly long groups;

    /// <summary>A layer with PyTorch's initial values: uniform in ±1/√(inputs/groups · size²).</summary>
    /// <param name="inputs">Channels of x; a multiple of <paramref name="groups"/>.</param>
    /// <param name="outputs">Channels of the result; a multiple of <paramref name="groups"/>.</param>
    /// <param name="size">Height and width of the kernel.</param>
    /// <param name="random">Where the initial values come from, and on which device.</param>
    /// <param name="stride">Pixels from one place of the kernel to the next.</param>
    /// <param name="padding">Zeros put around x, on each side.</param>
    /// <param name="dilation">Pixels between the kernel's elements.</param>
    /// <param name="groups">Blocks of channels that do not see each other.</param>
    /// <param name="bias">Whether a number is added to each channel.</param>
    /// <param name="type">Element type.</param>
    public Conv2d(long inputs, long outputs, long size, RandomStream random, long stride = 1, long padding = 0, long dilation = 1, long groups = 1, bool bias = true, DType type = DType.Float32)
    {
        (this.stride, this.padding, this.dilation, this.groups) = ([stride, stride], [padding, padding], [dilation, dilation], groups);
        var fanIn = inputs / groups * size * size;
        Weight = Parameter("weight", UniformByFanIn([outputs, inputs / groups, size, size], fanIn, random, type));
        if (bias)
            Bias = Parameter("bias", UniformByFanIn([outputs], fanIn, random, type));
    }

    /// <summary>The kernels, (outputs, inputs/groups, size, size).</summary>
    public Tensor Weight { get; }

    /// <summary>What is added, (outputs); null if there is none.</summary>
    public Tensor? Bias { get; }

    /// <summary>x (N, inputs, H, W) → (N, outputs, H', W').</summary>
    public override Tensor Forward(Tensor x) => x.Conv2d(Weight, Bias, stride, padding, dilation, groups);
}
