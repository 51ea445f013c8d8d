namespace Lethe.Torch;

/// <summary>Limits gradients before a step.</summary>
public static class GradientClipping
{
    // torch.nn.utils.clip_grad_norm_ divides by the norm plus this.
    private const double Epsilon = 1e-6;

    /// <summary>
    /// Scales all gradients by one factor, so that their common L2 norm is at most <paramref name="maximum"/>; as
    /// torch.nn.utils.clip_grad_norm_. On a GPU nothing waits for the device.
    /// </summary>
    /// <param name="gradients">Changed in place; all on one device.</param>
    /// <param name="maximum">Largest norm; above 0.</param>
    /// <returns>The norm before clipping, a scalar tensor.</returns>
    public static Tensor ByNorm(Tensor[] gradients, double maximum)
    {
        if (!(maximum > 0))
            throw new ArgumentOutOfRangeException(nameof(maximum), maximum, "The largest norm must be above 0.");
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        var norm = Norm(gradients);
        if (norm.Device == Device.Cpu)
        {
            // The number is at hand: where nothing is clipped, no memory is touched.
            var factor = maximum / (norm.Item() + Epsilon);
            if (!(factor >= 1))
                Foreach.MulInPlace(gradients, factor);
        }
        else
        {
            var factor = (norm + Epsilon).Reciprocal().MulInPlace(maximum).ClampInPlace(maximum: 1);
            foreach (var gradient in gradients)
                gradient.MulInPlace(factor);
        }
        return scope.Keep(norm);
    }

    /// <summary>The L2 norm of all gradients together, a scalar tensor.</summary>
    public static Tensor Norm(Tensor[] gradients)
    {
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        return scope.Keep(Tensor.Stack(Foreach.Norm(gradients)).Norm());
    }
}
