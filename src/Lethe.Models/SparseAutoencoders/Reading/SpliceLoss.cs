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

/// <summary>Measures <see cref="SpliceReading"/>: the layers below the site run once, those from it on three times.</summary>
public static class SpliceLoss
{
    /// <summary>Reads contexts as they lie.</summary>
    /// <param name="model">The whole model.</param>
    /// <param name="sae">An autoencoder that knows its site.</param>
    /// <param name="tokens">What is read. First positions keep their activations, and their predictions are not counted.</param>
    /// <param name="rows">Contexts at a time; logits of all their positions are held three times.</param>
    /// <param name="contexts">The most contexts read.</param>
    /// <param name="advanced">Told after each batch how many contexts are done.</param>
    /// <exception cref="BadInputException">The autoencoder's site is none of this model's.</exception>
    public static SpliceReading Measure(CausalLanguageModel model, SparseAutoencoder sae, PackedTokens tokens, int rows = 2, int contexts = int.MaxValue, Action<int>? advanced = null)
    {
        var site = SiteOf(sae, model);
        using var noGrad = Autograd.NoGrad();
        var count = Math.Min(tokens.Count, contexts);
        var (predictions, plain, reconstructed, zeroed, divergence, zeroDivergence) = (0L, 0.0, 0.0, 0.0, 0.0, 0.0);
        for (var start = 0; start < count; start += rows)
        {
            using var scope = new TensorScope();
            var ids = tokens.Ids([.. Enumerable.Range(start, Math.Min(rows, count - start))]).To(model.Device); // (B, T)
            var counted = tokens.Counted(ids);
            var places = counted.Narrow(1, 0, tokens.Length - 1).Reshape(-1).Nonzero().View(-1); // predictions from positions that count
            var targets = ids.Narrow(1, 1, tokens.Length - 1).Reshape(-1).IndexSelect(0, places);
            var below = model.Run(model.Embed(ids), 0, site.Layer);
            Tensor Predict(Func<Tensor, Tensor> change)
            {
                using var inner = new TensorScope();
                var hidden = model.Run(below, site.Layer, model.LayerCount, new ForwardContext { Sites = new Splice(site, value => change(value).Where(counted.Unsqueeze(-1), value)) });
                var used = hidden.Narrow(1, 0, tokens.Length - 1).Reshape(-1, model.HiddenSize).IndexSelect(0, places);
                return inner.Keep(model.Head(used).LogSoftmax(-1));
            }
            double Loss(Tensor predicted) => -predicted.Gather(1, targets.Unsqueeze(1)).Sum().Item();
            var original = Predict(value => value);
            var probability = original.Exp();
            double Divergence(Tensor predicted) => (probability * (original - predicted)).Sum().Item();
            predictions += targets.Elements;
            plain += Loss(original);
            using (var first = new TensorScope())
            {
                var predicted = Predict(value => sae.Reconstruct(value).To(value.DType));
                (reconstructed, divergence) = (reconstructed + Loss(predicted), divergence + Divergence(predicted));
            }
            using (var second = new TensorScope())
            {
                var predicted = Predict(value => value.ZerosLike());
                (zeroed, zeroDivergence) = (zeroed + Loss(predicted), zeroDivergence + Divergence(predicted));
            }
            advanced?.Invoke(Math.Min(count, start + rows));
        }
        return new SpliceReading(predictions, plain / predictions, reconstructed / predictions, zeroed / predictions, divergence / predictions, zeroDivergence / predictions);
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
