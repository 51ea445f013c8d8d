using Lethe.Models.Generative;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Models.SparseAutoencoders.Training;
using Lethe.Torch;

namespace Lethe.Models.Tests.SparseAutoencoders;

public sealed class SaeTrainingTests
{
    private const int Inputs = 12, Directions = 24, Active = 2;

    public static TheoryData<string> Kinds => new("top_k", "batch_top_k", "relu", "jump_relu", "gated");

    [TorchTheory]
    [MemberData(nameof(Kinds))]
    public void Every_architecture_learns_sparse_directions(string kind)
    {
        using var stream = Synthetic(1);
        using var training = new SaeTraining(stream, [new SaeJob("a", 0, 32)], Options(kind), 5);
        IReadOnlyList<(string Name, double Value)> last = [];
        while (!training.Finished)
            last = training.Advance();
        Assert.Equal(["loss", "explained_variance", "active", "dead"], last.Select(value => value.Name));
        using var sae = training.Export()[0];
        var reading = Read(sae, stream);
        Assert.True(reading.ExplainedVariance > 0.85, $"{kind}: explained variance {reading.ExplainedVariance}");
        Assert.True(reading.ActiveLatents < 6, $"{kind}: {reading.ActiveLatents} latents active of 2 that are there");
        Assert.Equal("layers.1.residual_after", sae.Site!.Name);
        Assert.Equal(reading.MeanNorm, sae.Configuration.ActivationNorm!.Value, reading.MeanNorm * 0.05); // of the first block
        // Latents are in the activations' own unit: decoder rows have norm 1, whatever the activations' scale.
        Assert.All(sae.Decoder.Norm(2, [1]).ToArray<float>(), norm => Assert.Equal(1, norm, 4));
    }

    [TorchTheory]
    [InlineData("top_k")]
    [InlineData("batch_top_k")]
    [InlineData("jump_relu")]
    public void Training_resumed_from_a_checkpoint_equals_training_undisturbed_bit_for_bit(string kind)
    {
        byte[] Train(int interruptAt)
        {
            var options = Options(kind) with { Tokens = 64 * 30, Storage = ActivationStorage.Bfloat16 };
            // Two autoencoders at two sites; the buffer is filled four times and the corpus seen twice.
            SaeJob[] jobs = [new("a", 0, 32), new("b", 1, 20)];
            using var stream = Synthetic(2);
            var state = new StateWriter();
            using (var training = new SaeTraining(stream, jobs, options, 6))
            {
                while (training.Step < interruptAt)
                    training.Advance();
                training.Save(state);
            }
            using var rest = new SaeTraining(stream, jobs, options, 6);
            if (interruptAt > 0)
                rest.Load(new StateReader(state.Tensors, state.Values));
            while (!rest.Finished)
                rest.Advance();
            var bytes = new List<byte>();
            foreach (var sae in rest.Export())
                using (sae)
                    bytes.AddRange(sae.StateDict().OrderBy(entry => entry.Key, StringComparer.Ordinal).SelectMany(entry => entry.Value.Bytes.ToArray()));
            return [.. bytes];
        }
        Assert.Equal(Train(0), Train(17));
    }

    [TorchTheory]
    [InlineData(6)] // in the middle of the second block of four batches
    [InlineData(9)] // the first batch of the third
    public void Stopped_while_the_buffer_is_filled_training_stands_as_before_the_step(int stopAt)
    {
        float[] Train(int stopAt)
        {
            var options = Options("top_k") with { Tokens = 64 * 30 };
            using var stream = Synthetic(2);
            var (state, filled) = (new StateWriter(), 0);
            void Filling(long done, long all)
            {
                Assert.InRange(done, 1, all);
                if (++filled == stopAt)
                    throw new OperationCanceledException();
            }
            using (var training = new SaeTraining(stream, [new("a", 0, 32)], options, 6, filling: Filling))
            {
                if (stopAt == 0)
                    RunAll(training);
                else
                    Assert.Throws<OperationCanceledException>(() => RunAll(training));
                training.Save(state);
            }
            using var rest = new SaeTraining(stream, [new("a", 0, 32)], options, 6);
            rest.Load(new StateReader(state.Tensors, state.Values));
            RunAll(rest);
            using var sae = rest.Export()[0];
            return sae.Decoder.ToArray<float>();
        }
        Assert.Equal(Train(0), Train(stopAt));
    }

