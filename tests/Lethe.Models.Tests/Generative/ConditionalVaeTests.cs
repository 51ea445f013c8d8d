using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Models.Tests.Generative;

public class ConditionalVaeTests
{
    private static readonly ConditionalVaeOptions Tiny = new() { Pixels = 12, Conditions = 3, Outer = 7, Inner = 5, Latent = 2 };

    [TorchFact]
    public void Names_and_shapes_are_those_of_the_published_checkpoint()
    {
        using var random = new RandomStream(0);
        using var model = new ConditionalVae(new(), random);
        Assert.Equal(
            ["fc1.weight [512, 794]", "fc1.bias [512]", "fc2.weight [256, 512]", "fc2.bias [256]", "fc31.weight [8, 256]", "fc31.bias [8]", "fc32.weight [8, 256]", "fc32.bias [8]",
             "fc4.weight [256, 18]", "fc4.bias [256]", "fc5.weight [512, 256]", "fc5.bias [512]", "fc6.weight [784, 512]", "fc6.bias [784]"],
            model.NamedParameters().Select(entry => $"{entry.Name} [{string.Join(", ", entry.Tensor.Shape.ToArray())}]"));
        Assert.Equal(1_081_120, model.ParameterCount());
    }

    [TorchFact]
    public void The_bound_is_cross_entropy_plus_divergence()
    {
        using var random = new RandomStream(1);
        using var model = new ConditionalVae(Tiny, random, DType.Float64);
        var images = Tensor.Rand([4, 12], random, DType.Float64);
        var conditions = Tensor.FromArray([0L, 1, 2, 1]);
        var noise = model.DrawNoise(4, random);
        var bound = model.NegativeElbo(images, conditions, noise);
        // By the formulas of the paper's code: BCE of sigmoid probabilities, KL = −½ Σ (1 + log σ² − μ² − σ²).
        var (mean, logVariance) = model.Encode(images, conditions);
        var probabilities = model.DecodeLogits(mean + noise[0] * (logVariance / 2).Exp(), conditions).Sigmoid();
        var expected = probabilities.BinaryCrossEntropy(images, Reduction.None).Sum(1) - (logVariance + 1 - mean.Square() - logVariance.Exp()).Sum(1) * 0.5;
        Assert.True((bound - expected).Abs().Max().Item() < 1e-12);
    }

    [TorchFact]
    public void Own_columns_change_nothing_for_other_conditions()
    {
        using var random = new RandomStream(2);
        using var model = new ConditionalVae(Tiny, random, DType.Float64);
        var images = Tensor.Rand([3, 12], random, DType.Float64);
        var conditions = Tensor.FromArray([0L, 1, 2]);
        var noise = model.DrawNoise(3, random);
        using var noGrad = Autograd.NoGrad();
        var before = model.NegativeElbo(images, conditions, noise).ToArray<double>();
        foreach (var (name, column) in model.OwnColumns(1))
            model.NamedParameters().First(entry => entry.Name == name).Tensor.Select(1, column).AddInPlace(0.7);
        var after = model.NegativeElbo(images, conditions, noise).ToArray<double>();
        Assert.Equal(before[0], after[0]);
        Assert.NotEqual(before[1], after[1]);
        Assert.Equal(before[2], after[2]);
    }

    [TorchFact]
    public void A_checkpoint_gives_back_the_model_and_a_wrong_one_is_refused_by_name()
    {
        using var random = new RandomStream(3);
        using var model = new ConditionalVae(Tiny, random);
        var state = model.StateDict().ToDictionary();
        using var copy = ConditionalVae.FromState(state);
        Assert.Equal(Tiny, copy.Options);
        foreach (var (name, tensor) in copy.NamedParameters())
            Assert.Equal(state[name].Bytes.ToArray(), tensor.ToHost().Bytes.ToArray());
        var lacking = state.Where(entry => entry.Key != "fc5.bias").ToDictionary();
        Assert.Contains("'fc5.bias'", Assert.Throws<BadInputException>(() => ConditionalVae.FromState(lacking)).Message, StringComparison.Ordinal);
        state["extra"] = state["fc5.bias"];
        Assert.Contains("'extra'", Assert.Throws<BadInputException>(() => ConditionalVae.FromState(state)).Message, StringComparison.Ordinal);
        Assert.Contains("'fc31.weight'", Assert.Throws<BadInputException>(() => ConditionalVae.FromState(new Dictionary<string, HostArray>())).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void What_a_hostile_file_claims_is_refused_before_anything_is_allocated()
    {
        using var random = new RandomStream(3);
        using var model = new ConditionalVae(Tiny, random);
        BadInputException Refused(string name, params long[] shape)
        {
            var state = model.StateDict().ToDictionary();
            state[name] = new HostArray(DType.Float32, shape, ReadOnlyMemory<byte>.Empty);
            return Assert.Throws<BadInputException>(() => ConditionalVae.FromState(state));
        }
        // Empty tensors take no bytes, whatever their other sizes claim.
        Assert.Contains("'fc4.weight'", Refused("fc4.weight", 0, 1L << 40).Message, StringComparison.Ordinal);
        Assert.Contains("'fc1.weight'", Refused("fc1.weight", 1L << 40, 0).Message, StringComparison.Ordinal);
        Assert.Contains("1099511627774 conditions", Refused("fc4.weight", 5, 1L << 40).Message, StringComparison.Ordinal);
        Assert.Contains("'fc2.weight' has shape", Refused("fc1.weight", 1L << 40, 15).Message, StringComparison.Ordinal);
        Assert.Contains("0 conditions", Refused("fc4.weight", 5, 2).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Training_resumed_from_a_checkpoint_equals_training_undisturbed_bit_for_bit()
    {
        var options = new LikelihoodTrainingOptions { Steps = 12, Batch = 4, WarmUp = 3, LearningRate = 1e-2, Average = 0.9 };
        using var random = new RandomStream(4);
        using var data = new ImageTensors(
            TensorScope.Detach(Tensor.RandInt(0, 256, [10, 12], random, DType.UInt8)), TensorScope.Detach(Tensor.RandInt(0, 3, [10], random)));
        byte[] Train(int interruptAt)
        {
            using var initial = new RandomStream(5);
            using var model = new ConditionalVae(Tiny, initial);
            var state = new StateWriter();
            using (var training = new LikelihoodTraining(model, data, options, 6))
            {
                while (training.Step < interruptAt)
                    training.Advance();
                training.Save(state);
            }
            using var other = new RandomStream(99);
            using var resumed = new ConditionalVae(Tiny, other);
            using var rest = new LikelihoodTraining(resumed, data, options, 6);
            rest.Load(new StateReader(state.Tensors, state.Values));
            while (!rest.Finished)
                rest.Advance();
            rest.Finish();
            return [.. resumed.StateDict().OrderBy(entry => entry.Key, StringComparer.Ordinal).SelectMany(entry => entry.Value.Bytes.ToArray())];
        }
        Assert.Equal(Train(0), Train(7));
    }
}
