using Lethe.Models.Language;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Torch;
using Lethe.Unlearning.Language;
using Lethe.Unlearning.Language.Features;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Unlearning.Tests.Language;

public sealed class SubspaceProjectionTests
{
    private static readonly SubspaceProjectionOptions Ours = new InputSubspaceProjectionOptions { Layers = [2], Steps = 60, LearningRate = 1e-2, InputEnergy = 0.3 };

    [TorchFact]
    public void Forget_text_is_moved_towards_the_target_retain_text_is_held_and_the_explanation_says_where()
    {
        using var bench = new Bench(Ours);
        using var method = bench.Create(Ours);
        var setup = Assert.Single(method.Setup);
        Assert.Equal(3 * setup.MedianNorm, method.TargetOf(2).Norm().Item(), 1e-3);
        Assert.Equal(1, bench.Pair.Irrelevant.Share(method.TargetOf(2)), 1e-6);
        Assert.Equal(0, bench.Pair.Relevant.Share(method.TargetOf(2)), 1e-6);
        Assert.Equal(3, method.Inputs.Count);
        Assert.All(method.Inputs, read => Assert.True(read.Kept is > 0 and < 24 && read.ProtectedEnergy <= 0.3 + 1e-9 && read.ForgetEnergy > 0));
        var first = bench.Train(method);
        var after = SubspaceProjectionExplanation.Read(method, bench.Forget.Batches, bench.Retain.Batches, bench.Latents);
        var layer = Assert.Single(after.Layers);
        Assert.True(layer.Target.After < 0.95 * layer.Target.Before, $"{layer.Target}");
        Assert.True(layer.Forget.Relative > 2 * layer.Retain.Relative, $"{layer.Forget} {layer.Retain}");
        Assert.InRange(layer.Target.IrrelevantShare!.Value, 0.5, 1.2);
        Assert.Equal(bench.Choice.Relevant.Concat(bench.Choice.Irrelevant), layer.Latents.Select(latent => latent.Latent));
        // Before any step the loss is the squared distance to the target over that of the states.
        Assert.Equal(layer.Target.Before * layer.Target.Before / 16 / setup.MeanSquare, first, 0.25 * first); // rows are weighed alike there, positions here
        Assert.All(after.Matrices, matrix => Assert.Equal(1, matrix.Inputs!.Value, 1e-5));
        Assert.All(after.Matrices, matrix => Assert.True(matrix.Relative > 0.001));
        // The latents' own figures, read plainly.
        var latent = layer.Latents[0];
        Assert.Equal(bench.Mean(bench.Forget, latent.Latent, updated: false), latent.ForgetBefore, 1e-4);
        Assert.Equal(bench.Mean(bench.Forget, latent.Latent, updated: true), latent.ForgetAfter, 1e-4);
        Assert.Equal(bench.Mean(bench.Retain, latent.Latent, updated: true), latent.RetainAfter, 1e-4);
    }

    [TorchTheory]
    [InlineData(0)]
    [InlineData(0.5)]
    public void Forget_text_counts_from_the_share_that_the_options_say(double from)
    {
        var options = Ours with { ForgetFrom = from };
        using var bench = new Bench(options);
        using var method = bench.Create(options);
        using var scope = new TensorScope();
        var batch = bench.Forget.At(0);
        var mask = batch.Mask(DType.Float32, Device.Cpu, from);
        Assert.Equal(from > 0, mask.Sum().Item() < batch.Counted);
        var perRow = ((bench.Cache.Frozen(batch)[0] - method.TargetOf(2)).Square().Mean(-1) * mask).Sum(1) / mask.Sum(1);
        Assert.Equal(perRow.Mean().Item() / method.Setup[0].MeanSquare, method.Loop.Advance().First(entry => entry.Name == "forget").Value, 1e-5);
    }

