using MathNet.Numerics.Distributions;

namespace Lethe.Evaluation.Statistics;

/// <summary>The smallest change that a measurement of this precision would probably have shown: what "no difference was found" is worth.</summary>
public static class SmallestEffect
{
    /// <summary>(z₁₋α⁄₂ + z_power) · standard error, in the measure's unit (Cohen 1988, normal approximation).</summary>
    /// <param name="standardError">Of the change, at least 0.</param>
    /// <param name="alpha">Chance of a false alarm of a two-sided test, above 0 and below 1.</param>
    /// <param name="power">Chance that a change of this size is seen, at least alpha and below 1.</param>
    public static double Of(double standardError, double alpha = 0.05, double power = 0.8)
    {
        if (!(standardError >= 0 && double.IsFinite(standardError)))
            throw new ArgumentOutOfRangeException(nameof(standardError), standardError, "a standard error is at least 0");
        Check.Confidence(1 - alpha);
        Check.Confidence(power);
        return (Normal.InvCDF(0, 1, 1 - alpha / 2) + Normal.InvCDF(0, 1, power)) * standardError;
    }
}
