namespace Lethe.Torch;

/// <summary>What <see cref="Adam"/> and <see cref="AdamW"/> share: moments, and the step.</summary>
/// <remarks>
/// m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; θ ← θ − rate/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε).
/// </remarks>
public abstract class AdamFamily : Optimizer
{
    private readonly double beta1, beta2, epsilon, weightDecay;
    private readonly bool decoupled;
    private readonly Tensor[] first, second;
    private readonly Tensor[]? largest;

    private protected AdamFamily(IEnumerable<(string Name, Tensor Tensor)> parameters, double learningRate, double beta1, double beta2, double epsilon, double weightDecay, bool amsGrad, bool decoupled)
        : base(parameters, learningRate)
    {
        this.beta1 = Require(nameof(beta1), beta1, beta1 is >= 0 and < 1, "in [0, 1)");
        this.beta2 = Require(nameof(beta2), beta2, beta2 is >= 0 and < 1, "in [0, 1)");
        this.epsilon = Require(nameof(epsilon), epsilon, epsilon >= 0, "0 or more");
        this.weightDecay = Require(nameof(weightDecay), weightDecay, weightDecay >= 0, "0 or more");
        this.decoupled = decoupled;
        first = State("exp_avg");
        second = State("exp_avg_sq");
        if (amsGrad)
            largest = State("max_exp_avg_sq");
        Fused = FusedLoops.Fit(Parameters);
    }

    /// <summary>Whether the step is done by the bridge's own loop, one pass over memory instead of ten; for tests.</summary>
    internal bool Fused { get; set; }

    private protected override void Update(Tensor[] gradients)
    {
        var rate = LearningRate / (1 - Math.Pow(beta1, Steps));
        var correct2 = 1 / Math.Sqrt(1 - Math.Pow(beta2, Steps));
        if (Fused)
        {
            FusedLoops.Adam(Parameters, gradients, first, second, largest, new Native.NativeAdamStep
            {
                Beta1 = (float)beta1, Rest1 = (float)(1 - beta1),
                Beta2 = (float)beta2, Rest2 = (float)(1 - beta2),
                L2 = (float)(decoupled ? 0 : weightDecay),
                Shrink = (float)(decoupled ? 1 - LearningRate * weightDecay : 1),
                Rate = (float)rate,
                Correct2 = (float)correct2,
                Epsilon = (float)epsilon,
            });
            return;
        }
        if (weightDecay != 0 && decoupled)
            Foreach.MulInPlace(Parameters, 1 - LearningRate * weightDecay);
        else if (weightDecay != 0)
            Foreach.AddInPlace(gradients, Parameters, weightDecay);
        Foreach.MulInPlace(first, beta1);
        Foreach.AddInPlace(first, gradients, 1 - beta1);
        Foreach.MulInPlace(second, beta2);
        Foreach.AddcmulInPlace(second, gradients, gradients, 1 - beta2);
        if (largest is not null)
            Foreach.MaximumInPlace(largest, second);
        var denominators = Foreach.Sqrt(largest ?? second);
        Foreach.MulInPlace(denominators, correct2);
        Foreach.AddInPlace(denominators, epsilon);
        Foreach.AddcdivInPlace(Parameters, first, denominators, -rate);
    }
}