    [TorchTheory]
    [InlineData(Confinement.Relevant)]
    [InlineData(Confinement.Irrelevant)]
    [InlineData(Confinement.Both)]
    public void Confined_updates_stay_in_their_subspace_and_a_penalty_pulls_towards_it(Confinement confinement)
    {
        var options = new ConfinedSubspaceProjectionOptions { Layers = [2], Steps = 25, LearningRate = 2e-2, Confinement = confinement };
        double Inside(MatrixMovement matrix) => (confinement != Confinement.Irrelevant ? matrix.Relevant!.Value : 0) + (confinement != Confinement.Relevant ? matrix.Irrelevant!.Value : 0);
        double Least(SubspaceProjectionOptions of)
        {
            using var bench = new Bench(of);
            using var method = bench.Create(of);
            bench.Train(method);
            var matrices = SubspaceProjectionExplanation.Read(method, bench.Forget.Batches, bench.Retain.Batches).Matrices;
            Assert.All(matrices, matrix => Assert.True(matrix.Norm > 0 && matrix.Inputs is null));
            return matrices.Min(Inside);
        }
        Assert.Equal(1, Least(options), 1e-5);
        var free = Least(options with { Penalty = 1e-12 });
        var soft = Least(options with { Penalty = 10 });
        Assert.True(free < 0.95 && soft > free + 0.02, $"free {free}, penalised {soft}");
    }

    [TorchFact]
    public void The_same_seed_gives_the_same_weights_and_another_target_another()
    {
        float[] Weights(SubspaceProjectionOptions options, ulong seed)
        {
            using var bench = new Bench(options);
            using var method = bench.Create(options, seed);
            bench.Train(method);
            return bench.Cache.Weights[0].ToArray<float>();
        }
        var few = (InputSubspaceProjectionOptions)Ours with { Steps = 3 };
        Assert.Equal(Weights(few, 1), Weights(few, 1));
        Assert.NotEqual(Weights(few, 1), Weights(few, 2));
        Assert.NotEqual(Weights(few, 1), Weights(few with { Target = TargetKind.Positive }, 1));
        // Strength 0 leaves everything as it was.
        using var bench = new Bench(few);
        using var method = bench.Create(few with { Strength = 0 });
        bench.Train(method);
        Assert.Equal(bench.Cache.Originals[0].ToArray<float>(), bench.Cache.Weights[0].ToArray<float>());
    }

    [TorchTheory]
    [InlineData(0.0)]
    [InlineData(0.4)]
    [InlineData(1.0)]
    public void Texts_of_one_group_share_a_target_and_groups_share_as_much_of_it_as_asked(double own)
    {
        var options = (InputSubspaceProjectionOptions)Ours with { OwnTargets = own };
        using var bench = new Bench(options);
        using var method = bench.Create(options);
        var batch = bench.Forget.At(0);
        using var scope = new TensorScope();
        var targets = method.TargetsOf(2);
        var each = (targets.Of(batch) + Tensor.Zeros([batch.Rows, 1, 16])).View(batch.Rows, 16);
        Assert.All(Enumerable.Range(0, batch.Rows), row => Assert.Equal(3 * method.Setup[0].MedianNorm, each.Select(0, row).Norm().Item(), 1e-3));
        Assert.Equal(1, bench.Pair.Irrelevant.Share(each), 1e-6);
        double Cosine(int a, int b) => (each.Select(0, a) * each.Select(0, b)).Sum().Item() / Math.Pow(3 * method.Setup[0].MedianNorm, 2);
        for (var row = 0; row < batch.Rows; row++)
            for (var other = 0; other < row; other++)
                if (own == 0 || batch.Groups[row] == batch.Groups[other])
                    Assert.Equal(1, Cosine(row, other), 1e-5);
                else
                    Assert.InRange(Cosine(row, other), -1, 0.99);
        bench.Train(method);
        var layer = Assert.Single(SubspaceProjectionExplanation.Read(method, bench.Forget.Batches, bench.Retain.Batches).Layers);
        // The distance is that of every text from its own target.
        Assert.True(layer.Target.After < 0.97 * layer.Target.Before, $"{layer.Target}");
    }

