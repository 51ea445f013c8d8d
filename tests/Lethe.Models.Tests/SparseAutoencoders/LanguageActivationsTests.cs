using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Models.SparseAutoencoders.Training;
using Lethe.Models.Tests.Language;
using Lethe.Torch;

namespace Lethe.Models.Tests.SparseAutoencoders;

public sealed class LanguageActivationsTests
{
    private const int Separator = 2;

    [Fact]
    public void Texts_are_packed_without_padding_and_contexts_begin_as_the_model_wants()
    {
        var plain = PackedTokens.Of([[5, 6, 7], [], [8, 9]], 3, separator: Separator);
        Assert.Equal([[5, 6, 7], [Separator, 8, 9]], Enumerable.Range(0, plain.Count).Select(k => plain.Context(k).ToArray()));
        var begun = PackedTokens.Of([[5, 6], [7, 8, 9]], 3, first: 1, separator: 1);
        // The second text begins with a context, whose own first token separates it already.
        Assert.Equal([[1, 5, 6], [1, 7, 8]], Enumerable.Range(0, begun.Count).Select(k => begun.Context(k).ToArray()));
        Assert.Contains("its 2 tokens fill no context of 3", Assert.Throws<BadInputException>(() => PackedTokens.Of([[5, 6]], 3)).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Activations_are_those_of_the_whole_model_without_first_positions_and_nothing_above_is_loaded()
    {
        using var whole = Golden.Load("llama");
        using var slice = Golden.Load("llama", new LoadOptions { ToLayer = 2, Head = false });
        var tokens = PackedTokens.Of(Texts(), 8, separator: Separator);
        Site[] sites = [new(1, SiteKind.ResidualAfter), new(0, SiteKind.MlpNeurons), new(1, SiteKind.Heads)];
        using var stream = new LanguageActivations(slice.Model, sites, tokens, 4, 7, "tiny");
        Assert.Equal(["layers.1.residual_after", "layers.0.mlp_neurons", "layers.1.heads"], stream.Sites.Select(site => site.Site.Name));
        using var noGrad = Autograd.NoGrad();
        var seen = new HashSet<int>();
        for (var batch = 0L; batch < stream.Batches; batch++)
        {
            var numbers = stream.ContextsOf(0, batch).ToArray();
            Assert.All(numbers, number => Assert.True(seen.Add(number)));
            var values = stream.Read(0, batch);
            var ids = tokens.Ids(numbers);
            using var recorder = new SiteRecorder(sites);
            whole.Model.Hidden(ids, new ForwardContext { Sites = recorder });
            var kept = tokens.Counted(ids).View(-1).Nonzero().View(-1);
            foreach (var (k, site) in sites.Index())
            {
                var expected = recorder.Values[site].Reshape(-1, recorder.Values[site].Size(-1)).IndexSelect(0, kept);
                Assert.Equal(expected.ToArray<float>(), values[k].ToArray<float>());
            }
            Assert.Equal(numbers.Length * 7 - ids.Narrow(1, 1, 7).Eq(Separator).Sum().Item(), values[0].Size(0));
        }
        Assert.Equal(tokens.Count, seen.Count);
        // The same batch again, in whatever order; another pass goes another way.
        Assert.Equal(stream.Read(3, 1)[0].ToArray<float>(), stream.Read(3, 1)[0].ToArray<float>());
        Assert.NotEqual(stream.ContextsOf(0, 0).ToArray(), stream.ContextsOf(1, 0).ToArray());
        Assert.Contains("no site layers.9.residual_after: its layers are 0 to", Assert.Throws<BadInputException>(() => new LanguageActivations(slice.Model, [new Site(9, SiteKind.ResidualAfter)], tokens, 4, 7)).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void The_loss_with_a_perfect_reconstruction_is_the_models_own_and_with_none_that_of_zeros()
    {
        using var loaded = Golden.Load("llama");
        var size = loaded.Model.HiddenSize;
        var tokens = PackedTokens.Of(Texts(), 8, separator: Separator);
        // Positive and negative parts of each coordinate make the activation again.
        using var perfect = Make(size, 1);
        var exact = SpliceLoss.Measure(loaded.Model, [perfect], tokens)[0];
        Assert.Equal(0, exact.Rise, 1e-5);
        // A random model may lose nothing by zeros; then there is nothing to recover, and null says so.
        Assert.Equal(exact.WithZero > exact.CrossEntropy, exact.Recovered is not null);
        Assert.Equal(1, exact.DivergenceRecovered!.Value, 1e-3);
        Assert.Equal(0.75, new SpliceReading(1, 2, 3, 6, 0.5, 4).Recovered);
        Assert.Equal(0.875, new SpliceReading(1, 2, 3, 6, 0.5, 4).DivergenceRecovered);
        Assert.InRange(exact.Divergence, -1e-6, 1e-5);
        using var nothing = Make(size, 0);
        var none = SpliceLoss.Measure(loaded.Model, [nothing], tokens, rows: 5)[0];
        Assert.Equal(none.WithZero, none.WithReconstruction, 1e-5);
        Assert.Equal(exact.CrossEntropy, none.CrossEntropy, 1e-5);
        Assert.True(none.ZeroDivergence > 0);

        // Several in one pass, two of them at one site, give what each gives alone.
        using var above = Make(size, 0.5, "layers.2.residual_after");
        var together = SpliceLoss.Measure(loaded.Model, [perfect, above, nothing], tokens);
        Assert.Equal(SpliceLoss.Measure(loaded.Model, [above], tokens)[0], together[1]);
        Assert.Equal(exact, together[0]);
        Assert.Equal(SpliceLoss.Measure(loaded.Model, [nothing], tokens)[0], together[2]);

        // The model's own loss, by its own logits: predictions from positions that count.
        using var noGrad = Autograd.NoGrad();
        var ids = tokens.Ids([.. Enumerable.Range(0, tokens.Count)]);
        var from = tokens.Counted(ids).Narrow(1, 0, 7).Reshape(-1).Nonzero().View(-1);
        var logits = loaded.Model.Logits(ids).Narrow(1, 0, 7).Reshape(-1, loaded.Model.Configuration.VocabularySize).IndexSelect(0, from);
        Assert.Equal(logits.CrossEntropyLoss(ids.Narrow(1, 1, 7).Reshape(-1).IndexSelect(0, from)).Item(), exact.CrossEntropy, 1e-5);
        Assert.Equal(from.Elements, exact.Tokens);

        using var far = Make(size, 1, "layers.40.residual_after");
        Assert.Contains("belongs to layer 40", Assert.Throws<BadInputException>(() => SpliceLoss.Measure(loaded.Model, [far], tokens)).Message, StringComparison.Ordinal);
        using var narrow = Make(size + 1, 1);
        Assert.Contains($"takes activations of size {size + 1}", Assert.Throws<BadInputException>(() => SpliceLoss.Measure(loaded.Model, [narrow], tokens)).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void One_pass_gives_every_corpus_its_sums_and_every_latent_its_contexts()
    {
        using var loaded = Golden.Load("llama");
        using var sae = Make(loaded.Model.HiddenSize, 1);
        LabelledTokens[] corpora = [new("first", PackedTokens.Of(Texts(), 8, separator: Separator)), new("second", PackedTokens.Of(Texts().Reverse(), 8, separator: Separator))];
        using var pass = LatentPass.Read(loaded.Model, [sae], corpora, contexts: 3, rows: 3);
        foreach (var (c, corpus) in corpora.Index())
        {
            using var stream = new LanguageActivations(loaded.Model, [new Site(1, SiteKind.ResidualAfter)], corpus.Tokens, 100, null);
            var z = sae.Encode(stream.Read(0, 0)[0]).To(DType.Float64);
            var reading = pass.Statistics(0, c);
            Assert.Equal(z.Size(0), reading.Activations);
            Assert.Equal(z.Gt(0.0).Sum(0L).ToArray<long>().Select(count => (double)count), reading.Active);
            foreach (var (expected, actual) in z.Mean(0L).ToArray<double>().Zip(reading.Mean))
                Assert.Equal(expected, actual, 1e-5);
            foreach (var (expected, actual) in z.Var([0], unbiased: false).ToArray<double>().Zip(reading.Variance))
                Assert.Equal(expected, actual, 1e-4);
            foreach (var (expected, actual) in z.Amax([0]).ToArray<double>().Zip(reading.Largest))
                Assert.Equal(expected, actual, 1e-5); // products of other batch sizes round otherwise
        }
        var largest = Math.Max(pass.Statistics(0, 0).Largest[5], pass.Statistics(0, 1).Largest[5]);
        var contexts = pass.Contexts(0, 5, 4);
        Assert.Equal(4, contexts.Count);
        Assert.Equal(largest, contexts[0].Values.Max(), 1e-4);
        Assert.All(contexts, context => Assert.Equal(0, context.Values[0]));
        Assert.True(contexts.Zip(contexts.Skip(1)).All(pair => pair.First.Values.Max() >= pair.Second.Values.Max() - 1e-6));
    }

    [TorchFact]
    public void Activations_far_from_the_norm_of_the_training_are_refused_after_the_first_batch()
    {
        using var loaded = Golden.Load("llama");
        var tokens = PackedTokens.Of(Texts(), 8, separator: Separator);
        using var stream = new LanguageActivations(loaded.Model, [new Site(1, SiteKind.ResidualAfter)], tokens, 100, null);
        var norm = stream.Read(0, 0)[0].Norm(2, [1]).Mean().Item();
        var batches = 0;
        void Read(double? trained)
        {
            batches = 0;
            using var sae = Make(loaded.Model.HiddenSize, 1, norm: trained);
            using var pass = LatentPass.Read(loaded.Model, [sae], [new("all", tokens)], rows: 3, advanced: (_, _) => batches++);
        }
        Read(null);
        Read(norm);
        // The first batch's mean is not that of all, but far from twice or half of it.
        Read(norm * 1.6);
        Assert.True(batches > 1);
        foreach (var factor in (double[])[0.3, 3])
        {
            Assert.StartsWith("The autoencoder was trained on activations with a mean norm of ", Assert.Throws<BadInputException>(() => Read(norm * factor)).Message, StringComparison.Ordinal);
            Assert.Equal(0, batches);
        }
    }

    private static int[][] Texts()
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, 9).Select(_ => Enumerable.Range(0, random.Next(3, 30)).Select(_ => random.Next(3, 64)).ToArray())];
    }

    // z = (x⁺, x⁻), x̂ = strength · (x⁺ − x⁻).
    private static SparseAutoencoder Make(long size, double strength, string site = "layers.1.residual_after", double? norm = null)
    {
        var eye = Tensor.Eye(size);
        return Architectures.Create(new SparseAutoencoderConfiguration { Architecture = ReluAutoencoder.Name, InputSize = size, Width = 2 * size, Site = new SaeSite(site, Site.Parse(site).Layer), ActivationNorm = norm }, new Dictionary<string, HostArray>
        {
            ["W_enc"] = Tensor.Cat([eye, -eye], 1).ToHost(),
            ["W_dec"] = (Tensor.Cat([eye, -eye]) * strength).ToHost(),
            ["b_enc"] = Tensor.Zeros([2 * size]).ToHost(),
            ["b_dec"] = Tensor.Zeros([size]).ToHost(),
        }, "a test");
    }
}