    [TorchTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_written_gradients_of_top_k_are_those_of_autograd(bool batchwise)
    {
        using var random = new RandomStream(3);
        var options = batchwise ? new BatchTopKOptions { Active = 3, AuxiliaryWeight = 0.5, AuxiliaryActive = 2 } : new TopKOptions { Active = 3, AuxiliaryWeight = 0.5, AuxiliaryActive = 2 };
        using var trainer = new TopKTrainer(6, 10, options, random);
        var bias = trainer.Parameters.Single(entry => entry.Name == "b_enc").Tensor;
        foreach (var (_, tensor) in trainer.Parameters)
            tensor.AddInPlace(Tensor.Randn(tensor.Shape.ToArray(), random) * 0.2);
        trainer.SinceActive.Narrow(0, 0, 4).FillInPlace(1000); // four dead ones
        var x = Tensor.Randn([9, 6], random);
        SaeStep step;
        using (Autograd.NoGrad())
            step = trainer.Step(x, 1, 1000);

        Tensor[] parameters = [.. trainer.Parameters.Select(entry => entry.Tensor)];
        foreach (var parameter in parameters)
            parameter.RequiresGrad = true;
        var pre = (x - trainer.DecoderBias).Mm(trainer.Encoder.T()) + bias;
        var chosen = batchwise
            ? pre.Detach().View(-1).ZerosLike().ScatterInPlace(0, pre.Detach().View(-1).TopK(27)[1], 1).View(9, 10)
            : pre.Detach().ZerosLike().ScatterInPlace(1, pre.Detach().TopK(3)[1], 1);
        var z = (pre * chosen).Relu();
        var error = z.Mm(trainer.Decoder) + trainer.DecoderBias - x;
        Tensor Variation(Tensor of) => (of - of.Mean(0L)).Square().Sum();
        var dead = pre.Narrow(1, 0, 4);
        var deadValues = (dead * dead.Detach().ZerosLike().ScatterInPlace(1, dead.Detach().TopK(2)[1], 1)).Relu();
        var rest = error.Detach();
        var loss = error.Square().Sum() / Variation(x) + 0.5 * (deadValues.Mm(trainer.Decoder.Narrow(0, 0, 4)) + rest).Square().Sum() / Variation(rest);
        var expected = Autograd.Grad([loss], parameters);

        Assert.Equal(loss.Item(), step.Loss, 5);
        foreach (var (gradient, k) in expected.Select((gradient, k) => (gradient, k)))
            Assert.InRange((gradient - step.Gradients[k]).Abs().Max().Item(), 0, 2e-6); // float32 sums in another order
        Assert.Equal(z.Gt(0.0).Sum(0L).To(DType.Float32).ToArray<float>(), step.Active.ToArray<float>());
    }

    [TorchFact]
    public void Thresholds_of_jump_relu_learn_by_the_rectangle_around_them()
    {
        var pre = Tensor.FromArray([0.1, 0.48, 0.53, 0.9]);
        var threshold = Tensor.FromArray([0.5, 0.5, 0.5, 0.5]);
        threshold.RequiresGrad = true;
        pre.RequiresGrad = true;
        var (value, count) = JumpReluTrainer.Jump(pre, threshold, 0.1);
        Assert.Equal([0, 0, 0.53, 0.9], value.ToArray<double>());
        Assert.Equal([0, 0, 1, 1], count.ToArray<double>());
        Assert.Equal([0, -5, -5, 0], Autograd.Grad([value.Sum()], [threshold], retainGraph: true)[0].ToArray<double>().Select(slope => Math.Round(slope, 12))); // −θ/ε inside, 0 outside
        Assert.Equal([0, -10, -10, 0], Autograd.Grad([count.Sum()], [threshold], retainGraph: true)[0].ToArray<double>().Select(slope => Math.Round(slope, 12))); // −1/ε
        Assert.Equal([0, 0, 1, 1], Autograd.Grad([value.Sum()], [pre])[0].ToArray<double>());
    }

    [TorchFact]
    public void The_auxiliary_loss_brings_dead_latents_back()
    {
        // Half of the latents read a hundredth of what the others read: they are never among the largest, so that only the auxiliary loss moves them.
        long Dead(double weight)
        {
            using var noGrad = Autograd.NoGrad();
            using var random = new RandomStream(4);
            using var stream = Synthetic(1);
            using var trainer = new TopKTrainer(Inputs, Directions, new TopKOptions { Active = Active, AuxiliaryWeight = weight }, random);
            using var adam = new Adam(trainer.Parameters, 3e-3);
            trainer.Encoder.Narrow(0, 0, Directions / 2).MulInPlace(0.01);
            var dead = 0L;
            for (var step = 0; step < 400; step++)
            {
                using var scope = new TensorScope();
                var found = trainer.Step(stream.Read(step, 0)[0] / 20.0, 1, 640);
                trainer.ProjectGradient(found.Gradients[1]);
                adam.Step(found.Gradients);
                trainer.Normalise();
                dead = trainer.Count(found.Active, 64, 640);
            }
            return dead;
        }
        var (without, with) = (Dead(0), Dead(1.0 / 32));
        Assert.InRange(without, Directions / 3, Directions / 2);
        Assert.True(with <= without / 2, $"{without} latents are dead without the auxiliary loss, {with} with it");
    }

    [TorchFact]
    public void A_layer_of_the_vae_comes_through_the_same_door()
    {
        using var random = new RandomStream(7);
        using var vae = new ConditionalVae(new ConditionalVaeOptions { Pixels = 40, Conditions = 4, Outer = 24, Inner = 16, Latent = 3 }, random);
        using var images = new ImageTensors(TensorScope.Detach(Tensor.RandInt(0, 256, [640, 40], random, DType.UInt8)), TensorScope.Detach(Tensor.RandInt(0, 4, [640], random)));
        using var stream = VaeActivations.Of(vae, images, ["fc2", "fc5"], 64, 3);
        Assert.Equal([("fc2", 16L), ("fc5", 24L)], stream.Sites.Select(site => (site.Site.Name, site.Size)));
        var options = Options("top_k") with { Sparsity = new TopKOptions { Active = 8 }, Tokens = 64 * 400 };
        using var training = new SaeTraining(stream, [new SaeJob("fc2", 0, 48), new SaeJob("fc5", 1, 64)], options, 8);
        while (!training.Finished)
            training.Advance();
        foreach (var (sae, k) in training.Export().Select((sae, k) => (sae, k)))
            using (sae)
            {
                var reading = Read(sae, stream, k);
                Assert.True(reading.ExplainedVariance > 0.7, $"{sae.Site}: {reading.ExplainedVariance}");
            }
        Assert.Contains("has no layer 'fc9'; it has fc1, fc2, latent, fc4, fc5", Assert.Throws<BadInputException>(() => VaeActivations.Of(vae, images, ["fc9"], 64, 3)).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void What_cannot_be_trained_is_refused_in_a_sentence()
    {
        using var stream = Synthetic(1);
        SaeTraining Make(SaeTrainingOptions options, params SaeJob[] jobs) => new(stream, jobs.Length == 0 ? [new SaeJob("a", 0, 32)] : jobs, options, 5);
        using (var tooShort = Make(Options("top_k") with { Buffer = 5000 }))
            Assert.Contains("gives 640 activations, and one shuffle buffer takes 5000", Assert.Throws<BadInputException>(() => tooShort.Advance()).Message, StringComparison.Ordinal);
        Assert.Contains("must hold a batch", Assert.Throws<UsageException>(() => Make(Options("top_k") with { Buffer = 10 })).Message, StringComparison.Ordinal);
        Assert.Contains("32 active at most", Assert.Throws<UsageException>(() => Make(Options("top_k") with { Sparsity = new TopKOptions { Active = 33 } })).Message, StringComparison.Ordinal);
        Assert.Contains("two have one name: a, a", Assert.Throws<UsageException>(() => Make(Options("top_k"), new SaeJob("a", 0, 8), new SaeJob("a", 0, 16))).Message, StringComparison.Ordinal);
        using var broken = new FunctionActivations([new SiteActivations(new SaeSite("here"), 4)], 4, (_, _) => [Tensor.Full([64, 4], double.NaN)]);
        using var nothing = new SaeTraining(broken, [new SaeJob("a", 0, 8)], Options("relu"), 5);
        Assert.Contains("Activations of here have a mean norm of NaN", Assert.Throws<RunFailedException>(() => nothing.Advance()).Message, StringComparison.Ordinal);
        var reads = 0;
        using var late = new FunctionActivations([new SiteActivations(new SaeSite("here"), 4)], 64, (_, batch) => [Tensor.Full([64, 4], reads++ < 4 ? batch + 1.0 : double.PositiveInfinity)]);
        using var breaking = new SaeTraining(late, [new SaeJob("a", 0, 8)], Options("relu"), 5);
        Assert.Contains("The loss of autoencoder 'a' is NaN at step 4", Assert.Throws<RunFailedException>(() => RunAll(breaking)).Message, StringComparison.Ordinal);
    }

    private static void RunAll(SaeTraining training)
    {
        while (!training.Finished)
            training.Advance();
    }

    private static SaeTrainingOptions Options(string kind) => new()
    {
        Tokens = 64 * 1500,
        Batch = 64,
        Buffer = 256,
        LearningRate = 3e-3,
        WarmUp = 10,
        SparsityWarmUp = 20,
        DeadAfter = 64 * 20,
        Sparsity = kind switch
        {
            "top_k" => new TopKOptions { Active = Active },
            "batch_top_k" => new BatchTopKOptions { Active = Active },
            "relu" => new ReluOptions { Penalty = 0.7 },
            "jump_relu" => new JumpReluOptions { Active = Active, Bandwidth = 0.1, Threshold = 0.1, TargetWeight = 3 },
            _ => new GatedOptions { Penalty = 3 },
        },
    };

    // Each activation is the sum of two of 24 directions with strengths of 20 to 40, and a common mean.
    private static FunctionActivations Synthetic(int sites)
    {
        float[] directions;
        using (var random = new RandomStream(11))
        {
            var drawn = Tensor.Randn([Directions, Inputs], random);
            directions = (drawn / drawn.Norm(2, [1], keep: true)).ToArray<float>();
        }
        return new FunctionActivations([.. Enumerable.Range(0, sites).Select(k => new SiteActivations(new SaeSite($"layers.{k + 1}.residual_after", k + 1), Inputs))], 10, (pass, batch) =>
        {
            using var random = new RandomStream(RandomStream.ChildSeed(12, $"{pass} {batch}"));
            var strength = Tensor.Zeros([64, Directions]).ScatterInPlace(1, Tensor.Rand([64, Directions], random).TopK(Active)[1], 1) * (Tensor.Rand([64, Directions], random) * 20.0 + 20.0);
            var x = strength.Mm(Tensor.FromArray(directions, Directions, Inputs)) + 3.0;
            return [.. Enumerable.Range(0, sites).Select(k => x * (k + 1.0))];
        }, "synthetic");
    }

    private static ReconstructionReading Read(SparseAutoencoder sae, IActivationStream stream, int site = 0)
    {
        using var quality = new ReconstructionQuality(sae.InputSize, sae.Width);
        for (var batch = 0; batch < stream.Batches; batch++)
        {
            using var scope = new TensorScope();
            var x = stream.Read(1000, batch)[site];
            var z = sae.Encode(x);
            quality.Add(x, z, sae.Decode(z, x));
        }
        return quality.Read();
    }
}
