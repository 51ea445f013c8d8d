using Lethe.Models.Language;
using Lethe.Models.SparseAutoencoders.Training;
using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Reading;

/// <summary>A labelled corpus.</summary>
/// <param name="Label">What it is: "biology", "WikiText".</param>
/// <param name="Tokens">What a model reads of it.</param>
public sealed record LabelledTokens(string Label, PackedTokens Tokens);

/// <summary>
/// One pass of a language model over any number of labelled corpora for any number of autoencoders at any sites: sums for each (corpus, latent), and the contexts in which
/// each latent is largest. Nothing grows with the corpora.
/// </summary>
public sealed class LatentPass : IDisposable
{
    private readonly CausalLanguageModel model;
    private readonly IReadOnlyList<SparseAutoencoder> saes;
    private readonly IReadOnlyList<LabelledTokens> corpora;
    private readonly LatentStatistics[][] statistics;
    private readonly TopContexts[][] best;
    private readonly Site[] sites;
    private bool normKnown;

    private LatentPass(CausalLanguageModel model, IReadOnlyList<SparseAutoencoder> saes, IReadOnlyList<LabelledTokens> corpora, int contexts)
    {
        (this.model, this.saes, this.corpora) = (model, saes, corpora);
        sites = [.. saes.Select(sae => SpliceLoss.SiteOf(sae, model))];
        statistics = [.. saes.Select(sae => corpora.Select(_ => new LatentStatistics(sae.Width, model.Device)).ToArray())];
        best = [.. saes.Select(sae => corpora.Select(_ => new TopContexts(sae.Width, contexts, model.Device)).ToArray())];
    }

    /// <summary>Reads all corpora.</summary>
    /// <param name="model">The model, up to the highest site at least; it must outlive the result.</param>
    /// <param name="saes">Autoencoders that know their sites; they must outlive the result.</param>
    /// <param name="corpora">The corpora.</param>
    /// <param name="contexts">Contexts kept for each latent and corpus.</param>
    /// <param name="rows">Contexts at a time.</param>
    /// <param name="advanced">Told after each batch: done and all.</param>
    /// <exception cref="BadInputException">An autoencoder belongs to no site of this model, or the activations there are not of the size that it was trained on.</exception>
    public static LatentPass Read(CausalLanguageModel model, IReadOnlyList<SparseAutoencoder> saes, IReadOnlyList<LabelledTokens> corpora, int contexts = 8, int rows = 8, Action<long, long>? advanced = null)
    {
        var pass = new LatentPass(model, saes, corpora, contexts);
        var total = corpora.Sum(corpus => (corpus.Tokens.Count + rows - 1L) / rows);
        var done = 0L;
        using var noGrad = Autograd.NoGrad();
        foreach (var (c, corpus) in corpora.Index())
        {
            using var stream = new LanguageActivations(model, pass.Distinct, corpus.Tokens, rows, null);
            for (var batch = 0L; batch < stream.Batches; batch++)
            {
                using var scope = new TensorScope();
                var numbers = stream.ContextsOf(0, batch);
                var values = stream.ReadContexts(numbers);
                var counted = corpus.Tokens.Counted(corpus.Tokens.Ids(numbers)).To(model.Device); // (B, T)
                var kept = counted.View(-1).Nonzero().View(-1);
                foreach (var (k, sae) in saes.Index())
                {
                    using var one = new TensorScope();
                    var x = values[pass.Distinct.IndexOf(pass.sites[k])]; // (B, T, D)
                    var z = sae.Encode(x); // (B, T, K)
                    // The first batch tells; norms of other texts are much the same.
                    if (!pass.normKnown && kept.Elements > 0)
                        sae.Check($"site {pass.sites[k]}", sae.InputSize, meanNorm: x.Reshape(counted.Elements, -1).IndexSelect(0, kept).To(DType.Float32).Norm(2, [1]).Mean().Item());
                    pass.statistics[k][c].Add(z.Reshape(-1, sae.Width).IndexSelect(0, kept));
                    pass.best[k][c].Add((z * counted.Unsqueeze(-1).To(z.DType)).Amax([1]), numbers);
                }
                pass.normKnown |= kept.Elements > 0;
                advanced?.Invoke(++done, total);
            }
        }
        return pass;
    }

    /// <summary>What a corpus makes of the latents of an autoencoder.</summary>
    public LatentReading Statistics(int sae, int corpus) => statistics[sae][corpus].Read();

    /// <summary>The contexts in which a latent is largest, over all corpora, the largest first.</summary>
    /// <param name="sae">Which autoencoder.</param>
    /// <param name="latent">Which latent.</param>
    /// <param name="count">The most contexts given.</param>
    public IReadOnlyList<LatentContext> Contexts(int sae, long latent, int count)
    {
        var found = corpora.Index().SelectMany(corpus => best[sae][corpus.Index].Of(latent).Select(entry => (Corpus: corpus.Index, entry.Context, entry.Value)))
            .OrderByDescending(entry => entry.Value).Take(count);
        return [.. found.Select(entry => Read(sae, latent, entry.Corpus, entry.Context))];
    }

    /// <summary>Frees the sums.</summary>
    public void Dispose()
    {
        foreach (var sums in statistics.SelectMany(of => of))
            sums.Dispose();
        foreach (var table in best.SelectMany(of => of))
            table.Dispose();
    }

    private List<Site> Distinct => [.. sites.Distinct()];

    private LatentContext Read(int sae, long latent, int corpus, int context)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var tokens = corpora[corpus].Tokens;
        using var stream = new LanguageActivations(model, [sites[sae]], tokens, 1, null);
        var z = saes[sae].Encode(stream.ReadContexts([context])[0]).Select(0, 0).Select(1, latent); // (T)
        var counted = tokens.Counted(tokens.Ids([context])).View(-1).To(DType.Float32).To(model.Device);
        return new LatentContext(corpora[corpus].Label, tokens.Context(context).ToArray(), [.. (z * counted).ToArray<float>().Select(value => (double)value)]);
    }
}

/// <summary>A context and what a latent makes of each of its tokens.</summary>
/// <param name="Label">Label of its corpus.</param>
/// <param name="Tokens">Token ids.</param>
/// <param name="Values">The latent at each token; 0 at positions that are left out.</param>
public sealed record LatentContext(string Label, IReadOnlyList<int> Tokens, IReadOnlyList<double> Values);
