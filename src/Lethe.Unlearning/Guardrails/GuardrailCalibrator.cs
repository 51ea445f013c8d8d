using System.Globalization;
using Lethe.Models.Language;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Torch;

namespace Lethe.Unlearning.Guardrails;

/// <summary>
/// Thresholds from retain text. A sequence's statistic is the largest that a gate sees at any of its positions; the threshold is the ⌈(n + 1) p⌉-th smallest of n sequences, so that a further
/// sequence of the same kind is touched with a probability of at most 1 − p (split conformal prediction: Vovk et al. 2005), which a percentile of the sample itself does not promise.
/// </summary>
public static class GuardrailCalibrator
{
    // A latent's last digits differ with the shape of the batch that it is computed in; counts of firings have none.
    private const double LevelRounding = 1e-5;

    /// <summary>Calibrates.</summary>
    /// <param name="options">What the guardrail does.</param>
    /// <param name="latents">The latents that the readings are of.</param>
    /// <param name="retain">What they do on retain text.</param>
    /// <param name="means">What they do on the text that means are taken from; null takes them from the retain text.</param>
    /// <exception cref="BadInputException">Too few sequences for the percentile; a latent that is never active where its mean is asked for; latents that fire on retain text as often as what is to be found.</exception>
    /// <exception cref="UsageException">An option is out of range.</exception>
    public static GuardrailCalibration Run(GuardrailOptions options, IReadOnlyList<long> latents, FiringReading retain, FiringReading? means = null)
    {
        options.Validate();
        var calibration = new GuardrailCalibration
        {
            Threshold = options.ThresholdPercentile is null ? null : 0,
            Percentile = options.ThresholdPercentile,
            Sequences = retain.Sequences,
            Positions = retain.Positions,
            Length = retain.Length,
            FiringRate = (double)retain.Firings / retain.Positions,
            MeanActive = options.IsRelative ? Means(latents, means ?? retain) : null,
        };
        double[] largest = [.. retain.All.Select(sequence => Largest(options.Gate(calibration), calibration, sequence.Fires, sequence.Largest))];
        if (options.ThresholdPercentile is { } percentile)
            calibration = calibration with { Threshold = Quantile(largest, percentile / 100) * (options.Gate(calibration) is LevelGate ? 1 + LevelRounding : 1) };
        var gate = options.Gate(calibration);
        return calibration with { Touched = (double)largest.Count(value => value > gate.Threshold) / retain.Sequences };
    }

    /// <summary>Completes a calibration by what the model does on the probe, by which a guardrail knows its model again.</summary>
    public static GuardrailCalibration WithProbe(GuardrailCalibration calibration, CausalLanguageModel model, SparseAutoencoder sae) =>
        calibration with { Norm = GuardrailProbe.Read(model, SpliceLoss.SiteOf(sae, model)).Norm };

    private static double[] Means(IReadOnlyList<long> latents, FiringReading reading) => [.. reading.MeanActive.Zip(latents, (mean, latent) => mean
        ?? throw new BadInputException($"Latent {latent} is never active on the text that its mean is to come from; give text in which it is, or leave the latent or 'relative' out."))];

    private static double Largest(Gate gate, GuardrailCalibration calibration, System.Collections.BitArray fires, float[] values)
    {
        if (gate is LevelGate)
            return values.Select((value, k) => value / (float)(calibration.MeanActive?[k] ?? 1)).Max(); // float32, as at inference
        var state = new double[gate.Fields];
        var largest = 0.0;
        foreach (bool fired in fires)
        {
            gate.Next(state, fired ? 1 : 0, out var statistic);
            largest = Math.Max(largest, statistic);
        }
        return largest;
    }

    /// <summary>The ⌈(n + 1) p⌉-th smallest of n.</summary>
    internal static double Quantile(double[] values, double share)
    {
        // 0.95 of 19 + 1 is 19, and not what rounding makes of it.
        var rank = (int)Math.Ceiling((values.Length + 1) * share - 1e-9);
        if (rank > values.Length)
            throw new BadInputException(string.Create(CultureInfo.InvariantCulture,
                $"A threshold that {share * 100:0.##} % of texts do not exceed needs {Math.Ceiling(share / (1 - share) - 1e-9)} sequences of retain text at least; {values.Length} were read. Give more text, shorter sequences, or a smaller percentile."));
        return values.Order().ElementAt(rank - 1);
    }
}
