using Lethe.Models.Language;
using Lethe.Models.SparseAutoencoders;
using Lethe.Torch;
using Lethe.Unlearning.Language.Features;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Unlearning.Tests.Language;

public sealed class CausalScoreTests
{
    private static readonly MarginQuestion[] Questions =
    [
        new([3, 5, 9, 11], [[12, 4], [7], [8, 8, 2]], 1),
        new([3, 20], [[1], [30]], 0),
        new([3, 6, 6, 25, 31, 17], [[22], [23], [24], [26]], 3),
    ];

    [TorchFact]
    public void Effects_are_the_slopes_of_the_margin_as_latents_are_scaled_at_every_site()
    {
        using var model = Tiny.Model(dtype: DType.Float64);
        using var low = Tiny.Autoencoder(1, type: DType.Float64);
        using var high = Tiny.Autoencoder(2, width: 20, type: DType.Float64, seed: 7);
        SparseAutoencoder[] saes = [low, high];
        Site[] sites = [new(1, SiteKind.ResidualAfter), new(2, SiteKind.ResidualAfter)];
        var effects = CausalScores.Effects(model, saes, sites, Questions);
        var scores = CausalScores.Read(model, saes, Questions, tokensAtOnce: 20); // several batches
        using var noGrad = Autograd.NoGrad();
        for (var k = 0; k < saes.Length; k++)
        {
            var actual = effects[k].To(DType.Float64).ToArray<double>();
            var width = (int)saes[k].Width;
            Assert.True(actual.Count(effect => Math.Abs(effect) > 1e-3) > width, "most effects are 0, so that nothing is tested");
            foreach (var latent in new[] { 0, 3, 8, 13, 19 })
            {
                var sum = 0.0;
                foreach (var (q, question) in Questions.Index())
                {
                    const double step = 1e-5;
                    double At(double by)
                    {
                        using var scope = new TensorScope();
                        return Margin(model, question, new Scale(saes[k], sites[k], latent, 1 + by, question.Prompt.Length));
                    }
                    var slope = (At(step) - At(-step)) / (2 * step);
                    Assert.Equal(slope, actual[q * width + latent], 1e-4 * Math.Max(1, Math.Abs(slope))); // probabilities are taken in float32
                    sum += slope * slope;
                }
                Assert.Equal(sum / Questions.Length, scores[k][latent], 1e-3 * Math.Max(1, sum));
            }
        }
    }

    [TorchFact]
    public void Questions_without_answers_to_compare_are_refused()
    {
        using var model = Tiny.Model();
        using var sae = Tiny.Autoencoder(1);
        Assert.Contains("no questions", Assert.Throws<BadInputException>(() => CausalScores.Read(model, [sae], [])).Message, StringComparison.Ordinal);
        Assert.Contains("Question 2 has 4 prompt tokens and 1 answers", Assert.Throws<BadInputException>(() => CausalScores.Read(model, [sae], [Questions[0], new([1, 2, 3, 4], [[5]], 0)])).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void An_ablated_subspace_is_empty_and_the_rest_and_first_positions_stay()
    {
        using var model = Tiny.Model();
        using var random = new RandomStream(2);
        using var basis = OrthonormalBasis.Random(16, 3, random);
        var mean = Tensor.Randn([16], random);
        var ids = Tensor.FromArray(new long[] { 3, 4, 5, 6, 0, 3, 9, 8 }, 2, 4);
        // The second row is padded on the left: its first token is at position 1.
        var context = new ForwardContext { AttentionMask = Tensor.FromArray(new long[] { 1, 1, 1, 1, 0, 1, 1, 1 }, 2, 4) };
        var site = new Site(1, SiteKind.ResidualAfter);
        using var noGrad = Autograd.NoGrad();
        var plain = model.Run(model.Embed(ids), 0, 2, context);
        using var emptied = new SubspaceAblation(site, basis);
        using var filled = new SubspaceAblation(site, basis, mean);
        var without = model.Run(model.Embed(ids), 0, 2, context with { Sites = emptied });
        var with = model.Run(model.Embed(ids), 0, 2, context with { Sites = filled });
        foreach (var (row, at) in new[] { (0, 0), (1, 1) })
            Assert.Equal(plain.Select(0, row).Select(0, at).ToArray<float>(), without.Select(0, row).Select(0, at).ToArray<float>());
        foreach (var (row, at) in new[] { (0, 1), (0, 3), (1, 2), (1, 3) })
        {
            Tensor Of(Tensor states) => states.Select(0, row).Select(0, at);
            SubspaceTests.Near(Tensor.Zeros([16]), basis.Project(Of(without)), 1e-4);
            SubspaceTests.Near(basis.Remove(Of(plain)), Of(without), 1e-4);
            SubspaceTests.Near(basis.Project(mean), basis.Project(Of(with)), 1e-4);
        }
        Assert.True(basis.Share(plain) > 0.01);
    }

    private static double Margin(CausalLanguageModel model, MarginQuestion question, ISiteVisitor visitor)
    {
        var scores = question.Answers.Select(answer =>
        {
            long[] ids = [.. question.Prompt.Concat(answer).Select(token => (long)token)];
            var predicted = model.Logits(Tensor.FromArray(ids, 1, ids.Length), new ForwardContext { Sites = visitor }).LogSoftmax(-1).Select(0, 0);
            return answer.Select((token, at) => predicted.Select(0, question.Prompt.Length + at - 1).Select(0, token).Item()).Sum();
        }).ToArray();
        return scores[question.Right] - scores.Where((_, k) => k != question.Right).Average();
    }

    private sealed class Scale(SparseAutoencoder sae, Site site, int latent, double factor, int prompt) : ISiteVisitor
    {
        public bool Wants(Site other) => other == site;

        public Tensor Visit(Site other, Tensor value)
        {
            using var scope = new TensorScope();
            return scope.Keep(sae.Edit(value, z =>
            {
                var scaled = z.Clone();
                scaled.Select(2, latent).Narrow(1, 1, prompt - 1).MulInPlace(factor);
                return scaled;
            }));
        }
    }
}
