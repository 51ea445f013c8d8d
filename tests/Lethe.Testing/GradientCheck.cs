using Lethe.Torch;
using Xunit;

namespace Lethe.Testing;

/// <summary>Compares gradients with central differences, in float64.</summary>
public static class GradientCheck
{
    // The error of a central difference is about step² from the curvature and 1e-16/step from rounding.
    private const double Step = 1e-5;

    /// <summary>
    /// Fails where a gradient differs from the slope. A function with several results is reduced to one number by fixed weights that treat no
    /// two results alike.
    /// </summary>
    /// <param name="function">Computed many times; it must give the same result each time.</param>
    /// <param name="tolerance">Largest difference, relative to 1 or the slope if that is larger.</param>
    /// <param name="leaves">Float64 tensors that the function reads; changed and put back in place.</param>
    public static void Verify(Func<Tensor> function, double tolerance, params Tensor[] leaves)
    {
        using var scope = new TensorScope();
        foreach (var leaf in leaves)
        {
            Assert.Equal(DType.Float64, leaf.DType);
            leaf.RequiresGrad = true;
        }
        var gradients = Autograd.Grad([Reduce(function())], leaves);
        using var noGrad = Autograd.NoGrad();
        for (var k = 0; k < leaves.Length; k++)
        {
            var gradient = gradients[k].ToArray<double>();
            var values = leaves[k].ToArray<double>();
            for (var at = 0; at < values.Length; at++)
            {
                var slope = (At(leaves[k], values, at, Step, function) - At(leaves[k], values, at, -Step, function)) / (2 * Step);
                Assert.True(Math.Abs(slope - gradient[at]) <= tolerance * Math.Max(1, Math.Abs(slope)),
                    $"input {k} {leaves[k].Describe()}, element {at}: the gradient is {gradient[at]}, the slope {slope}");
            }
            leaves[k].CopyInPlace(Tensor.FromArray(values).View(leaves[k].Shape.ToArray()));
        }
    }

    /// <inheritdoc cref="Verify(Func{Tensor}, double, Tensor[])"/>
    public static void Verify(Func<Tensor> function, params Tensor[] leaves) => Verify(function, 1e-7, leaves);

    private static double At(Tensor leaf, double[] values, int at, double step, Func<Tensor> function)
    {
        using var scope = new TensorScope();
        var moved = (double[])values.Clone();
        moved[at] += step;
        leaf.CopyInPlace(Tensor.FromArray(moved).View(leaf.Shape.ToArray()));
        return Reduce(function()).Item();
    }

    private static Tensor Reduce(Tensor result) =>
        (result * Tensor.Arange(0, result.Elements, type: DType.Float64).Cos().AddInPlace(0.5).View(result.Shape.ToArray())).Sum();
}
