namespace Lethe.Torch.Tests.Optimizers;

/// <summary>Clipping, direct gradients, moving averages, learning rates.</summary>
public class AroundTheStepTests
{
    private static readonly Dictionary<string, HostArray> Fixture = Golden.Read("optimizers", "golden.safetensors");

    [TorchFact]
    public void Clipping_is_that_of_pytorch()
    {
        // The fixture's gradients before clipping: ten times those of its loss.
        Tensor[] gradients = [Raw("w"), Raw("b")];
        var norm = GradientClipping.ByNorm(gradients, 1);
        Assert.Equal(Tensor.From(Fixture["clip.norm"]).Item(), norm.Item(), 1e-4);
        AssertClose(Tensor.From(Fixture["clip.w.grad"]), gradients[0], 1e-6);
        AssertClose(Tensor.From(Fixture["clip.b.grad"]), gradients[1], 1e-6);

        static Tensor Raw(string name)
        {
            var (x, a) = (Tensor.From(Fixture[name + ".0"]), Tensor.From(Fixture["a." + name]));
            return (a * x + x.Pow(3) / 3) * 10;
        }
    }

    [TorchFact]
    public void Small_gradients_are_not_clipped()
    {
        var gradient = Tensor.FromArray([3f, 4]);
        Assert.Equal(5, GradientClipping.ByNorm([gradient], 6).Item(), 1e-6);
        Assert.Equal([3f, 4], gradient.ToArray<float>());
        GradientClipping.ByNorm([gradient], 2.5);
        AssertClose(Tensor.FromArray([1.5f, 2]), gradient, 1e-6);
        Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.ByNorm([gradient], 0));
    }

    [TorchFact]
    public void A_gradient_that_is_not_finite_shows_in_the_norm()
    {
        var gradient = Tensor.FromArray([float.NaN, 4]);
        Assert.True(double.IsNaN(GradientClipping.ByNorm([gradient], 1).Item()));
    }

    [TorchFact]
    public void A_pull_is_the_gradient_of_its_penalty()
    {
        foreach (var type in (DType[])[DType.Float32, DType.Float64])
        {
            using var random = new RandomStream(2);
            Tensor[] New() => [Tensor.Randn([5, 7], random, type), Tensor.Randn([3], random, type)];
            var (gradients, weights, parameters, anchors) = (New(), New(), New(), New());
            Tensor[] expected = [.. gradients.Select(gradient => gradient.Clone())];
            for (var k = 0; k < 2; k++)
            {
                parameters[k].RequiresGrad = true;
                var penalty = (weights[k] * (parameters[k] - anchors[k]).Square()).Sum() * 0.85;
                expected[k].AddInPlace(Autograd.Grad([penalty], [parameters[k]])[0]);
            }
            DirectGradient.AddPull(gradients, 1.7, weights, parameters, anchors);
            AssertClose(expected[0], gradients[0], 1e-5);
            AssertClose(expected[1], gradients[1], 1e-5);
            Assert.Throws<ArgumentException>(() => DirectGradient.AddPull(gradients, 1, [weights[0]], parameters, anchors));
            Assert.Throws<TorchException>(() => DirectGradient.AddPull(gradients, 1, [weights[1], weights[0]], parameters, anchors));
        }
    }

    [TorchFact]
    public void The_moving_average_follows_its_formula()
    {
        var w = Tensor.FromArray([1f]);
        using var ema = new Ema([("w", w)], 0.9);
        var expected = 1.0;
        for (var k = 1; k <= 20; k++)
        {
            w.FillInPlace(k);
            ema.Update();
            expected = 0.9 * expected + 0.1 * k;
        }
        Assert.Equal(expected, ema.Averages.Single().Tensor.Item(), 1e-5);
        Assert.Equal(20, ema.Updates);
    }

    [TorchFact]
    public void A_warm_up_forgets_the_start()
    {
        var w = Tensor.FromArray([0f]);
        using var ema = new Ema([("w", w)], 0.999, warmUp: true);
        w.FillInPlace(1);
        ema.Update();
        Assert.Equal(1 - 2.0 / 11, ema.Averages.Single().Tensor.Item(), 1e-6);
    }

    [TorchFact]
    public void Averages_are_swapped_in_and_out_exactly()
    {
        var w = Tensor.FromArray([1f, 2]);
        w.RequiresGrad = true;
        using var ema = new Ema([("w", w)], 0.5);
        using (Autograd.NoGrad())
            w.FillInPlace(5);
        ema.Update();
        ema.Swap();
        Assert.Equal([3f, 3.5f], w.ToArray<float>());
        Assert.Throws<InvalidOperationException>(ema.Update);
        Assert.Throws<InvalidOperationException>(() => ema.Save(new StateWriter(), ""));
        ema.Swap();
        Assert.Equal([5f, 5], w.ToArray<float>());
        Assert.True(w.RequiresGrad);

        var saved = new StateWriter();
        ema.Save(saved, "ema.");
        using var other = new Ema([("w", w)], 0.5);
        other.Load(new StateReader(saved.Tensors, saved.Values), "ema.");
        Assert.Equal(1, other.Updates);
        Assert.Equal([3f, 3.5f], other.Averages.Single().Tensor.ToArray<float>());
    }

    [Fact]
    public void A_cosine_after_a_warm_up_is_that_of_pytorch()
    {
        var expected = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(Fixture["schedule.warmup10_cosine100"].Bytes.Span).ToArray();
        var schedule = new CosineRate(1, 90).AfterWarmUp(10);
        for (var step = 0; step < 100; step++)
            Assert.Equal(expected[step], schedule.At(step), 1e-6);
        Assert.Equal(0, schedule.At(1000), 1e-12);
    }

    [Fact]
    public void Schedules_are_functions_of_the_step()
    {
        Assert.Equal(0.3, new ConstantRate(0.3).At(1_000_000));
        Assert.Equal(0.75, new LinearRate(1, 0, 4).At(1));
        Assert.Equal(0, new LinearRate(1, 0, 4).At(9));
        Assert.Equal([1, 1, 0.5, 0.5, 0.25], Enumerable.Range(0, 5).Select(step => new SteppedRate(1, 2, 0.5).At(step)));
        Assert.Equal([0, 0.5, 1, 0.5], Enumerable.Range(0, 4).Select(step => new SteppedRate(1, 1, 0.5).AfterWarmUp(2).At(step)));
        Assert.Equal(new CosineRate(1, 90).AfterWarmUp(10), new CosineRate(1, 90).AfterWarmUp(10));
        Assert.Equal(new ConstantRate(1), new ConstantRate(1).AfterWarmUp(0));
    }

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance) =>
        Assert.InRange((expected - actual).Abs().Max().Item(), 0, tolerance);
}
