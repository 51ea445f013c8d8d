using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Torch;
using Lethe.Unlearning.Language.Features;

namespace Lethe.Unlearning.Tests.Language;

public sealed class LayerChoiceTests
{
    private const int Width = 60, Planted = 6, TokensOfText = 8;

    private static readonly LatentSelectionOptions Selection = new() { Relevant = Planted, Percentile = 80 };
    private static readonly LayerChoiceOptions Options = new() { Permutations = 99, Splits = 3 };

    [TorchFact]
    public void Identical_corpora_are_not_told_apart_and_the_diagnosis_says_so()
    {
        using var sites = new Sites(forget: 20, retain: 30, [0, 0, 0], seed: 11);
        var choice = LayerChoice.Choose(sites.All, Selection, Options, seed: 3);
        Assert.Empty(choice.Chosen);
        Assert.Contains("No site tells the texts to forget from those to retain: at layers.", choice.Diagnosis, StringComparison.Ordinal);
        // Chosen and measured on different halves, what chance made large is worth nothing; on the same texts it would look like separation.
        Assert.All(choice.Sites, site => Assert.InRange(site.Share, 0.44, 0.56));
        Assert.All(choice.Sites, site => Assert.InRange(site.Permuted, 0.47, 0.53));
        Assert.All(choice.Sites, site => Assert.True(site.P > 0.05 && site.FamilyP >= site.P));
    }

    [TorchFact]
    public void Planted_latents_are_found_and_the_site_where_they_are_strongest_is_taken()
    {
        using var sites = new Sites(forget: 20, retain: 30, [0, 1.5, 3], seed: 12);
        var choice = LayerChoice.Choose(sites.All, Selection, Options with { Sites = 2 }, seed: 3);
        Assert.Equal([2, 1], choice.Chosen);
        Assert.Null(choice.Diagnosis);
        Assert.Equal(0.01, choice.Sites[2].FamilyP, 1e-12); // none of 99 permutations does as well
        // A planted latent has on forget text E (x⁺ + 3)² = ½ + 6/√(2π) + 9 = 11.89, on retain text ½.
        Assert.InRange(choice.Sites[2].Share, 0.93, 0.98);
        Assert.InRange(choice.Sites[0].Share, 0.4, 0.6);
        Assert.Equal(choice.Sites, LayerChoice.Choose(sites.All, Selection, Options with { Sites = 2 }, seed: 3).Sites);
        // The other importances see it too.
        foreach (var importance in new[] { LatentImportance.SquaredMean, LatentImportance.Frequency })
            Assert.Equal(2, LayerChoice.Choose(sites.All, Selection with { Importance = importance }, Options, seed: 3).Chosen[0]);
    }

    [TorchFact]
    public void Planted_features_are_stable_from_tens_of_documents_and_random_ones_are_not()
    {
        using var sites = new Sites(forget: 40, retain: 40, [3, 0], seed: 13);
        var planted = FeatureStability.Of(sites.All[0].Forget, sites.All[0].Retain, Selection, seed: 5, resamples: 40);
        Assert.True(planted.Jaccard > 0.95, $"{planted.Jaccard}");
        Assert.Equal((40, Planted), (planted.Documents, planted.Inclusion.Count));
        Assert.All(planted.Inclusion, share => Assert.InRange(share, 0.95, 1));
        var few = FeatureStability.Of(sites.All[0].Forget, sites.All[0].Retain, Selection, seed: 5, resamples: 40, documents: 10);
        Assert.InRange(few.Jaccard, 0.9, 1);
        var none = FeatureStability.Of(sites.All[1].Forget, sites.All[1].Retain, Selection, seed: 5, resamples: 40);
        Assert.True(none.Jaccard < 0.75, $"{none.Jaccard}");
        // 6 of 12 candidates: 3 shared of 9 on average.
        Assert.Equal(3.0 / 9, planted.ByChance, 1e-12);
    }

    [TorchFact]
    public void Too_few_texts_and_causal_scores_are_refused()
    {
        using var sites = new Sites(forget: 3, retain: 9, [1], seed: 14);
        Assert.Contains("3 texts to forget and 9 to retain are too few", Assert.Throws<BadInputException>(() => LayerChoice.Choose(sites.All, Selection, Options, 1)).Message, StringComparison.Ordinal);
        var causal = Selection with { Importance = LatentImportance.Causal };
        Assert.Throws<UsageException>(() => LayerChoice.Choose(sites.All, causal, Options, 1));
        Assert.Throws<UsageException>(() => FeatureStability.Of(sites.All[0].Forget, sites.All[0].Retain, causal, 1));
    }

    /// <summary>Latents of an autoencoder at some sites: |noise| half of the time, and on forget text more of the first six, by a strength of the site.</summary>
    private sealed class Sites : IDisposable
    {
        public Sites(int forget, int retain, double[] strengths, ulong seed)
        {
            using var random = new RandomStream(seed);
            TextLatents Read(int texts, double strength)
            {
                var z = Tensor.Randn([texts * TokensOfText, Width], random).Relu();
                z.Narrow(1, 0, Planted).AddInPlace(strength);
                return TextLatents.Of(z, [.. Enumerable.Range(0, texts * TokensOfText).Select(token => token / TokensOfText)]);
            }
            All = [.. strengths.Select((strength, k) => new SiteTexts($"layers.{k}.residual_after", Read(forget, strength), Read(retain, 0)))];
        }

        public IReadOnlyList<SiteTexts> All { get; }

        public void Dispose()
        {
            foreach (var site in All)
            {
                site.Forget.Dispose();
                site.Retain.Dispose();
            }
        }
    }
}