    [TorchFact]
    public void Several_layers_are_steered_together_each_with_its_own_subspaces()
    {
        var options = (InputSubspaceProjectionOptions)Ours with { Layers = [1, 3], Matrices = ["mlp.last"], Steps = 5, Confinement = Confinement.Both, InputEnergy = 1 };
        Assert.Equal([0, 1, 2, 3], options.ResolvedLayers);
        using var bench = new Bench(options);
        using var other = SiteSubspaces.Random(bench.Pair, 9);
        using var method = SubspaceProjectionUnlearning.Create(bench.Cache, bench.Forget, bench.Retain, new Dictionary<int, SubspacePair> { [1] = other, [3] = bench.Pair }, options, 1);
        bench.Train(method);
        var after = SubspaceProjectionExplanation.Read(method, bench.Forget.Batches, bench.Retain.Batches);
        Assert.Equal([1, 3], after.Layers.Select(layer => layer.Layer));
        // Matrices of layers 0 and 1 are confined by layer 1's subspaces, those above by layer 3's; shares are of those.
        Assert.All(after.Matrices, matrix => Assert.Equal(1, matrix.Relevant!.Value + matrix.Irrelevant!.Value, 1e-5));
    }

    [TorchFact]
    public void Controls_have_equal_ranks()
    {
        using var bench = new Bench(Ours);
        using var random = SiteSubspaces.Random(bench.Pair, 3);
        using var moments = new SecondMoments(16);
        using var stream = new RandomStream(3);
        moments.Add(Tensor.Randn([100, 16], stream));
        using var principal = SiteSubspaces.Principal(bench.Pair, moments.Covariance(), moments.Products());
        foreach (var control in new[] { random.Read(), principal.Read() })
        {
            Assert.Equal((bench.Pair.Relevant.Rank, bench.Pair.Irrelevant.Rank), (control.RelevantRank, control.IrrelevantRank));
            Assert.InRange(control.Overlap, 0, 1e-20);
        }
    }

