namespace Lethe.Torch;

/// <summary>
/// Stochastic gradient descent, as torch.optim.SGD: g ← g + decay·θ; b ← momentum·b + g; θ ← θ − rate·(b, or g + momentum·b with
/// Nesterov's correction). Without momentum, θ ← θ − rate·g.
/// </summary>
public sealed class Sgd : Optimizer
{
    private readonly double momentum;
    private readonly bool nesterov;
    private readonly double weightDecay;
    private readonly Tensor[]? buffers;

    /// <summary>Makes the optimizer.</summary>
    /// <param name="parameters">What is changed, by name.</param>
    /// <param name="learningRate">How far a step goes; 0 or more.</param>
    /// <param name="momentum">Share of the last steps' direction that stays; in [0, 1).</param>
    /// <param name="nesterov">Whether the gradient is looked at a step ahead; needs momentum.</param>
    /// <param name="weightDecay">Coefficient of the L2 penalty; 0 or more.</param>
    public Sgd(IEnumerable<(string Name, Tensor Tensor)> parameters, double learningRate, double momentum = 0, bool nesterov = false, double weightDecay = 0)
        : base(parameters, learningRate)
    {
        this.momentum = Require(nameof(momentum), momentum, momentum is >= 0 and < 1, "in [0, 1)");
        this.weightDecay = Require(nameof(weightDecay), weightDecay, weightDecay >= 0, "0 or more");
        if (nesterov && momentum == 0)
            throw new ArgumentException("Nesterov's correction needs momentum above 0.", nameof(nesterov));
        this.nesterov = nesterov;
        if (momentum > 0)
            buffers = State("momentum_buffer");
    }

    private protected override void Update(Tensor[] gradients)
    {
        if (weightDecay != 0)
            Foreach.AddInPlace(gradients, Parameters, weightDecay);
        if (buffers is not null)
        {
            // From a buffer of zeros the first step gives b = g, which is how PyTorch starts.
            Foreach.MulInPlace(buffers, momentum);
            Foreach.AddInPlace(buffers, gradients);
            if (nesterov)
                Foreach.AddInPlace(gradients, buffers, momentum);
            else
                gradients = buffers;
        }
        Foreach.AddInPlace(Parameters, gradients, -LearningRate);
    }
}
