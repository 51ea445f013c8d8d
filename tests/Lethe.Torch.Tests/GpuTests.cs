using Lethe.Torch.Tests.Optimizers;

namespace Lethe.Torch.Tests;

/// <summary>The same code on a CUDA device; eng/gpu.sh runs these with a libtorch that has CUDA.</summary>
[Trait("category", "gpu")]
public class GpuTests
{
    private static readonly Device Gpu = Device.Parse("cuda");

    [GpuFact]
    public void Operators_run_on_the_device()
    {
        using var random = new RandomStream(1);
        var (a, b) = (Tensor.Randn([64, 32], random, DType.Float64), Tensor.Randn([32, 16], random, DType.Float64));
        var product = a.To(Gpu).Mm(b.To(Gpu));
        Assert.Equal(Gpu, product.Device);
        Assert.InRange((product.To(Device.Cpu) - a.Mm(b)).Abs().Max().Item(), 0, 1e-12);
        Assert.Equal([2f, 2], Tensor.Ones([2], device: Gpu).Mul(2).ToArray<float>());
        Assert.Equal([0L, 1, 2], Tensor.From(Tensor.Arange(0, 3, device: Gpu).ToHost()).ToArray<long>());
        var error = Assert.Throws<TorchException>(() => a.To(Gpu).Mm(b));
        Assert.Contains("float64[64, 32] on cuda:0, float64[32, 16]", error.Operation, StringComparison.Ordinal);
    }

    [GpuFact]
    public void Random_streams_draw_on_the_device()
    {
        using var a = new RandomStream(1, Gpu);
        using var b = new RandomStream(1, Gpu);
        using var c = new RandomStream(2, Gpu);
        var first = Tensor.Randn([1000], a);
        Assert.Equal(Gpu, first.Device);
        Assert.Equal(first.ToArray<float>(), Tensor.Randn([1000], b).ToArray<float>());
        Assert.NotEqual(first.ToArray<float>(), Tensor.Randn([1000], c).ToArray<float>());
        var state = a.State();
        var second = Tensor.Rand([1000], a).ToArray<float>();
        a.Restore(state);
        Assert.Equal(second, Tensor.Rand([1000], a).ToArray<float>());
        using var child = a.Child("noise");
        Assert.Equal(Gpu, child.Device);
    }

    [GpuFact]
    public void Training_steps_agree_with_those_of_the_cpu()
    {
        using var random = new RandomStream(3);
        using var here = Model(random);
        using var there = Model(random);
        there.LoadStateDict(here.StateDict());
        there.To(Gpu);
        Assert.All(there.Parameters(), parameter => Assert.Equal((Gpu, true), (parameter.Device, parameter.RequiresGrad)));
        using var hereAdam = new AdamW(here.NamedParameters(), 1e-3);
        using var thereAdam = new AdamW(there.NamedParameters(), 1e-3);
        for (var step = 0; step < 20; step++)
        {
            var (x, labels) = (Tensor.Randn([16, 1, 8, 8], random), Tensor.RandInt(0, 4, [16], random));
            var (a, b) = (Step(here, hereAdam, x, labels), Step(there, thereAdam, x.To(Gpu), labels.To(Gpu)));
            Assert.Equal(a, b, 1e-4);
        }
        foreach (var (a, b) in here.Parameters().Zip(there.Parameters()))
            Assert.InRange((a - b.To(Device.Cpu)).Abs().Max().Item(), 0, 1e-4);

        static Sequential Model(RandomStream random) =>
            new(new Conv2d(1, 4, 3, random), new GroupNorm(2, 4), new Activation(ActivationKind.Silu), new Flatten(), new Linear(144, 4, random));

        static double Step(Sequential model, Optimizer optimizer, Tensor x, Tensor labels)
        {
            optimizer.ZeroGrad();
            var loss = model.Forward(x).CrossEntropyLoss(labels);
            loss.Backward();
            var gradients = optimizer.Gradients();
            GradientClipping.ByNorm(gradients, 0.5);
            optimizer.Step(gradients);
            return loss.Item();
        }
    }

    [GpuFact]
    public void Optimizers_follow_the_trajectories_of_pytorch()
    {
        foreach (var name in (string[])["sgd", "sgd_momentum", "adam", "adam_l2_amsgrad", "adamw"])
            OptimizerTests.AssertTrajectory(name, Gpu, fused: false);
    }

    [GpuFact]
    public void Direct_gradients_and_averages_work_on_the_device()
    {
        Tensor[] Full(double value) => [Tensor.Full([8], value, device: Gpu)];
        var gradients = Full(1);
        DirectGradient.AddPull(gradients, 2, Full(3), Full(5), Full(4));
        Assert.Equal(7, gradients[0].Mean().Item(), 1e-6);
        var parameter = Full(1)[0];
        using var ema = new Ema([("w", parameter)], 0.5);
        parameter.FillInPlace(3);
        ema.Update();
        ema.Swap();
        Assert.Equal(2, parameter.Mean().Item(), 1e-6);
    }
}
