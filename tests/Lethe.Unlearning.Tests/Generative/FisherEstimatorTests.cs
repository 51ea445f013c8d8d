using Lethe.Models.Generative;
using Lethe.Torch;
using Lethe.Unlearning.Generative;

namespace Lethe.Unlearning.Tests.Generative;

public class FisherEstimatorTests
{
    private static readonly ConditionalVaeOptions Tiny = new() { Pixels = 12, Conditions = 3, Outer = 7, Inner = 5, Latent = 2 };

    // float64 to 1e-10, float32 to 1e-4 of the tensor's norm.
    [TorchTheory]
    [InlineData(DType.Float64, 1e-10)]
    [InlineData(DType.Float32, 1e-4)]
    public void Closed_form_and_per_sample_path_equal_a_naive_loop_of_single_images(DType type, double tolerance)
    {
        using var random = new RandomStream(7);
        using var model = new ConditionalVae(Tiny, random, type);
        const int N = 9;
        var images = Tensor.Rand([N, 12], random, type);
        var conditions = Tensor.Full([N], 1, DType.Int64);
        var noise = model.DrawNoise(N, random);

        var naive = model.TrainedParameters.Select(entry => entry.Tensor.ZerosLike()).ToArray();
        for (var n = 0; n < N; n++)
        {
            var bound = model.NegativeElbo(images.Narrow(0, n, 1), conditions.Narrow(0, n, 1), [noise[0].Narrow(0, n, 1)]).Sum();
            var gradients = Autograd.Grad([bound], model.Parameters());
            using var noGrad = Autograd.NoGrad();
            for (var k = 0; k < naive.Length; k++)
                naive[k].AddInPlace(gradients[k].Square(), 1.0 / N);
        }

        using var closed = new FisherEstimator(model, new FisherOptions { Samples = 3 * N, Batch = N }, 0);
        closed.AddClosedForm(model, images, conditions, noise, 1);
        using var single = new FisherEstimator(model, new FisherOptions { Samples = 3 * N, Batch = N }, 0);
        for (var n = 0; n < N; n++)
            single.AddSample(images.Select(0, n), 1, [noise[0].Narrow(0, n, 1)]);
        foreach (var estimate in (FisherEstimator[])[closed, single])
        {
            var found = Finish(estimate);
            for (var k = 0; k < naive.Length; k++)
            {
                var difference = Tensor.From(found.Tensors[model.TrainedParameters[k].Name]).Select(0, 1) - naive[k];
                Assert.True(difference.Norm().Item() <= tolerance * naive[k].Norm().Item(), model.TrainedParameters[k].Name);
            }
        }
        Assert.All(model.Parameters(), parameter => Assert.True(parameter.RequiresGrad));
    }

    [TorchFact]
    public void Draws_are_summed_before_squaring()
    {
        using var random = new RandomStream(8);
        using var model = new ConditionalVae(Tiny, random, DType.Float64);
        var image = Tensor.Rand([12], random, DType.Float64);
        var noise = model.DrawNoise(4, random);
        using var estimate = new FisherEstimator(model, new FisherOptions { Samples = 3, Draws = 4 }, 0);
        estimate.AddSample(image, 2, noise);
        var sum = model.TrainedParameters.Select(entry => entry.Tensor.ZerosLike()).ToArray();
        for (var draw = 0; draw < 4; draw++)
        {
            var bound = model.NegativeElbo(image.Unsqueeze(0), Tensor.FromArray([2L]), [noise[0].Narrow(0, draw, 1)]).Sum();
            var gradients = Autograd.Grad([bound], model.Parameters());
            for (var k = 0; k < sum.Length; k++)
                sum[k].AddInPlace(gradients[k]);
        }
        var found = Finish(estimate);
        for (var k = 0; k < sum.Length; k++)
            Assert.True((Tensor.From(found.Tensors[model.TrainedParameters[k].Name]).Select(0, 2) - sum[k].Square()).Abs().Max().Item() < 1e-10 * Math.Max(1, sum[k].Square().Max().Item()));
    }

    [TorchFact]
    public void The_same_seed_gives_the_same_matrix_and_a_resumed_estimate_too()
    {
        using var random = new RandomStream(9);
        using var model = new ConditionalVae(Tiny, random);
        var options = new FisherOptions { Samples = 25, Batch = 4 };
        using var whole = new FisherEstimator(model, options, 11);
        while (!whole.Finished) whole.Advance();
        using var first = new FisherEstimator(model, options, 11);
        for (var k = 0; k < 3; k++) first.Advance();
        var state = new StateWriter();
        first.Save(state);
        using var second = new FisherEstimator(model, options, 12);
        second.Load(new StateReader(state.Tensors, state.Values));
        while (!second.Finished) second.Advance();
        foreach (var (name, array) in whole.Result().Tensors)
            Assert.Equal(array.Bytes.ToArray(), second.Result().Tensors[name].Bytes.ToArray());
    }

