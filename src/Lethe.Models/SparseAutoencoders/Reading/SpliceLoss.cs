using Lethe.Models.Language;
using Lethe.Models.SparseAutoencoders.Training;
using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Reading;

/// <summary>What a language model loses when an autoencoder's reconstruction goes on in place of the activations.</summary>
/// <param name="Tokens">Predictions measured.</param>
/// <param name="CrossEntropy">Of the model as it is, nats a token.</param>
/// <param name="WithReconstruction">With the reconstruction in place.</param>
/// <param name="WithZero">With zeros in place.</param>
/// <param name="Divergence">KL of the model's predictions to those with the reconstruction, nats a token.</param>
/// <param name="ZeroDivergence">KL of the model's predictions to those with zeros, nats a token.</param>
public sealed record SpliceReading(long Tokens, double CrossEntropy, double WithReconstruction, double WithZero, double Divergence, double ZeroDivergence)
{
    /// <summary>Nats a token that the reconstruction costs.</summary>
    public double Rise => WithReconstruction - CrossEntropy;

    /// <summary>(CE zero − CE reconstruction) / (CE zero − CE): 1 is no loss, 0 is as bad as zeros; null where zeros cost nothing.</summary>
    public double? Recovered => WithZero > CrossEntropy ? (WithZero - WithReconstruction) / (WithZero - CrossEntropy) : null;

    /// <summary>1 − KL / KL of zeros; null where zeros change nothing.</summary>
    public double? DivergenceRecovered => ZeroDivergence > 0 ? 1 - Divergence / ZeroDivergence : null;
}

/// <summary>
/// Measures <see cref="SpliceReading"/>: the whole model runs once for all autoencoders; then, from its layer on, once for each site with zeros and once for each autoencoder.
/// </summary>
public static class SpliceLoss
{
    /// <summary>Reads contexts as they lie.</summary>
    /// <param name="model">The whole model.</param>
    /// <param name="saes">Autoencoders that know their sites.</param>
    /// <param name="tokens">What is read. First positions keep their activations, and their predictions are not counted.</param>
    /// <param name="rows">Contexts at a time; logits of all their positions are held three times.</param>
    /// <param name="contexts">The most contexts read.</param>
    /// <param name="advanced">Told after each batch how many contexts are done.</param>
    /// <returns>A reading for each autoencoder.</returns>
    /// <exception cref="BadInputException">An autoencoder's site is none of this model's.</exception>
    public static IReadOnlyList<SpliceReading> Measure(CausalLanguageModel model, IReadOnlyList<SparseAutoencoder> saes, PackedTokens tokens, int rows = 2, int contexts = int.MaxValue, Action<int>? advanced = null)
    {
        Site[] sites = [.. saes.Select(sae => SiteOf(sae, model))];
        using var noGrad = Autograd.NoGrad();
        var count = Math.Min(tokens.Count, contexts);
        var (predictions, plain) = (0L, 0.0);
        var reconstructed = new (double Loss, double Divergence)[saes.Count];
        var zeroed = sites.Distinct().ToDictionary(site => site, _ => (Loss: 0.0, Divergence: 0.0));
        using var below = new SiteRecorder(sites.Select(site => new Site(site.Layer, SiteKind.ResidualBefore)));
        for (var start = 0; start < count; start += rows)
        {
            using var scope = new TensorScope();
            var ids = tokens.Ids([.. Enumerable.Range(start, Math.Min(rows, count - start))]).To(model.Device); // (B, T)
            var counted = tokens.Counted(ids);
            var places = counted.Narrow(1, 0, tokens.Length - 1).Reshape(-1).Nonzero().View(-1); // predictions from positions that count
            var targets = ids.Narrow(1, 1, tokens.Length - 1).Reshape(-1).IndexSelect(0, places);
            Tensor Predict(Tensor hidden, int from, ISiteVisitor visitor)
            {
                using var inner = new TensorScope();
                var used = model.Run(hidden, from, model.LayerCount, new ForwardContext { Sites = visitor }).Narrow(1, 0, tokens.Length - 1).Reshape(-1, model.HiddenSize).IndexSelect(0, places);
                return inner.Keep(model.Head(used).LogSoftmax(-1));
            }
            double Loss(Tensor predicted) => -predicted.Gather(1, targets.Unsqueeze(1)).Sum().Item();
            var original = Predict(model.Embed(ids), 0, below);
            var probability = original.Exp();
            (double, double) With(Site site, Func<Tensor, Tensor> change, (double Loss, double Divergence) before)
            {
                using var inner = new TensorScope();
                var predicted = Predict(below.Values[new Site(site.Layer, SiteKind.ResidualBefore)], site.Layer, new Splice(site, value => change(value).Where(counted.Unsqueeze(-1), value)));
                return (before.Loss + Loss(predicted), before.Divergence + (probability * (original - predicted)).Sum().Item());
            }
            predictions += targets.Elements;
            plain += Loss(original);
            foreach (var site in sites.Distinct())
                zeroed[site] = With(site, value => value.ZerosLike(), zeroed[site]);
            foreach (var (k, sae) in saes.Index())
                reconstructed[k] = With(sites[k], value => sae.Reconstruct(value).To(value.DType), reconstructed[k]);
            advanced?.Invoke(Math.Min(count, start + rows));
        }
        return [.. saes.Select((_, k) => new SpliceReading(predictions, plain / predictions, reconstructed[k].Loss / predictions, zeroed[sites[k]].Loss / predictions,
            reconstructed[k].Divergence / predictions, zeroed[sites[k]].Divergence / predictions))];
    }

    /// <summary>The site of an autoencoder in a language model.</summary>
    /// <exception cref="BadInputException">It names none, or one that the model does not have.</exception>
    public static Site SiteOf(SparseAutoencoder sae, CausalLanguageModel model)
    {
        if (sae.Site is not { Layer: not null } named)
            throw new BadInputException($"The autoencoder names {(sae.Site is null ? "no site" : $"the site '{sae.Site}', which is none of a language model")}; a site such as layers.7.residual_after is needed.");
        var site = Site.Parse(named.Name);
        if (site.Kind is SiteKind.ResidualBefore or SiteKind.ResidualMiddle or SiteKind.ResidualAfter or SiteKind.AttentionOutput or SiteKind.AttentionAdded or SiteKind.MlpOutput or SiteKind.MlpAdded)
            sae.Check($"site {site}", model.HiddenSize, model.LayerCount);
        else if (site.Layer >= model.LayerCount)
            throw new BadInputException($"The autoencoder belongs to layer {site.Layer}; the model has layers 0 to {model.LayerCount - 1}.");
        return site;
    }

    private sealed class Splice(Site site, Func<Tensor, Tensor> change) : ISiteVisitor
    {
        public bool Wants(Site other) => other == site;

        public Tensor Visit(Site other, Tensor value) => change(value);
    }
}
