using Lethe.Models.Generative;
using Lethe.Torch;
using Lethe.Unlearning.Generative;

namespace Lethe.Unlearning.Tests.Generative;

/// <summary>
/// The gradient of a step against autograd through the objective as it is written down. It is read from Adam's first moment,
/// m ← 0.9 m + 0.1 g, of the saved state before and after the step.
/// </summary>
public class SelectiveAmnesiaGradientTests
{
    private const int Forgotten = 1;
    private static readonly int[] Retained = [0, 2, 3];

    // At the second step, where the consolidation pulls.
    [TorchTheory]
    [InlineData(DType.Float64, true, 40, 1e-9)]
    [InlineData(DType.Float64, true, 0, 1e-9)]
    [InlineData(DType.Float64, false, 40, 1e-9)]
    [InlineData(DType.Float32, true, 40, 1e-3)]
    public void A_step_follows_the_gradient_of_the_documented_objective(DType type, bool generationLatents, int pool, double tolerance)
    {
        using var bench = new Bench(type);
        var options = Bench.Quick with { ColumnSteps = 0, Lambda = 300, Gamma = 0.7, OwnInformation = 0.25, GenerationLatents = generationLatents, ReplayPool = pool, CheckEvery = 0, LearningRate = 0.02, WarmUp = 0 };
        using var method = bench.Forget(options, bench.Noise(Forgotten));
        method.Advance();
        var (gradients, before) = NextGradients(method);

        Tensor Objective(ConditionalVae model)
        {
            using var random = new RandomStream(0);
            random.Restore(before.Array("random"));
            var (surrogates, latents, replayed, labels, noise) = Draws(bench.Frozen, options, type, random);
            var forget = Bound(model, surrogates, Tensor.Full([options.ForgetBatch], Forgotten, DType.Int64), noise.Narrow(0, 0, options.ForgetBatch), generationLatents ? latents : null);
            var replay = Bound(model, replayed, labels, noise.Narrow(0, options.ForgetBatch, options.ReplayBatch), null);
            return forget.Mean() + replay.Mean() * options.Gamma + Consolidation(model, bench, options.OwnInformation) * (options.Lambda / 2);
        }
        AssertGradients(Autograds(before, type, Objective), gradients, tolerance);
    }

    // The released loop: BCE and KL summed over 256 + 256 images, plus 100 Σ F Δ² without ½. Its gradient is 256 times ours.
    [TorchFact]
    public void The_released_preset_is_the_released_codes_summed_loss_divided_by_its_batch()
    {
        using var bench = new Bench(DType.Float64);
        var options = new ReleasedSelectiveAmnesiaOptions { LearningRate = 0.02 };
        Assert.Equal((256, 256, 0.78125), (options.ForgetBatch, options.ReplayBatch, options.Lambda));
        using var method = bench.Forget(options, bench.Noise(Forgotten));
        method.Advance();
        var (gradients, before) = NextGradients(method);

        Tensor Released(ConditionalVae model)
        {
            using var random = new RandomStream(0);
            random.Restore(before.Array("random"));
            var (surrogates, _, replayed, labels, noise) = Draws(bench.Frozen, options, DType.Float64, random);
            var forget = Bound(model, surrogates, Tensor.Full([256], Forgotten, DType.Int64), noise.Narrow(0, 0, 256), null).Sum();
            var replay = Bound(model, replayed, labels, noise.Narrow(0, 256, 256), null).Sum();
            // The released matrix is the mean over all conditions: own information 1.
            return forget + replay + Consolidation(model, bench, 1) * 100;
        }
        AssertGradients([.. Autograds(before, DType.Float64, Released).Select(gradient => gradient / 256)], gradients, 1e-9);
    }

    [TorchFact]
    public void The_trade_off_does_not_depend_on_the_batch_sizes()
    {
        double[][] Gradient(int forgetBatch, int replayBatch)
        {
            using var random = new RandomStream(5);
            using var model = new LogisticGenerator(6, 3, 2, random);
            using var frozen = new LogisticGenerator(6, 3, 2, random);
            frozen.LoadStateDict(model.StateDict());
            // One surrogate image and one replayed image, so that every batch holds the same.
            var image = new ImagesSurrogate(Tensor.FromArray([0.1, 0.9, 0.5, 0.2, 0.7, 1.0], 1, 6));
            var options = Bench.Quick with { ColumnSteps = 0, OwnColumnRate = 1, CheckEvery = 0, WarmUp = 0, LearningRate = 0.1, Gamma = 2, ForgetBatch = forgetBatch, ReplayBatch = replayBatch, ReplayPool = 1 };
            using var method = new SelectiveAmnesia(model, frozen, Ones(model), [new(1, image)], [2], options, 4);
            method.Advance();
            return [.. NextGradients(method).Gradients.Select(gradient => gradient.ToArray<double>())];
        }
        var expected = Gradient(1, 1);
        foreach (var (forgetBatch, replayBatch) in new[] { (7, 1), (1, 9), (64, 256) })
            foreach (var (one, other) in expected.SelectMany(values => values).Zip(Gradient(forgetBatch, replayBatch).SelectMany(values => values)))
                Assert.Equal(one, other, tolerance: 1e-9);
    }

