using Lethe.Torch;

namespace Lethe.Unlearning.Language.Features;

/// <summary>The latents that were chosen.</summary>
/// <param name="Relevant">Relevant ones, the most important first.</param>
/// <param name="Irrelevant">Irrelevant ones, those with the lowest ratio first; none of them is relevant.</param>
/// <param name="Threshold">The ratio at the percentile: relevant ones are at or above it.</param>
/// <param name="RelevantCandidates">Latents that the relevant ones were chosen among.</param>
/// <param name="IrrelevantCandidates">Latents that the irrelevant ones were chosen among.</param>
public sealed record LatentChoice(IReadOnlyList<int> Relevant, IReadOnlyList<int> Irrelevant, double Threshold, int RelevantCandidates, int IrrelevantCandidates);

/// <summary>
/// Chooses latents by their scores: relevant are the most important of those whose ratio is at or above a percentile; irrelevant are those with the lowest ratio among latents that retain text makes
/// active. Ties are broken by the other scores and at last by a seeded order, never by position.
/// </summary>
public static class LatentSelection
{
    /// <summary>Chooses.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="options">How many, and what they must fulfil.</param>
    /// <param name="seed">Decides ties that the scores leave.</param>
    /// <exception cref="BadInputException">No latent fulfils what is asked.</exception>
    public static LatentChoice Choose(LatentScores scores, LatentSelectionOptions options, ulong seed = 0)
    {
        var ties = Ties(scores.Width, seed);
        var ratio = scores.Ratio(options);
        var (relevant, threshold, candidates) = Relevant(scores, ratio, options, ties);
        if (relevant.Length == 0)
            throw new BadInputException($"No latent of {scores.Width} is relevant: none fires on the text to forget, has a ratio at or above the percentile {options.Percentile} and fires on at most the share {options.MostRetainFrequency} of retain tokens. Give more text, or another autoencoder or layer.");
        var chosen = relevant.ToHashSet();
        var rest = Enumerable.Range(0, scores.Width).Where(j => !chosen.Contains(j) && scores.RetainFrequency[j] >= options.LeastRetainFrequency && scores.RetainFrequency[j] > 0).ToArray();
        if (rest.Length == 0)
            throw new BadInputException($"No latent of {scores.Width} is irrelevant: none fires on the share {options.LeastRetainFrequency} of retain tokens or more. Lower irrelevant latents' least frequency, or give more retain text.");
        // Of those that forget text never makes active the ones that retain text uses most.
        int[] irrelevant = [.. rest.OrderBy(j => ratio[j]).ThenByDescending(j => scores.RetainSquare[j]).ThenByDescending(j => scores.RetainFrequency[j]).ThenBy(j => ties[j]).Take(options.Irrelevant)];
        return new(relevant, irrelevant, threshold, candidates, rest.Length);
    }

    /// <summary>The relevant ones alone; may be none.</summary>
    internal static (int[] Chosen, double Threshold, int Candidates) Relevant(LatentScores scores, double[] ratio, LatentSelectionOptions options, long[] ties)
    {
        var threshold = Percentile([.. Enumerable.Range(0, scores.Width).Where(j => scores.ForgetSquare[j] > 0 || scores.RetainSquare[j] > 0).Select(j => ratio[j])], options.Percentile);
        var importance = scores.Importance(options.Importance);
        int[] candidates = [.. Enumerable.Range(0, scores.Width).Where(j => scores.ForgetSquare[j] > 0 && ratio[j] >= threshold && scores.RetainFrequency[j] <= options.MostRetainFrequency)];
        var chosen = candidates.OrderByDescending(j => importance[j]).ThenByDescending(j => ratio[j]).ThenByDescending(j => scores.ForgetSquare[j]).ThenBy(j => ties[j]).Take(options.Relevant);
        return ([.. chosen], threshold, candidates.Length);
    }

    /// <summary>A random order of the latents.</summary>
    internal static long[] Ties(int width, ulong seed)
    {
        using var scope = new TensorScope();
        using var random = new RandomStream(RandomStream.ChildSeed(seed, "ties"));
        return Tensor.RandPerm(width, random).ToArray<long>();
    }

    // Linear between the two nearest, as numpy.percentile; of nothing it is 0.
    private static double Percentile(double[] values, double percent)
    {
        if (values.Length == 0)
            return 0;
        Array.Sort(values);
        var at = percent / 100 * (values.Length - 1);
        var below = (int)at;
        return below + 1 >= values.Length ? values[^1] : values[below] + (at - below) * (values[below + 1] - values[below]);
    }
}
