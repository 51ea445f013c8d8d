namespace Lethe.Torch;

/// <summary>The learning rate as a function of the step, and of nothing else: resuming needs no state.</summary>
public abstract record LearningRateSchedule
{
    /// <summary>The rate for a step; the first step is 0.</summary>
    public abstract double At(long step);

    /// <summary>This schedule after a linear warm-up: at step s &lt; steps the rate is s/steps of the schedule's first, from then on the schedule's own, starting at its step 0.</summary>
    public LearningRateSchedule AfterWarmUp(long steps) => steps > 0 ? new WarmUpRate(steps, this) : this;
}

/// <summary>Always the same rate.</summary>
/// <param name="Rate">The rate.</param>
public sealed record ConstantRate(double Rate) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double At(long step) => Rate;
}

/// <summary>A straight line from one rate to another, which then stays.</summary>
/// <param name="Rate">The rate at step 0.</param>
/// <param name="Final">The rate at the last step and after it.</param>
/// <param name="Steps">Length of the line; 1 or more.</param>
public sealed record LinearRate(double Rate, double Final, long Steps) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double At(long step) => Rate + (Final - Rate) * Math.Min(1.0, (double)step / Steps);
}

/// <summary>Half a period of a cosine from the rate down to the final one, which then stays.</summary>
/// <param name="Rate">The rate at step 0.</param>
/// <param name="Steps">Length of the half period; 1 or more.</param>
/// <param name="Final">The rate at the end.</param>
public sealed record CosineRate(double Rate, long Steps, double Final = 0) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double At(long step) => Final + (Rate - Final) * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1.0, (double)step / Steps)));
}

/// <summary>The rate is multiplied by a factor every so many steps.</summary>
/// <param name="Rate">The rate at step 0.</param>
/// <param name="Every">Steps between changes; 1 or more.</param>
/// <param name="Factor">What it is multiplied by.</param>
public sealed record SteppedRate(double Rate, long Every, double Factor) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double At(long step) => Rate * Math.Pow(Factor, step / Every);
}

/// <summary>A linear warm-up before another schedule; made by <see cref="LearningRateSchedule.AfterWarmUp"/>.</summary>
/// <param name="Steps">Length of the warm-up; 1 or more.</param>
/// <param name="Then">What follows.</param>
public sealed record WarmUpRate(long Steps, LearningRateSchedule Then) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double At(long step) => step < Steps ? Then.At(0) * step / Steps : Then.At(step - Steps);
}
