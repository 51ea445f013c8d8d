using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Unlearning.Tests.Language;

/// <summary>Compares an update space's gradients with central differences of a loss over the weight.</summary>
internal static class UpdateSpaceCheck
{
    private const double Step = 1e-5;

    /// <summary>A weight in float64 with random values.</summary>
    public static EditedWeight Weight(ulong seed, params long[] shape)
    {
        using var random = new RandomStream(seed);
        return new("model.layers.0.mlp.down_proj.weight", 0, Tensor.Randn(shape, random, DType.Float64), DType.Float64);
    }

    /// <summary>Fails where the space does not start at 0, or where a gradient of Σ (sin(W) + W²/2) by a parameter differs from the slope by more than <paramref name="tolerance"/>, relative to 1 or the slope.</summary>
    public static void Verify(IUpdateSpace space, EditedWeight weight, double tolerance = 1e-7)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        Assert.Equal(0, space.Change().Abs().Max().Item());
        using var random = new RandomStream(99);
        // Somewhere away from the start, where some gradients are 0.
        foreach (var (_, value) in space.Parameters)
            value.AddInPlace(Tensor.Randn(value.Shape.ToArray(), random, DType.Float64));
        Tensor Edited() => weight.Original + space.Change();
        double Loss() => (Edited().Sin() + Edited().Square() / 2).Sum().Item();
        var gradients = space.Gradients(Edited().Cos() + Edited());
        Assert.Equal(space.Parameters.Count, gradients.Count);
        foreach (var ((name, value), gradient) in space.Parameters.Zip(gradients))
        {
            Assert.Equal(value.Shape.ToArray(), gradient.Shape.ToArray());
            var (values, slopes) = (value.ToArray<double>(), gradient.ToArray<double>());
            for (var at = 0; at < values.Length; at++)
            {
                double At(double by)
                {
                    var moved = (double[])values.Clone();
                    moved[at] += by;
                    value.CopyInPlace(Tensor.FromArray(moved, value.Shape));
                    return Loss();
                }
                var slope = (At(Step) - At(-Step)) / (2 * Step);
                Assert.True(Math.Abs(slope - slopes[at]) <= tolerance * Math.Max(1, Math.Abs(slope)), $"{name}, element {at}: the gradient is {slopes[at]}, the slope {slope}");
            }
            value.CopyInPlace(Tensor.FromArray(values, value.Shape));
        }
    }
}
