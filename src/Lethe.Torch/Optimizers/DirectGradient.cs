namespace Lethe.Torch;

/// <summary>Gradients known in closed form, added to those of backward before clipping and before an optimizer's moments.</summary>
public static class DirectGradient
{
    /// <summary>
    /// Each gradient ← gradient + strength · weight · (parameter − anchor): the gradient of strength/2 · Σ weight (parameter − anchor)²,
    /// as elastic weight consolidation has it. Contiguous float32 on the CPU takes one pass over memory.
    /// </summary>
    /// <param name="gradients">Changed in place.</param>
    /// <param name="strength">A common factor.</param>
    /// <param name="weights">Importance of each element, such as Fisher information.</param>
    /// <param name="parameters">Where the model is.</param>
    /// <param name="anchors">Where it is pulled to.</param>
    public static void AddPull(Tensor[] gradients, double strength, Tensor[] weights, Tensor[] parameters, Tensor[] anchors)
    {
        if (weights.Length != gradients.Length || parameters.Length != gradients.Length || anchors.Length != gradients.Length)
            throw new ArgumentException($"{gradients.Length} gradients, {weights.Length} weights, {parameters.Length} parameters and {anchors.Length} anchors were given; the lists must be of one length.");
        using var noGrad = Autograd.NoGrad();
        using var scope = new TensorScope();
        if (FusedLoops.Fit(gradients) && FusedLoops.Fit(weights) && FusedLoops.Fit(parameters) && FusedLoops.Fit(anchors))
            FusedLoops.Pull(gradients, weights, parameters, anchors, strength);
        else
            Foreach.AddcmulInPlace(gradients, weights, Foreach.Sub(parameters, anchors), strength);
    }
}
