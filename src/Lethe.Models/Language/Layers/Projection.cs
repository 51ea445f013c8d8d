using Lethe.Torch;

namespace Lethe.Models.Language.Layers;

/// <summary>x Wᵀ + b. Weights may be stored in a narrower type than x has; they are then widened as they are used, or x is rounded to theirs.</summary>
/// <param name="Weight">(outputs, inputs).</param>
/// <param name="Bias">(outputs), or null.</param>
/// <param name="Rounded">Whether x is rounded to the type of the weights for the product, and the result widened (<see cref="Checkpoints.LoadOptions.RoundedProducts"/>).</param>
internal sealed record Projection(Tensor Weight, Tensor? Bias, bool Rounded = false)
{
    // Rows of a matrix that are widened at once: at most 64 MiB of float32.
    private const long WidenedElements = 16 << 20;

    /// <summary>x (…, inputs) → (…, outputs).</summary>
    public Tensor Forward(Tensor x)
    {
        if (Weight.DType == x.DType)
            return Apply(x, Weight, Bias);
        // A single row is bound by reading the matrix, which is what widening does.
        if (Rounded && x.Elements > Weight.Size(1))
        {
            using var inner = new TensorScope();
            return inner.Keep(x.To(Weight.DType).Linear(Weight, Bias).To(x.DType));
        }
        var bias = Bias?.To(x.DType);
        var (rows, atOnce) = (Weight.Size(0), Math.Max(1, WidenedElements / Weight.Size(1)));
        if (rows <= atOnce)
            return Apply(x, Weight.To(x.DType), bias);
        var results = new List<Tensor>();
        for (var first = 0L; first < rows; first += atOnce)
        {
            using var scope = new TensorScope();
            var count = Math.Min(atOnce, rows - first);
            results.Add(scope.Keep(Apply(x, Weight.Narrow(0, first, count).To(x.DType), bias?.Narrow(0, first, count))));
        }
        return Tensor.Cat([.. results], -1);
    }

    private static Tensor Apply(Tensor x, Tensor weight, Tensor? bias)
    {
        // One row: a matrix times a vector reads the matrix once, where the general product of many a BLAS first copies it.
        if (x.Elements != weight.Size(1) || x.Device.Kind != "cpu")
            return x.Linear(weight, bias);
        var vector = x.Reshape(-1);
        var y = bias is null ? weight.Mv(vector) : bias.Addmv(weight, vector);
        long[] shape = [.. x.Shape];
        shape[^1] = weight.Size(0);
        return y.View(shape);
    }
}

/// <summary>Several projections of one x.</summary>
/// <param name="Whole">All of them in one.</param>
/// <param name="Parts">Each of them; their tensors share the memory of the whole.</param>
/// <param name="Outputs">How many results each has.</param>
internal sealed record JoinedProjection(Projection Whole, Projection[] Parts, long[] Outputs)
{
    /// <summary>All results side by side, (…, Σ outputs), by one product; null where gradients are wanted for a part, or the parts have moved away from the whole.</summary>
    public Tensor? Joined(Tensor x)
    {
        if (Parts[0].Weight.Device != Whole.Weight.Device)
            return null;
        if (Autograd.Enabled)
            foreach (var part in Parts)
                if (part.Weight.RequiresGrad || part.Bias?.RequiresGrad == true)
                    return null;
        return Whole.Forward(x);
    }

    /// <summary>The result of each.</summary>
    public Tensor[] Forward(Tensor x)
    {
        var results = new Tensor[Parts.Length];
        if (Joined(x) is { } joined)
            for (var (k, at) = (0, 0L); k < results.Length; at += Outputs[k], k++)
                results[k] = joined.Narrow(-1, at, Outputs[k]);
        else
            for (var k = 0; k < results.Length; k++)
                results[k] = Parts[k].Forward(x);
        return results;
    }
}