    [TorchFact]
    public void Columns_of_a_condition_carry_no_information_about_the_others()
    {
        using var random = new RandomStream(10);
        using var model = new ConditionalVae(Tiny, random);
        using var estimate = new FisherEstimator(model, new FisherOptions { Samples = 30, Batch = 10 }, 1);
        while (!estimate.Finished) estimate.Advance();
        var diagonal = estimate.Result().Diagonal([0, 2], [1], 0, model.TrainedParameters);
        foreach (var (name, column) in model.OwnColumns(1))
        {
            var k = model.TrainedParameters.ToList().FindIndex(entry => entry.Name == name);
            Assert.Equal(0, diagonal[k].Select(1, column).Abs().Max().Item());
        }
        // Own information 1 weighs all conditions alike: the released code's matrix.
        var total = estimate.Result().Diagonal([0, 2], [1], 1, model.TrainedParameters);
        for (var k = 0; k < total.Length; k++)
        {
            var mean = Tensor.From(estimate.Result().Tensors[model.TrainedParameters[k].Name]).Mean(0);
            Assert.True((total[k] - mean).Abs().Max().Item() <= 1e-6 * Math.Max(1e-6, mean.Max().Item()));
        }
    }

    [TorchFact]
    public void A_diagonal_weighs_the_forgotten_by_own_information()
    {
        var parameter = Tensor.Zeros([2]);
        var information = new FisherInformation(4, 4, null, new Dictionary<string, HostArray> { ["w"] = Tensor.FromArray([1f, 2, 10, 20, 100, 200, 1000, 2000], 4, 2).ToHost() });
        float[] Diagonal(double ownInformation) => information.Diagonal([0, 3], [1], ownInformation, [("w", parameter)])[0].ToArray<float>();
        Assert.Equal([250.25f, 500.5f], Diagonal(0)); // (1 + 1000)/4: neither the forgotten nor the free one counts
        Assert.Equal([252.75f, 505.5f], Diagonal(1));
        Assert.Equal([260.25f, 520.5f], Diagonal(4));
        Assert.Contains("and not 4", Assert.Throws<BadInputException>(() => information.Diagonal([4], [1], 1, [("w", parameter)])).Message, StringComparison.Ordinal);
    }

    // Bernoulli samples of a logistic model: E (p − x)² = p (1 − p) for an offset, times f² for a weight.
    [TorchFact]
    public void The_per_sample_path_finds_the_exact_information_of_a_logistic_model()
    {
        using var random = new RandomStream(12);
        using var model = new LogisticGenerator(4, 2, 3, random);
        using var estimate = new FisherEstimator(model, new FisherOptions { Samples = 6000, Batch = 500 }, 1);
        while (!estimate.Finished) estimate.Advance();
        using var noGrad = Autograd.NoGrad();
        for (var condition = 0; condition < 2; condition++)
        {
            var label = Tensor.FromArray([(long)condition]);
            var p = model.Logits(label).Sigmoid().Squeeze(0);
            var exact = p * (1 - p);
            var offset = Tensor.From(estimate.Result().Tensors["offset"]).Select(0, condition);
            var weight = Tensor.From(estimate.Result().Tensors["weight"]).Select(0, condition);
            // (p − x)² varies by |1 − 2p| √(p(1 − p)) ≤ ½; five standard errors of 3,000 samples.
            Assert.True((offset - exact).Abs().Max().Item() < 5 * 0.5 / Math.Sqrt(3000), $"condition {condition}");
            var squares = model.Features(label).Square(); // (1, width)
            Assert.True((weight - offset.Unsqueeze(1) * squares).Abs().Max().Item() < 1e-10, "one factor for each feature");
        }
        Assert.Throws<UsageException>(() => new FisherEstimator(model, new FisherOptions { Path = FisherPath.ClosedForm }, 1));
    }

    [TorchFact]
    public void Samples_are_counted_as_they_are_done()
    {
        using var random = new RandomStream(10);
        using var model = new ConditionalVae(Tiny, random);
        using var estimate = new FisherEstimator(model, new FisherOptions { Samples = 25, Batch = 4 }, 1);
        var counts = new List<double>();
        while (!estimate.Finished)
            counts.Add(estimate.Advance()[0].Value);
        Assert.Equal([4.0, 8, 9, 13, 17, 21, 25], counts); // 9 + 8 + 8
        Assert.Throws<UsageException>(() => new FisherEstimator(model, new FisherOptions { Samples = 2 }, 1));
    }

    [TorchFact]
    public void A_matrix_of_another_model_is_refused()
    {
        using var random = new RandomStream(11);
        using var model = new ConditionalVae(Tiny, random);
        using var other = new ConditionalVae(Tiny with { Latent = 3 }, random);
        using var estimate = new FisherEstimator(other, new FisherOptions { Samples = 3 }, 1);
        while (!estimate.Finished) estimate.Advance();
        var error = Assert.Throws<BadInputException>(() => estimate.Result().Diagonal([0], [1], 1, model.TrainedParameters));
        Assert.Contains("fc31.weight", error.Message, StringComparison.Ordinal);
        var total = new FisherInformation(0, 10, null, model.StateDict());
        Assert.Throws<UsageException>(() => total.Diagonal([0, 2], [1], 0, model.TrainedParameters));
    }

    private static FisherInformation Finish(FisherEstimator estimate)
    {
        // The sums above were added by hand; the loop's own position is moved to the end without adding anything.
        var state = new StateWriter();
        estimate.Save(state);
        var values = state.Values.ToDictionary();
        values["step"] = estimate.TotalSteps.ToString(System.Globalization.CultureInfo.InvariantCulture);
        estimate.Load(new StateReader(state.Tensors, values));
        return estimate.Result();
    }
}