    [TorchFact]
    public void What_does_not_fit_is_refused_in_one_sentence()
    {
        using var bench = new Bench(Ours);
        T Refused<T>(Action<Bench> run) where T : Exception => Assert.Throws<T>(() => run(bench));
        Assert.Contains("Layer 2 has no subspaces, which its target needs", Refused<BadInputException>(b => SubspaceProjectionUnlearning.Create(b.Cache, b.Forget, b.Retain, new Dictionary<int, SubspacePair>(), Ours, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("The strength is 1.5", Refused<UsageException>(b => b.Create(Ours with { Strength = 1.5 })).Message, StringComparison.Ordinal);
        Assert.Contains("The slice reads layers 2; the options steer layers 3", Refused<UsageException>(b => b.Create(Ours with { Layers = [3] })).Message, StringComparison.Ordinal);
        using var wide = Tiny.Autoencoder(2, size: 18);
        using var other = SiteSubspaces.OfLatents(wide, bench.Choice);
        Assert.Contains("lie in 18 dimensions; the model's residual stream has 16", Refused<BadInputException>(b => SubspaceProjectionUnlearning.Create(b.Cache, b.Forget, b.Retain, new Dictionary<int, SubspacePair> { [2] = other }, Ours, 1)).Message, StringComparison.Ordinal);
        using var below = Tiny.Autoencoder(1);
        using var method = bench.Create(Ours);
        Assert.Contains("The autoencoder belongs to layers.1.residual_after", Refused<BadInputException>(b =>
            SubspaceProjectionExplanation.Read(method, b.Forget.Batches, b.Retain.Batches, new Dictionary<int, (SparseAutoencoder, LatentChoice)> { [2] = (below, b.Choice) })).Message, StringComparison.Ordinal);
        // Without target and confinement no subspaces are needed.
        SubspaceProjectionUnlearning Plain(double energy) => SubspaceProjectionUnlearning.Create(bench.Cache, bench.Forget, bench.Retain, new Dictionary<int, SubspacePair>(), Ours with { Target = TargetKind.Random, InputEnergy = energy }, 1);
        Assert.Contains("The input side is to hold 0.3 of protected text's energy", Assert.Throws<UsageException>(() => Plain(0.3)).Message, StringComparison.Ordinal);
        using var plain = Plain(1);
        Assert.Null(plain.Setup[0].Subspaces);
    }

    /// <summary>A tiny Llama, an autoencoder of what leaves layer 2, texts of two halves of the vocabulary, and the latents that tell them apart.</summary>
    private sealed class Bench : IDisposable
    {
        private readonly CausalLanguageModel model = Tiny.Model();
        private readonly SparseAutoencoder sae = Tiny.Autoencoder(2);

        public Bench(SubspaceProjectionOptions options)
        {
            using var scope = new TensorScope();
            var random = new Random(1);
            int[][] Texts(int from, int to) => [.. Enumerable.Range(0, 8).Select(_ => (int[])[3, .. Enumerable.Range(0, random.Next(3, 9)).Select(_ => random.Next(from, to))])];
            var (forget, retain) = (Texts(5, 20), Texts(20, 40));
            // Two texts about each of four subjects.
            Forget = TextBatches.Of([.. forget.Index().Select(text => new TextRow(text.Item, Group: (ulong)(text.Index % 4)))]);
            Retain = TextBatches.Of(retain);
            using var pass = LatentTextPass.Read(model, [sae], [new("forget", forget), new("retain", retain)]);
            Choice = LatentSelection.Choose(LatentScores.Of(pass.Statistics(0, 0), pass.Statistics(0, 1)), new LatentSelectionOptions { Relevant = 4, Irrelevant = 5, Percentile = 50 });
            Pair = SiteSubspaces.OfLatents(sae, Choice);
            Cache = SliceCache.Of(model, new SliceOptions { Weights = [.. options.ResolvedLayers.Select(layer => $"model.layers.{layer}.mlp.down_proj.weight")], Reads = options.Layers });
        }

        public TextBatches Forget { get; }

        public TextBatches Retain { get; }

        public LatentChoice Choice { get; }

        public SubspacePair Pair { get; }

        public SliceCache Cache { get; }

        public Dictionary<int, (SparseAutoencoder, LatentChoice)> Latents => new() { [2] = (sae, Choice) };

        public SubspaceProjectionUnlearning Create(SubspaceProjectionOptions options, ulong seed = 1)
        {
            using var inputs = options.InputEnergy < 1 ? InputMoments.Read(Cache, Forget.Batches, [new InputText("retain", Retain.Batches)]) : null;
            return SubspaceProjectionUnlearning.Create(Cache, Forget, Retain, new Dictionary<int, SubspacePair> { [2] = Pair }, options, seed, inputs);
        }

        /// <summary>Does all steps; the forget loss of the first.</summary>
        public double Train(SubspaceProjectionUnlearning method)
        {
            var first = method.Loop.Advance().First(entry => entry.Name == "forget").Value;
            while (!method.Loop.Finished)
                method.Loop.Advance();
            method.Loop.Finish();
            return first;
        }

        public double Mean(TextBatches batches, int latent, bool updated)
        {
            using var noGrad = Autograd.NoGrad();
            var (sum, count) = (0.0, 0.0);
            foreach (var batch in batches.Batches)
            {
                var mask = batch.Mask(DType.Float32, Device.Cpu);
                sum += (sae.Encode((updated ? Cache.Updated(batch) : Cache.Frozen(batch))[0]).Select(2, latent) * mask).Sum().Item();
                count += mask.Sum().Item();
            }
            return sum / count;
        }

        public void Dispose()
        {
            Cache.Dispose();
            Pair.Dispose();
            sae.Dispose();
            model.Dispose();
        }
    }
}