    [TorchFact]
    public void The_clipped_gradient_is_that_of_the_whole_objective()
    {
        using var bench = new Bench(DType.Float64);
        var free = Bench.Quick with { ColumnSteps = 0, CheckEvery = 0, WarmUp = 0, Lambda = 5000, LearningRate = 0.02 };
        Tensor[] Second(SelectiveAmnesiaOptions options)
        {
            using var model = ConditionalVae.FromState(bench.State, DType.Float64);
            using var method = new SelectiveAmnesia(model, bench.Frozen, bench.Fisher, [bench.Noise(Forgotten)], Retained, options, 17);
            return NextGradients(method).Gradients;
        }
        Tensor[] whole = Second(free), clipped = Second(free with { ClipNorm = 0.5 });
        var norm = GradientClipping.Norm(whole).Item();
        Assert.True(norm > 0.5);
        AssertGradients([.. whole.Select(gradient => gradient * (0.5 / norm))], clipped, 1e-5); // PyTorch's clipping adds 1e-6 to the norm
    }

    // What one step draws, in the method's order.
    private static (Tensor Surrogates, Tensor Latents, Tensor Replayed, Tensor Labels, Tensor Noise) Draws(ConditionalVae frozen, SelectiveAmnesiaOptions options, DType type, RandomStream random)
    {
        // Noise comes in pairs u and 1 − u with the same latents.
        var noise = Tensor.Rand([options.ForgetBatch / 2, 12], random, type);
        var half = frozen.DrawLatents(options.ForgetBatch / 2, random);
        var (surrogates, latents) = (Tensor.Cat([noise, 1 - noise]), Tensor.Cat([half, half]));
        Tensor replayed, labels;
        if (options.ReplayPool > 0)
        {
            using var replay = new RandomStream(RandomStream.ChildSeed(17, "replay"));
            (replayed, labels) = SamplePool.Generate(frozen, Retained, options.ReplayPool, replay).Draw(options.ReplayBatch, random);
        }
        else
        {
            labels = Tensor.FromArray([0L, 2, 3]).IndexSelect(0, Tensor.RandInt(0, 3, [options.ReplayBatch], random));
            replayed = frozen.Sample(labels, random);
        }
        return (surrogates, latents, replayed, labels, frozen.DrawNoise(options.ForgetBatch + options.ReplayBatch, random)[0]);
    }

    // −ELBO by the formulas of the paper's code, at given latents or the encoder's.
    private static Tensor Bound(ConditionalVae model, Tensor images, Tensor labels, Tensor noise, Tensor? latents)
    {
        var (mean, logVariance) = model.Encode(images, labels);
        var probabilities = model.DecodeLogits(latents ?? mean + noise * (logVariance / 2).Exp(), labels).Sigmoid();
        return probabilities.BinaryCrossEntropy(images, Reduction.None).Sum(1) - (logVariance + 1 - mean.Square() - logVariance.Exp()).Sum(1) * 0.5;
    }

    // Σ F (θ − θ*)² by autograd; F = (1/4) (Σ retained + w forgotten), w = (1 − s)/s.
    private static Tensor Consolidation(ConditionalVae model, Bench bench, double ownInformation)
    {
        Tensor sum = Tensor.Zeros([], model.Parameters()[0].DType);
        foreach (var (name, parameter) in model.TrainedParameters)
        {
            var information = Tensor.From(bench.Fisher.Tensors[name]);
            var weights = Tensor.FromArray([1.0, ownInformation, 1, 1]).To(parameter.DType).View([4, .. Enumerable.Repeat(1L, parameter.Dimensions)]) / 4;
            sum += ((information * weights).Sum(0) * (parameter - Tensor.From(bench.State[name])).Square()).Sum();
        }
        return sum;
    }

    private static FisherInformation Ones(IConditionalLikelihood model) => new(
        model.Conditions, 1, null, model.TrainedParameters.ToDictionary(entry => entry.Name, entry => Tensor.Ones([model.Conditions, .. entry.Tensor.Shape], entry.Tensor.DType).ToHost()));

    // Gradients of the next step, and the state before it.
    private static (Tensor[] Gradients, StateReader Before) NextGradients(SelectiveAmnesia method)
    {
        StateReader State()
        {
            var state = new StateWriter();
            method.Save(state);
            return new StateReader(state.Tensors, state.Values);
        }
        var before = State();
        method.Advance();
        var after = State();
        string[] names = [.. Names(before)];
        return ([.. names.Select(name => (Tensor.From(after.Array("optimizer.exp_avg." + name)) - Tensor.From(before.Array("optimizer.exp_avg." + name)) * 0.9) / 0.1)], before);
    }

    private static IEnumerable<string> Names(StateReader state) =>
        ConditionalVaeNames.All(name => Has(state, name)) ? ConditionalVaeNames : ["offset", "weight"];

    private static bool Has(StateReader state, string name)
    {
        try
        {
            state.Array("optimizer.exp_avg." + name);
            return true;
        }
        catch (BadInputException)
        {
            return false;
        }
    }

    private static readonly string[] ConditionalVaeNames =
        [.. new[] { "fc1", "fc2", "fc31", "fc32", "fc4", "fc5", "fc6" }.SelectMany(layer => new[] { layer + ".weight", layer + ".bias" })];

    private static Tensor[] Autograds(StateReader at, DType type, Func<ConditionalVae, Tensor> objective)
    {
        using var model = ConditionalVae.FromState(ConditionalVaeNames.ToDictionary(name => name, name => at.Array("parameters." + name)), type);
        return Autograd.Grad([objective(model)], model.Parameters());
    }

    private static void AssertGradients(Tensor[] expected, Tensor[] found, double tolerance)
    {
        Assert.Equal(expected.Length, found.Length);
        for (var k = 0; k < expected.Length; k++)
            Assert.True((expected[k] - found[k]).Norm().Item() <= tolerance * expected[k].Norm().Item(), $"{ConditionalVaeNames[k]}: {(expected[k] - found[k]).Norm().Item()} of {expected[k].Norm().Item()}");
    }
}
