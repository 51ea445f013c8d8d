using Lethe.Evaluation.Likelihood;
using Lethe.Models.Generative;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests.Likelihood;

public sealed class NegativeElboTests
{
    private static readonly ConditionalVaeOptions Tiny = new() { Pixels = 6, Conditions = 3, Outer = 8, Inner = 5, Latent = 2 };

    private static ConditionalVae Model(ulong seed)
    {
        using var random = new RandomStream(seed);
        return new ConditionalVae(Tiny, random);
    }

    private static (Tensor Images, Tensor Labels) Data(int count)
    {
        using var random = new RandomStream(11);
        return (Tensor.Rand([count, 6], random), Tensor.RandInt(0, 3, [count], random));
    }

    [TorchFact]
    public void A_model_that_ignores_its_input_has_the_closed_form()
    {
        using var model = Model(1);
        float[] logits = [0, 1, -1, 0.5f, 2, -2], mean = [0.3f, -0.6f], logVariance = [0.2f, -0.4f];
        using (Autograd.NoGrad())
        {
            foreach (var (_, tensor) in model.TrainedParameters)
                tensor.ZeroInPlace();
            void Set(string name, float[] values) => model.TrainedParameters.Single(entry => entry.Name == name).Tensor.CopyInPlace(Tensor.FromArray(values));
            Set("fc6.bias", logits);
            Set("fc31.bias", mean);
            Set("fc32.bias", logVariance);
        }
        float[] image = [0, 1, 0.5f, 0.25f, 1, 0];
        using var noise = new RandomStream(0);
        var measured = NegativeElbo.Measure(model, Tensor.FromArray(image, 1, 6), Tensor.FromArray([2L], 1), noise);

        var reconstruction = image.Zip(logits, (x, l) => Math.Log(1 + Math.Exp(l)) - x * l).Sum();
        var divergence = mean.Zip(logVariance, (m, v) => (m * m + Math.Exp(v) - v - 1) / 2).Sum();
        Assert.Equal(reconstruction + divergence, measured.Of().Value, 5);
    }

    [TorchFact]
    public void The_value_of_an_image_is_the_mean_over_draws()
    {
        using var model = Model(2);
        var (images, labels) = Data(5);
        using var noise = new RandomStream(4);
        var measured = NegativeElbo.Measure(model, images, labels, noise, new NegativeElboOptions { Draws = 3 });

        using var again = noise.Child("negative-elbo");
        var expected = new double[5];
        using (Autograd.NoGrad())
            for (var draw = 0; draw < 3; draw++)
            {
                var values = model.NegativeElbo(images, labels, model.DrawNoise(5, again)).ToArray<float>();
                for (var i = 0; i < 5; i++)
                    expected[i] += values[i] / 3.0;
            }
        for (var i = 0; i < 5; i++)
            Assert.Equal(expected[i], measured.Values[i], 5);
        Assert.Equal(expected.Average(), measured.Of().Value, 5);
        Assert.Equal(5, measured.Of().N);
    }

    [TorchFact]
    public void Common_noise_cancels_in_a_change()
    {
        using var model = Model(3);
        var (images, labels) = Data(200);
        using var noise = new RandomStream(6);
        var options = new NegativeElboOptions { Draws = 2, Batch = 64 };
        var before = NegativeElbo.Measure(model, images, labels, noise, options);
        Assert.Equal(0, NegativeElbo.Change(before, NegativeElbo.Measure(model, images, labels, noise, options)).Value);

        using (Autograd.NoGrad())
            model.TrainedParameters.Single(entry => entry.Name == "fc6.bias").Tensor.AddInPlace(0.05);
        var after = NegativeElbo.Measure(model, images, labels, noise, options);
        using var other = new RandomStream(7);
        var unpaired = NegativeElbo.Measure(model, images, labels, other, options);
        var change = NegativeElbo.Change(before, after, better: Better.Lower);
        Assert.Equal(after.Of().Value - before.Of().Value, change.Value, 9);
        Assert.True(change.StandardError < NegativeElbo.Change(before, unpaired).StandardError, "common noise has the smaller error");
    }

    [TorchFact]
    public void Classes_are_measured_apart_and_together()
    {
        using var model = Model(5);
        var (images, labels) = Data(60);
        using var noise = new RandomStream(8);
        var measured = NegativeElbo.Measure(model, images, labels, noise);
        var kinds = labels.ToArray<long>();
        for (var label = 0; label < 3; label++)
        {
            var own = measured.Of([label], Better.Higher);
            Assert.Equal(kinds.Count(kind => kind == label), own.N);
            Assert.Equal(measured.Values.Where((_, i) => kinds[i] == label).Average(), own.Value, 12);
        }
        Assert.Equal(kinds.Count(kind => kind != 1), measured.Of([0, 2]).N);
        Assert.Equal(60, measured.Of().N);
        Assert.Contains("label 9", Assert.Throws<ArgumentException>(() => measured.Of([0, 9])).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void More_draws_bring_the_value_closer_to_the_bound()
    {
        using var model = Model(9);
        var (images, labels) = Data(40);
        double Spread(int draws)
        {
            var values = Enumerable.Range(0, 12).Select(seed =>
            {
                using var noise = new RandomStream((ulong)seed);
                return NegativeElbo.Measure(model, images, labels, noise, new NegativeElboOptions { Draws = draws }).Of().Value;
            }).ToArray();
            return Math.Sqrt(values.Sum(value => Math.Pow(value - values.Average(), 2)) / 11);
        }
        Assert.InRange(Spread(16) / Spread(1), 0.1, 0.5); // 1/4 expected
    }

    [TorchFact]
    public void A_model_that_is_broken_is_named_by_its_image()
    {
        using var model = Model(10);
        var (images, labels) = Data(3);
        images.Narrow(0, 1, 1).FillInPlace(double.NaN);
        using var noise = new RandomStream(1);
        var error = Assert.Throws<RunFailedException>(() => NegativeElbo.Measure(model, images, labels, noise));
        Assert.Contains("Item 1 of 3", error.Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Measurements_of_other_images_do_not_pair_up()
    {
        using var model = Model(12);
        var (images, labels) = Data(4);
        using var noise = new RandomStream(1);
        var all = NegativeElbo.Measure(model, images, labels, noise);
        var part = NegativeElbo.Measure(model, images.Narrow(0, 0, 3), labels.Narrow(0, 0, 3), noise);
        Assert.Throws<ArgumentException>(() => NegativeElbo.Change(all, part));
    }
}
