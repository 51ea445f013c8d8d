using Lethe.Evaluation.Attacks;
using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests.Attacks;

/// <summary>Images of six pixels: class c lights pixels 2c and 2c + 1. The judge knows these patterns.</summary>
public sealed class RelearningTests
{
    private static readonly RelearningOptions Quick = new() { Steps = 300, LearningRate = 5e-3, Batch = 16, MeasureAt = [0, 20, 50, 100, 200], Samples = 200, Draws = 2 };

    [TorchFact]
    public void A_class_comes_back_and_the_curve_says_when()
    {
        using var model = Model(1);
        using var random = new RandomStream(5);
        var (images, heldOut) = Images(1);
        using var attack = new Relearning(model, 1, images, heldOut, Judge, random, Quick);
        Assert.Null(attack.ReturnStep);
        while (!attack.Finished)
            Assert.Equal("loss", Assert.Single(attack.Advance()).Name);

        Assert.Equal(0, attack.Curve[0].Step);
        Assert.True(attack.Curve[0].Share.Value < 0.5, "a fresh model does not know the class");
        Assert.Equal(attack.Step, attack.ReturnStep);
        Assert.Equal(attack.Step, attack.Curve[^1].Step);
        Assert.InRange(attack.Curve[^1].Share.Value, 0.5, 1);
        Assert.Equal("wilson", attack.Curve[^1].Share.Interval!.Kind);
        Assert.Equal(40, attack.Curve[^1].NegativeElbo.N);
        Assert.True(attack.Curve[^1].NegativeElbo.Value < attack.Curve[0].NegativeElbo.Value, "real images are explained better");
        Assert.True(attack.Step < attack.TotalSteps);
        Assert.Contains($"after {attack.ReturnStep} steps", attack.StopReason, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Without_a_stop_the_curve_goes_to_the_last_step()
    {
        using var model = Model(1);
        using var random = new RandomStream(5);
        var (images, heldOut) = Images(1);
        using var attack = new Relearning(model, 1, images, heldOut, Judge, random, Quick with { Steps = 60, StopWhenBack = false });
        while (!attack.Finished)
            attack.Advance();
        Assert.Equal([0, 20, 50, 60], attack.Curve.Select(point => point.Step));
        Assert.Equal(0, attack.ExplainedStep(attack.Curve[0].NegativeElbo.Value));
        Assert.Equal(60, attack.ExplainedStep(attack.Curve[3].NegativeElbo.Value));
        Assert.Null(attack.ExplainedStep(-1));
        Assert.Null(attack.StopReason);
    }

    [TorchFact]
    public void A_model_that_knew_the_class_relearns_it_faster_than_a_control()
    {
        long? Attack(ConditionalVae model)
        {
            using var random = new RandomStream(7);
            var (images, heldOut) = Images(1);
            using var attack = new Relearning(model, 1, images, heldOut, Judge, random, Quick with { MeasureAt = [.. Enumerable.Range(0, 150).Select(i => 2L * i)] });
            while (!attack.Finished)
                attack.Advance();
            return attack.ReturnStep;
        }
        using var control = Model(1);
        using var hidden = Model(1);
        using (var random = new RandomStream(3))
        {
            // Learned, then pushed out of sight a little by moving only the last layer's bias.
            var (images, heldOut) = Images(1);
            using var training = new Relearning(hidden, 1, images, heldOut, Judge, random, Quick with { Steps = 200, StopWhenBack = false });
            while (!training.Finished)
                training.Advance();
            using var noGrad = Autograd.NoGrad();
            hidden.TrainedParameters.Single(entry => entry.Name == "fc6.bias").Tensor.CopyInPlace(Tensor.FromArray([4f, 4, -4, -4, 0, 0]));
        }
        long? hiddenSteps = Attack(hidden), controlSteps = Attack(control);
        Assert.NotNull(hiddenSteps);
        Assert.True(hiddenSteps > 0 && hiddenSteps < (controlSteps ?? long.MaxValue), $"{hiddenSteps} against {controlSteps}");
    }

    [TorchFact]
    public void An_attack_that_is_saved_and_continued_equals_one_that_was_not()
    {
        var (images, heldOut) = Images(1);
        var options = Quick with { Steps = 40, StopWhenBack = false, MeasureAt = [0, 10, 30] };
        using var whole = Model(1);
        using var random = new RandomStream(9);
        using var straight = new Relearning(whole, 1, images, heldOut, Judge, random, options);
        var losses = new List<double>();
        while (!straight.Finished)
            losses.Add(straight.Advance()[0].Value);

        using var first = Model(1);
        using var interrupted = new Relearning(first, 1, images, heldOut, Judge, random, options);
        var state = new StateWriter();
        for (var step = 0; step < 17; step++)
            interrupted.Advance();
        interrupted.Save(state);

        using var second = Model(2); // other weights, which the state replaces
        using var continued = new Relearning(second, 1, images, heldOut, Judge, random, options);
        continued.Load(new StateReader(state.Tensors, state.Values));
        Assert.Equal(17, continued.Step);
        for (var step = 17; step < 40; step++)
            Assert.Equal(losses[step], continued.Advance()[0].Value);
        Assert.True(continued.Finished);
        Assert.Equal(straight.Curve, continued.Curve);
        foreach (var ((name, expected), (_, actual)) in whole.TrainedParameters.Zip(second.TrainedParameters))
            Assert.True(expected.ToArray<float>().SequenceEqual(actual.ToArray<float>()), name);
    }

    [TorchFact]
    public void Steps_leave_no_tensor_behind()
    {
        using var model = Model(1);
        using var random = new RandomStream(5);
        var (images, heldOut) = Images(1);
        using var attack = new Relearning(model, 1, images, heldOut, Judge, random, Quick with { StopWhenBack = false });
        attack.Advance();
        var live = Tensor.Live;
        for (var step = 0; step < 60; step++)
            attack.Advance();
        Assert.Equal(live, Tensor.Live);
    }

    [TorchFact]
    public void A_loss_that_is_not_finite_names_the_step()
    {
        using var model = Model(1);
        using var random = new RandomStream(5);
        var (images, heldOut) = Images(1);
        using var attack = new Relearning(model, 1, Tensor.Full([3, 6], double.NaN), heldOut, Judge, random, Quick);
        Assert.Contains("at step 1", Assert.Throws<RunFailedException>(() => attack.Advance()).Message, StringComparison.Ordinal);
        _ = images;
    }

    [TorchFact]
    public void Options_out_of_range_are_refused_with_their_value()
    {
        using var model = Model(1);
        using var random = new RandomStream(5);
        var (images, heldOut) = Images(1);
        void With(RelearningOptions options) => new Relearning(model, 1, images, heldOut, Judge, random, options).Dispose();
        Assert.Contains("is 0; it must be at least 1", Assert.Throws<UsageException>(() => With(Quick with { Steps = 0 })).Message, StringComparison.Ordinal);
        Assert.Contains("1.5", Assert.Throws<UsageException>(() => With(Quick with { Threshold = 1.5 })).Message, StringComparison.Ordinal);
        Assert.Throws<UsageException>(() => With(Quick with { MeasureAt = [0, 5, 5] }));
        Assert.Throws<UsageException>(() => With(Quick with { LearningRate = 0 }));
    }

    private static ConditionalVae Model(ulong seed)
    {
        using var random = new RandomStream(seed);
        return new ConditionalVae(new ConditionalVaeOptions { Pixels = 6, Conditions = 3, Outer = 16, Inner = 8, Latent = 2 }, random);
    }

    private static (Tensor Images, Tensor HeldOut) Images(int label)
    {
        using var random = new RandomStream(100);
        var pattern = Tensor.Zeros([1, 6]);
        pattern.Narrow(1, 2 * label, 2).FillInPlace(0.9);
        var all = pattern + Tensor.Rand([120, 6], random) * 0.1;
        return (all.Narrow(0, 0, 80), all.Narrow(0, 80, 40));
    }

    /// <summary>Log-softmax of four times the light on each class's pixels.</summary>
    private static Tensor Judge(Tensor x) => (x.Reshape(-1, 3, 2).Sum(2) * 4).LogSoftmax(1);
}
