using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Torch;

namespace Lethe.Unlearning.Language.Features;

/// <summary>How much the choice of relevant latents depends on which documents happened to be given.</summary>
/// <param name="Documents">Forget documents of a resample.</param>
/// <param name="Resamples">Resamples drawn.</param>
/// <param name="Jaccard">Mean over resamples of |A ∩ B| / |A ∪ B|, A chosen by all documents and B by the resample: 1 is always the same latents.</param>
/// <param name="ByChance">What two random choices of that size among the candidates would share, on average.</param>
/// <param name="Inclusion">For each latent that all documents choose, in that order, the share of resamples that choose it too.</param>
public sealed record FeatureStability(int Documents, int Resamples, double Jaccard, double ByChance, IReadOnlyList<double> Inclusion)
{
    /// <summary>Resamples documents with replacement (bootstrap), forget and retain each by themselves, and chooses anew.</summary>
    /// <param name="forget">Documents to forget.</param>
    /// <param name="retain">Documents to retain.</param>
    /// <param name="options">How latents are chosen; a causal importance cannot be resampled by documents.</param>
    /// <param name="seed">Decides the resamples.</param>
    /// <param name="resamples">How many.</param>
    /// <param name="documents">Forget documents of a resample, to ask what fewer would have said; null: as many as there are.</param>
    /// <exception cref="UsageException">The importance is causal.</exception>
    /// <exception cref="BadInputException">The documents choose no latent.</exception>
    public static FeatureStability Of(TextLatents forget, TextLatents retain, LatentSelectionOptions options, ulong seed, int resamples = 100, int? documents = null)
    {
        if (options.Importance == LatentImportance.Causal)
            throw new UsageException("The stability of a choice by causal scores cannot be had by resampling documents: those scores come from questions. Use mean_square, squared_mean or frequency.");
        using var scope = new TensorScope();
        var ties = LatentSelection.Ties((int)forget.Width, seed);
        (int[] Chosen, int Candidates) Choose(double[] forgetWeights, double[] retainWeights)
        {
            var scores = LatentScores.Of(forget, forgetWeights, retain, retainWeights);
            var (chosen, _, candidates) = LatentSelection.Relevant(scores, scores.Ratio(options), options, ties);
            return (chosen, candidates);
        }
        var (all, candidates) = Choose(Ones(forget.Count), Ones(retain.Count));
        if (all.Length == 0)
            throw new BadInputException("The documents to forget choose no latent, so there is no choice whose stability could be measured.");
        using var random = new RandomStream(RandomStream.ChildSeed(seed, "bootstrap"));
        var counts = new int[all.Length];
        var jaccard = 0.0;
        for (var k = 0; k < resamples; k++)
        {
            var chosen = Choose(Resample(forget.Count, documents ?? forget.Count, random), Resample(retain.Count, retain.Count, random)).Chosen.ToHashSet();
            var shared = 0;
            foreach (var (place, latent) in all.Index())
                if (chosen.Contains(latent))
                {
                    counts[place]++;
                    shared++;
                }
            jaccard += (double)shared / (all.Length + chosen.Count - shared);
        }
        // Two random choices of k among n share k²/n on average.
        var expected = (double)all.Length * all.Length / Math.Max(candidates, all.Length);
        return new(documents ?? forget.Count, resamples, jaccard / resamples, expected / (2 * all.Length - expected), [.. counts.Select(count => (double)count / resamples)]);
    }

    internal static double[] Ones(int count) => [.. Enumerable.Repeat(1.0, count)];

    private static double[] Resample(int from, int count, RandomStream random)
    {
        using var scope = new TensorScope();
        var weights = new double[from];
        foreach (var drawn in Tensor.RandInt(0, from, [count], random).ToArray<long>())
            weights[drawn]++;
        return weights;
    }
}
