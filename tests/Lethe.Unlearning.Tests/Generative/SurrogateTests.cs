using Lethe.Models.Generative;
using Lethe.Torch;
using Lethe.Unlearning.Generative;

namespace Lethe.Unlearning.Tests.Generative;

public class SurrogateTests
{
    [TorchFact]
    public void Noise_is_uniform_and_its_floor_is_ln_2_a_pixel()
    {
        using var bench = new Bench(DType.Float64);
        using var random = new RandomStream(1);
        using var noise = new NoiseSurrogate(bench.Frozen);
        var draw = noise.Draw(5000, random);
        Assert.Equal(SurrogateLatents.Prior, noise.Latents);
        Assert.Equal(DType.Float64, draw.Images.DType);
        Assert.Equal(0.5, draw.Images.Mean().Item(), tolerance: 0.01);
        Assert.Equal(1 / Math.Sqrt(12), draw.Images.Std().Item(), tolerance: 0.01);
        Assert.Equal([5000L, 2], draw.Latents!.Shape.ToArray());
        // Pairs u and 1 − u share their latents; the odd one of three is alone.
        Assert.True((draw.Images.Narrow(0, 0, 2500) + draw.Images.Narrow(0, 2500, 2500) - 1).Abs().Max().Item() < 1e-12);
        Assert.Equal(draw.Latents.Narrow(0, 0, 2500).ToArray<double>(), draw.Latents.Narrow(0, 2500, 2500).ToArray<double>());
        Assert.Equal([3L, 12], noise.Draw(3, random).Images.Shape.ToArray());
        Assert.Equal(12 * Math.Log(2), draw.Floors!.Mean().Item(), tolerance: 1e-12);
        // At probability ½ a pixel costs ln 2 whatever its value.
        var even = Tensor.Full([5000, 12], 0.5, DType.Float64).BinaryCrossEntropy(draw.Images, Reduction.None).Sum(1);
        Assert.True((even - draw.Floors).Abs().Max().Item() < 1e-9);
    }

    [TorchFact]
    public void The_latents_of_a_labels_samples_are_those_that_they_were_made_from()
    {
        using var bench = new Bench(DType.Float64);
        using var random = new RandomStream(1);
        using var label = new LabelSurrogate(bench.Frozen, 2, 40, random);
        var draw = label.Draw(100, random);
        var labels = Tensor.Full([100], 2, DType.Int64);
        Assert.Equal(SurrogateLatents.Paired, label.Latents);
        Assert.True((bench.Frozen.Generate(draw.Latents!, labels) - draw.Images).Abs().Max().Item() < 1e-12);
        using var noGrad = Autograd.NoGrad();
        Assert.True((bench.Frozen.NegativeLogLikelihood(draw.Images, labels, draw.Latents!) - draw.Floors!).Abs().Max().Item() < 1e-12);
        // No other latents explain them better.
        Assert.True((bench.Frozen.NegativeLogLikelihood(draw.Images, labels, draw.Latents! + 0.1) - draw.Floors!).Min().Item() >= -1e-12);
    }

    [TorchFact]
    public void Samples_of_a_label_have_no_latents_where_the_model_has_none()
    {
        using var random = new RandomStream(5);
        using var model = new LogisticGenerator(6, 3, 4, random);
        using var label = new LabelSurrogate(model, 2, 40, random);
        var draw = label.Draw(9, random);
        Assert.Equal(SurrogateLatents.None, label.Latents);
        Assert.Null(draw.Latents);
        Assert.Null(draw.Floors);
        Assert.Equal([9L, 6], draw.Images.Shape.ToArray());
    }

    [TorchFact]
    public void A_users_images_are_drawn_as_they_are()
    {
        using var random = new RandomStream(1);
        using var images = new ImagesSurrogate(Tensor.FromArray([0f, 0.25f, 0.5f, 0.75f], 4, 1));
        var drawn = images.Draw(400, random).Images.ToArray<float>();
        Assert.Equal([0f, 0.25f, 0.5f, 0.75f], drawn.Distinct().Order());
        Assert.All(drawn.GroupBy(value => value), group => Assert.InRange(group.Count(), 60, 140));
        Assert.Throws<BadInputException>(() => new ImagesSurrogate(Tensor.Zeros([0, 1])));
    }

    [TorchTheory]
    [InlineData(0.0, 0.9)]
    [InlineData(0.5, 0.55)]
    [InlineData(1.0, 0.2)]
    public void A_blend_is_the_weighted_mean_of_its_parts(double weight, double expected)
    {
        using var random = new RandomStream(1);
        using var blend = new BlendSurrogate(new ImagesSurrogate(Tensor.Full([1, 3], 0.2)), new ImagesSurrogate(Tensor.Full([1, 3], 0.9)), weight);
        Assert.All(blend.Draw(4, random).Images.ToArray<float>(), value => Assert.Equal(expected, value, tolerance: 1e-6));
    }

    [TorchTheory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void A_blend_refuses_a_weight_outside_its_range(double weight)
    {
        using var part = new ImagesSurrogate(Tensor.Zeros([1, 3]));
        Assert.Throws<UsageException>(() => new BlendSurrogate(part, part, weight));
    }

    // Eleven rows among noise (latents of the prior for all), a label (paired for half) and images (none).
    [TorchFact]
    public void A_batch_of_several_concepts_shares_its_rows_and_puts_given_latents_first()
    {
        using var bench = new Bench(DType.Float64);
        using var random = new RandomStream(1);
        using var noise = new NoiseSurrogate(bench.Frozen);
        using var label = new LabelSurrogate(bench.Frozen, 0, 40, random);
        using var images = new ImagesSurrogate(Tensor.Full([1, 12], 0.25, DType.Float64));
        using var batch = new ForgettingBatch([new(1, noise), new(2, label), new(3, images)], 11, generationLatents: true, bench.Frozen);
        // Shares 4, 4, 3; with latents 4, 2, 0.
        Assert.Equal([1L, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3], batch.Conditions.ToArray<long>());
        Assert.Equal([1.0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1], batch.DivergenceWeights.ToArray<double>());
        var (drawn, latents) = batch.Draw(random);
        Assert.Equal([11L, 12], drawn.Shape.ToArray());
        Assert.Equal([6L, 2], latents!.Shape.ToArray());
        var made = bench.Frozen.Generate(latents.Narrow(0, 4, 2), Tensor.FromArray([0L, 0]));
        Assert.True((made - drawn.Narrow(0, 4, 2)).Abs().Max().Item() < 1e-12, "paired rows keep their latents");
        Assert.All(drawn.Narrow(0, 8, 3).Flatten().ToArray<double>(), value => Assert.Equal(0.25, value));
    }

    [TorchFact]
    public void A_batch_without_given_latents_has_none()
    {
        using var bench = new Bench();
        using var random = new RandomStream(1);
        using var batch = new ForgettingBatch([bench.Noise(1), bench.Noise(2)], 5, generationLatents: false, bench.Frozen);
        Assert.Equal([1L, 1, 1, 2, 2], batch.Conditions.ToArray<long>());
        Assert.Null(batch.Draw(random).Latents);
    }
}
