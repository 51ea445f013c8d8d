namespace Lethe.Torch;

/// <summary>The largest of each window of an image.</summary>
/// <param name="size">Height and width of a window.</param>
/// <param name="stride">Pixels from one window to the next; the size by default.</param>
public sealed class MaxPool2d(long size, long? stride = null) : Layer
{
    /// <summary>x (N, C, H, W) → (N, C, H', W').</summary>
    public override Tensor Forward(Tensor x) => x.MaxPool2d(size, stride);
}

/// <summary>The mean of each window of an image.</summary>
/// <param name="size">Height and width of a window.</param>
/// <param name="stride">Pixels from one window to the next; the size by default.</param>
public sealed class AvgPool2d(long size, long? stride = null) : Layer
{
    /// <summary>x (N, C, H, W) → (N, C, H', W').</summary>
    public override Tensor Forward(Tensor x) => x.AvgPool2d(size, stride);
}

/// <summary>All dimensions after the first become one.</summary>
public sealed class Flatten : Layer
{
    /// <summary>x (N, …) → (N, elements).</summary>
    public override Tensor Forward(Tensor x) => x.Flatten(1);
}
