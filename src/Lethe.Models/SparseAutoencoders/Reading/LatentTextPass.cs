using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Reading;

/// <summary>A labelled corpus of texts that stay apart.</summary>
/// <param name="Label">What it is: "forget", "retain".</param>
/// <param name="Texts">Token ids of each text as the model reads them, special tokens included; the first position of each is left out of all sums.</param>
public sealed record LabelledTexts(string Label, IReadOnlyList<int[]> Texts);

/// <summary>
/// One pass of a language model over labelled texts for any number of autoencoders at any sites: sums for each (corpus, latent), and for each (text, latent) of some of the texts.
/// The forward ends after the highest site. Where text limits do not matter, <see cref="LatentPass"/> wastes less on padding.
/// </summary>
public sealed class LatentTextPass : IDisposable
{
    private readonly LatentStatistics[][] statistics; // [autoencoder][corpus]
    private readonly TextLatents[][] texts;

    private LatentTextPass(LatentStatistics[][] statistics, TextLatents[][] texts) => (this.statistics, this.texts) = (statistics, texts);

    /// <summary>Reads all texts.</summary>
    /// <param name="model">The model, from layer 0 up to the highest site at least.</param>
    /// <param name="saes">Autoencoders that know their sites.</param>
    /// <param name="corpora">The corpora; a text of fewer than two tokens has nothing that counts.</param>
    /// <param name="apart">Texts of a corpus whose sums are kept by text, spread evenly over it; bounds the memory: 12 bytes · latents · this, for each corpus and autoencoder.</param>
    /// <param name="length">Longest piece that is read at once; a longer text is read in pieces, each of which begins anew.</param>
    /// <param name="tokensAtOnce">Tokens of a batch, padding included.</param>
    /// <param name="advanced">Told after each batch: texts done and all.</param>
    /// <exception cref="BadInputException">A corpus has no token that counts, an autoencoder belongs to no site of this model, or the activations there are not of the size that it was trained on.</exception>
    public static LatentTextPass Read(
        CausalLanguageModel model, IReadOnlyList<SparseAutoencoder> saes, IReadOnlyList<LabelledTexts> corpora, int apart = 512, int length = 512, int tokensAtOnce = 2048, Action<long, long>? advanced = null)
    {
        if (length < 2)
            throw new ArgumentOutOfRangeException(nameof(length), length, "2 or more is allowed");
        Site[] sites = [.. saes.Select(sae => SpliceLoss.SiteOf(sae, model))];
        Site[] distinct = [.. sites.Distinct()];
        foreach (var corpus in corpora)
            if (corpus.Texts.All(text => text.Length < 2))
                throw new BadInputException($"The corpus '{corpus.Label}' has no text of two tokens or more (of {corpus.Texts.Count} texts), so there is nothing that latents could be scored on.");
        // Which texts are kept apart, and under which number.
        var kept = corpora.Select(corpus => EvenSample.Places(corpus.Texts.Count, apart).Index().ToDictionary(entry => entry.Item, entry => entry.Index)).ToArray();
        var pass = new LatentTextPass(
            [.. saes.Select(sae => corpora.Select(_ => new LatentStatistics(sae.Width, model.Device)).ToArray())],
            [.. saes.Select(sae => kept.Select(numbers => new TextLatents(numbers.Count, sae.Width)).ToArray())]);
        var (done, total, normKnown) = (0L, corpora.Sum(corpus => (long)corpus.Texts.Count), false);
        using var noGrad = Autograd.NoGrad();
        try
        {
            foreach (var (c, corpus) in corpora.Index())
                foreach (var batch in Batches(corpus.Texts, length, tokensAtOnce))
                {
                    using var scope = new TensorScope();
                    var longest = batch.Max(piece => piece.Count);
                    var ids = new long[batch.Count * longest];
                    var (places, owners) = (new List<long>(), new List<(int Row, int Text)>());
                    foreach (var (row, piece) in batch.Index())
                        for (var at = 0; at < piece.Count; at++)
                        {
                            ids[row * longest + at] = corpus.Texts[piece.Text][piece.Start + at];
                            if (at > 0)
                            {
                                places.Add(row * longest + at);
                                owners.Add((owners.Count, piece.Text));
                            }
                        }
                    using var recorder = new SiteRecorder(distinct);
                    // Padding stands on the right, where no counted position sees it.
                    using (new TensorScope())
                        model.Run(model.Embed(Tensor.FromArray(ids, batch.Count, longest)), 0, distinct.Max(site => site.Layer) + 1, new ForwardContext { Sites = recorder });
                    var counted = Tensor.FromArray(places.ToArray()).To(model.Device);
                    // Of the texts that are kept apart: the row of the sums, and the row of z.
                    var own = owners.Where(owner => kept[c].ContainsKey(owner.Text)).ToArray();
                    foreach (var (k, sae) in saes.Index())
                    {
                        using var one = new TensorScope();
                        var value = recorder.Values[sites[k]];
                        var x = value.Reshape(-1, value.Size(-1)).IndexSelect(0, counted);
                        if (!normKnown)
                            sae.Check($"site {sites[k]}", sae.InputSize, meanNorm: x.To(DType.Float32).Norm(2, [1]).Mean().Item());
                        var z = sae.Encode(x);
                        pass.statistics[k][c].Add(z);
                        if (own.Length > 0)
                            pass.texts[k][c].Add(
                                own.Length == owners.Count ? z : z.IndexSelect(0, Tensor.FromArray(own.Select(owner => (long)owner.Row).ToArray()).To(model.Device)),
                                [.. own.Select(owner => kept[c][owner.Text])]);
                    }
                    normKnown = true;
                    advanced?.Invoke(done += batch.Count(piece => piece.Start == 0), total);
                }
        }
        catch
        {
            pass.Dispose();
            throw;
        }
        return pass;
    }

    /// <summary>What a whole corpus makes of the latents of an autoencoder.</summary>
    public LatentReading Statistics(int sae, int corpus) => statistics[sae][corpus].Read();

    /// <summary>What each of the texts that were kept apart makes of them; owned by the pass.</summary>
    public TextLatents Texts(int sae, int corpus) => texts[sae][corpus];

    /// <summary>Frees the sums.</summary>
    public void Dispose()
    {
        foreach (var sums in statistics.SelectMany(of => of))
            sums.Dispose();
        foreach (var sums in texts.SelectMany(of => of))
            sums.Dispose();
    }

    // Pieces of similar length together, so that little is padding; a piece of one token has nothing that counts.
    private static IEnumerable<List<(int Text, int Start, int Count)>> Batches(IReadOnlyList<int[]> texts, int length, int tokensAtOnce)
    {
        var batch = new List<(int Text, int Start, int Count)>();
        var pieces = texts.Index().SelectMany(text => Enumerable.Range(0, (text.Item.Length + length - 1) / length).Select(k => (Text: text.Index, Start: k * length, Count: Math.Min(length, text.Item.Length - k * length))));
        foreach (var piece in pieces.Where(piece => piece.Count > 1).OrderByDescending(piece => piece.Count))
        {
            if (batch.Count > 0 && (batch.Count + 1) * batch[0].Count > tokensAtOnce)
            {
                yield return batch;
                batch = [];
            }
            batch.Add(piece);
        }
        if (batch.Count > 0)
            yield return batch;
    }
}
