using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Torch;

namespace Lethe.Unlearning.Language.Features;

/// <summary>How active each latent is on text to forget and on text to retain; arrays of size K. All are means over tokens.</summary>
/// <param name="ForgetSquare">Mean of z² on forget text.</param>
/// <param name="RetainSquare">Mean of z² on retain text.</param>
/// <param name="ForgetMean">Mean of z on forget text.</param>
/// <param name="RetainMean">Mean of z on retain text.</param>
/// <param name="ForgetFrequency">Share of forget tokens with z ≠ 0.</param>
/// <param name="RetainFrequency">Share of retain tokens with z ≠ 0.</param>
/// <param name="Causal">The causal score; null where it was not computed.</param>
public sealed record LatentScores(
    double[] ForgetSquare, double[] RetainSquare, double[] ForgetMean, double[] RetainMean, double[] ForgetFrequency, double[] RetainFrequency, double[]? Causal = null)
{
    /// <summary>Number K of latents.</summary>
    public int Width => ForgetSquare.Length;

    /// <summary>Of what a pass over both corpora added up.</summary>
    public static LatentScores Of(LatentReading forget, LatentReading retain, double[]? causal = null)
    {
        double[] Square(LatentReading reading) => [.. reading.SumOfSquares.Select(sum => sum / reading.Activations)];
        return new(Square(forget), Square(retain), forget.Mean, retain.Mean, forget.Frequency, retain.Frequency, causal);
    }

    /// <summary>Of texts, each counted as often as its weight says: resamples and halves of a corpus.</summary>
    /// <param name="forget">Texts to forget.</param>
    /// <param name="forgetWeights">A weight for each of them.</param>
    /// <param name="retain">Texts to retain.</param>
    /// <param name="retainWeights">A weight for each of them.</param>
    public static LatentScores Of(TextLatents forget, double[] forgetWeights, TextLatents retain, double[] retainWeights)
    {
        var (f, r) = (Weighted(forget, forgetWeights), Weighted(retain, retainWeights));
        return new(f.Square, r.Square, f.Mean, r.Mean, f.Frequency, r.Frequency);
    }

    /// <summary>Importance for forget text by a measure.</summary>
    /// <exception cref="InvalidOperationException">The causal score was asked for and not computed.</exception>
    public double[] Importance(LatentImportance by) => by switch
    {
        LatentImportance.MeanSquare => ForgetSquare,
        LatentImportance.SquaredMean => [.. ForgetMean.Select(mean => mean * mean)],
        LatentImportance.Frequency => ForgetFrequency,
        LatentImportance.Causal => Causal ?? throw new InvalidOperationException("The causal score was not computed."),
        _ => throw new ArgumentOutOfRangeException(nameof(by), by, "no such importance"),
    };

    /// <summary>ρ_j = forget activity / max(retain activity, ε) with ε = floor · the mean retain activity of all latents; activity is mean z², or (mean z)² where that is the importance.</summary>
    public double[] Ratio(LatentSelectionOptions options)
    {
        var (forget, retain) = options.Importance == LatentImportance.SquaredMean
            ? (Importance(LatentImportance.SquaredMean), [.. RetainMean.Select(mean => mean * mean)])
            : (ForgetSquare, RetainSquare);
        // Where no latent fires on retain text at all there is no unit; the ratio is then the forget activity, which orders latents and is finite.
        var floor = options.Floor * retain.Average() is > 0 and var share ? share : 1;
        return [.. forget.Zip(retain, (f, r) => f == 0 ? 0 : f / Math.Max(r, floor))];
    }

    private static (double[] Square, double[] Mean, double[] Frequency) Weighted(TextLatents texts, double[] weights)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var tokens = weights.Zip(texts.Tokens, (weight, count) => weight * count).Sum();
        var row = Tensor.FromArray(weights.Select(weight => (float)weight).ToArray(), 1, weights.Length);
        double[] Mean(Tensor sums) => [.. row.Mm(sums).ToArray<float>().Select(sum => tokens == 0 ? 0 : sum / tokens)];
        return (Mean(texts.SumOfSquares), Mean(texts.Sum), Mean(texts.Active));
    }
}
