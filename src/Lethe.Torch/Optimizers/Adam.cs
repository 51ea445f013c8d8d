namespace Lethe.Torch;

/// <summary>
/// Adam (Kingma and Ba, arXiv 1412.6980) as torch.optim.Adam: weight decay is an L2 penalty, added to the gradient. With amsGrad the
/// largest second moment so far is divided by (Reddi et al., arXiv 1904.09237).
/// </summary>
public sealed class Adam : AdamFamily
{
    /// <summary>Makes the optimizer.</summary>
    /// <param name="parameters">What is changed, by name.</param>
    /// <param name="learningRate">How far a step goes; 0 or more.</param>
    /// <param name="beta1">Share of the first moment that stays; in [0, 1).</param>
    /// <param name="beta2">Share of the second moment that stays; in [0, 1).</param>
    /// <param name="epsilon">Added to the denominator; 0 or more.</param>
    /// <param name="weightDecay">Coefficient of the L2 penalty; 0 or more.</param>
    /// <param name="amsGrad">Whether the largest second moment so far is used.</param>
    public Adam(IEnumerable<(string Name, Tensor Tensor)> parameters, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, bool amsGrad = false)
        : base(parameters, learningRate, beta1, beta2, epsilon, weightDecay, amsGrad, decoupled: false) { }
}

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101) as torch.optim.AdamW: the parameters shrink by
/// rate·decay before the step.
/// </summary>
public sealed class AdamW : AdamFamily
{
    /// <summary>Makes the optimizer.</summary>
    /// <param name="parameters">What is changed, by name.</param>
    /// <param name="learningRate">How far a step goes; 0 or more.</param>
    /// <param name="beta1">Share of the first moment that stays; in [0, 1).</param>
    /// <param name="beta2">Share of the second moment that stays; in [0, 1).</param>
    /// <param name="epsilon">Added to the denominator; 0 or more.</param>
    /// <param name="weightDecay">Share, times the rate, by which parameters shrink; 0 or more.</param>
    /// <param name="amsGrad">Whether the largest second moment so far is used.</param>
    public AdamW(IEnumerable<(string Name, Tensor Tensor)> parameters, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 1e-2, bool amsGrad = false)
        : base(parameters, learningRate, beta1, beta2, epsilon, weightDecay, amsGrad, decoupled: true) { }
}
