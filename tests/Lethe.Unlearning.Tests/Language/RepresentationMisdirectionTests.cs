using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Unlearning.Tests.Language;

public sealed class RepresentationMisdirectionTests
{
    // make_unlearning.py's settings.
    private const double Steering = 2, Alpha = 50, Rate = 5e-4;

    [TorchTheory]
    [InlineData("llama")]
    [InlineData("gemma2")]
    public void Twenty_released_steps_are_those_of_PyTorch(string name)
    {
        using var checkpoint = LanguageBench.Checkpoint(name);
        var options = new ReleasedRepresentationMisdirectionOptions { Layer = 2, Steering = Steering, Alpha = Alpha, LearningRate = Rate, Steps = 20 };
        using var cache = SliceCache.Open(checkpoint, RepresentationMisdirection.Slice(checkpoint.Weights, options));
        var topic = (LanguageBench.GoldenBatches(name, "forget", true), LanguageBench.GoldenBatches(name, "retain", true));
        using var loop = RepresentationMisdirection.Create(cache, [topic], [LanguageBench.Golden(name, "rmu.control") / Steering], options);
        VerifyGolden(name, "rmu", loop, cache);
    }

    [TorchTheory]
    [InlineData("llama")]
    [InlineData("gemma2")]
    public void Twenty_masked_steps_are_those_of_PyTorch(string name)
    {
        using var checkpoint = LanguageBench.Checkpoint(name);
        var options = new MaskedRepresentationMisdirectionOptions { Layer = 2, LearningRate = Rate, Steps = 20 };
        using var cache = SliceCache.Open(checkpoint, RepresentationMisdirection.Slice(checkpoint.Weights, options));
        // The fixture does not divide by the mean square, so the losses are put together here.
        var topic = new SliceTopic(LanguageBench.GoldenBatches(name, "forget", false), new SteeringLoss(LanguageBench.Golden(name, "rmu_masked.control"), PositionMean.Masked),
            LanguageBench.GoldenBatches(name, "retain", false), new RetentionLoss(PositionMean.Masked), Alpha);
        using var loop = new SliceUnlearning(cache, [topic], options);
        VerifyGolden(name, "rmu_masked", loop, cache);
    }

    [TorchFact]
    public void The_masked_form_does_not_depend_on_the_scale_of_hidden_states()
    {
        // The same texts; the losses of the first step are 1 + 9 (target of 3 norms, uncorrelated with h but for the sign) for any model whose norms are alike.
        using var model = LanguageBench.Model();
        using var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 1, 2));
        var (forget, retain) = (LanguageBench.Texts(1, 6), LanguageBench.Texts(2, 6));
        var scale = cache.Norms(retain, 2);
        using var loop = RepresentationMisdirection.Create(cache, [(forget, retain)], new MaskedRepresentationMisdirectionOptions { Layer = 2, EditedLayers = [1, 2] }, seed: 3);
        var first = loop.Advance().Values();
        Assert.Equal(0, first["retain"], 1e-12);

        // By hand, from the recorded states and the drawn vector.
        using var random = new RandomStream(RandomStream.ChildSeed(3, "control 0"));
        var direction = Tensor.Rand([LanguageBench.Tiny.HiddenSize], random);
        Assert.True(direction.Min().Item() >= 0);
        var target = direction / direction.Norm() * (3 * scale.MedianNorm);
        var states = cache.Frozen(forget.At(0))[0];
        var mask = forget.At(0).Mask(DType.Float32, Device.Cpu);
        var perRow = ((states - target).Square().Mean(-1) * mask).Sum(1) / mask.Sum(1);
        Assert.Equal(perRow.Mean().Item() / scale.MeanSquare, first["forget"], 1e-4);
    }

    [TorchFact]
    public void Topics_take_turns_each_with_its_own_vector()
    {
        using var model = LanguageBench.Model();
        using var cache = SliceCache.Of(model, LanguageBench.Slice(LanguageBench.Tiny, 2));
        var texts = LanguageBench.Texts(1, 3);
        (TextBatches, TextBatches)[] topics = [(texts, LanguageBench.Texts(2, 3)), (texts, LanguageBench.Texts(3, 3))];
        using var loop = RepresentationMisdirection.Create(cache, topics, new ReleasedRepresentationMisdirectionOptions { Layer = 2, EditedLayers = [2], Steps = 4, LearningRate = 1e-9 }, seed: 3);
        var forget = LanguageBench.Finish(loop).ConvertAll(step => step["forget"]);
        // At a rate of nearly 0 a topic's loss stays; the two topics' differ, as their vectors do.
        Assert.Equal(forget[0], forget[2], 1e-4);
        Assert.Equal(forget[1], forget[3], 1e-4);
        Assert.True(Math.Abs(forget[0] - forget[1]) > 1e-3);
    }

    [TorchFact]
    public void The_edited_layers_are_the_one_read_and_the_two_below()
    {
        Assert.Equal([5, 6, 7], new ReleasedRepresentationMisdirectionOptions().ResolvedLayers);
        Assert.Equal([0, 1], new ReleasedRepresentationMisdirectionOptions { Layer = 1 }.ResolvedLayers);
        using var checkpoint = LanguageBench.Checkpoint("gpt_neox");
        Assert.Equal(["gpt_neox.layers.0.mlp.dense_4h_to_h.weight", "gpt_neox.layers.1.mlp.dense_4h_to_h.weight"],
            RepresentationMisdirection.Slice(checkpoint.Weights, new ReleasedRepresentationMisdirectionOptions { Layer = 1 }).Weights);
    }

    private static void VerifyGolden(string model, string run, SliceUnlearning loop, SliceCache cache)
    {
        var (forget, retain) = (LanguageBench.Golden(model, run + ".loss_forget").ToArray<float>(), LanguageBench.Golden(model, run + ".loss_retain").ToArray<float>());
        for (var step = 1; step <= 20; step++)
        {
            var measured = loop.Advance().Values();
            // Losses of about 1 to 40 in float32; 1e-4 of them.
            Assert.Equal(forget[step - 1], measured["forget"], 1e-4 * Math.Max(1, forget[step - 1]));
            Assert.Equal(retain[step - 1], Alpha * measured["retain"], 1e-4 * Math.Max(1, retain[step - 1]));
            if (step is 1 or 20)
                foreach (var (layer, weight) in cache.Weights.Index())
                    Assert.True(LanguageBench.Difference(LanguageBench.Golden(model, $"{run}.layer{layer}.{step}"), weight) is var difference && difference < 1e-4, $"layer {layer}, step {step}: {difference}");
        }
        Assert.True(loop.Finished);
    }
}
