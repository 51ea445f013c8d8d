using Lethe.Torch;

namespace Lethe.Unlearning.Language.Subspaces;

/// <summary>Mean and mean of x xᵀ of vectors as they stream, in float64: D² numbers, however many vectors there are.</summary>
public sealed class SecondMoments : IDisposable
{
    private readonly Tensor sum, products;

    /// <summary>Begins with nothing.</summary>
    /// <param name="size">Size D of a vector.</param>
    public SecondMoments(long size)
    {
        using var scope = new TensorScope();
        (sum, products) = (TensorScope.Detach(Tensor.Zeros([size], DType.Float64)), TensorScope.Detach(Tensor.Zeros([size, size], DType.Float64)));
    }

    /// <summary>Size D of a vector.</summary>
    public long Size => sum.Elements;

    /// <summary>Vectors so far.</summary>
    public long Count { get; private set; }

    /// <summary>Takes in vectors, (N, D).</summary>
    public void Add(Tensor x)
    {
        if (x.Dimensions != 2 || x.Size(1) != Size)
            throw new ArgumentException($"(N, {Size}) is needed, not {x.Describe()}.", nameof(x));
        if (x.Size(0) == 0)
            return;
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        Count += x.Size(0);
        sum.AddInPlace(x.Sum(0L).To(Device.Cpu).To(DType.Float64));
        // Each batch is multiplied in its own type and added up in float64: the error stays that of one batch.
        products.AddInPlace(x.T().Mm(x).To(Device.Cpu).To(DType.Float64));
    }

    /// <summary>Mean of x xᵀ, (D, D).</summary>
    public Tensor Products() => products / (double)Math.Max(1, Count);

    /// <summary>Mean, (D).</summary>
    public Tensor Mean() => sum / (double)Math.Max(1, Count);

    /// <summary>Mean of (x − mean)(x − mean)ᵀ, (D, D).</summary>
    public Tensor Covariance()
    {
        using var scope = new TensorScope();
        var mean = Mean();
        return scope.Keep(Products() - mean.Outer(mean));
    }

    /// <summary>Frees the sums.</summary>
    public void Dispose()
    {
        sum.Dispose();
        products.Dispose();
    }
}
