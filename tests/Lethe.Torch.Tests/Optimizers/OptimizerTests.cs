namespace Lethe.Torch.Tests.Optimizers;

public class OptimizerTests
{
    private static readonly Dictionary<string, HostArray> Fixture = Golden.Read("optimizers", "golden.safetensors");

    [TorchTheory]
    [InlineData("sgd", true)]
    [InlineData("sgd_momentum", true)]
    [InlineData("adam", true)]
    [InlineData("adam", false)]
    [InlineData("adam_l2_amsgrad", true)]
    [InlineData("adam_l2_amsgrad", false)]
    [InlineData("adamw", true)]
    [InlineData("adamw", false)]
    public void The_trajectory_is_that_of_pytorch(string name, bool fused) => AssertTrajectory(name, Device.Cpu, fused);

    internal static void AssertTrajectory(string name, Device device, bool fused)
    {
        var (w, b) = (Tensor.From(Fixture["w.0"]).To(device), Tensor.From(Fixture["b.0"]).To(device));
        (string, Tensor)[] parameters = [("w", w), ("b", b)];
        using Optimizer optimizer = name switch
        {
            "sgd" => new Sgd(parameters, 0.05),
            "sgd_momentum" => new Sgd(parameters, 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01),
            "adam" => new Adam(parameters, 0.02),
            "adam_l2_amsgrad" => new Adam(parameters, 0.02, weightDecay: 0.1, amsGrad: true),
            _ => new AdamW(parameters, 0.02, beta2: 0.95, weightDecay: 0.1),
        };
        if (optimizer is AdamFamily family)
        {
            Assert.Equal(device == Device.Cpu, family.Fused);
            family.Fused = fused;
        }
        w.RequiresGrad = b.RequiresGrad = true;
        for (var step = 1; step <= 50; step++)
        {
            optimizer.ZeroGrad();
            Loss(w, b).Backward();
            optimizer.Step();
            if (step is 1 or 2 or 10 or 50)
            {
                AssertClose(Fixture[$"{name}.w.{step}"], w, 1e-6);
                AssertClose(Fixture[$"{name}.b.{step}"], b, 1e-6);
            }
        }
        Assert.Equal(50, optimizer.Steps);
    }

    private static Tensor Loss(Tensor w, Tensor b)
    {
        var (aw, ab) = (Tensor.From(Fixture["a.w"]).To(w.Device), Tensor.From(Fixture["a.b"]).To(w.Device));
        return (aw * w.Square()).Sum() / 2 + (ab * b.Square()).Sum() / 2 + w.Pow(4).Sum() / 12 + b.Pow(4).Sum() / 12;
    }

    private static void AssertClose(HostArray expected, Tensor actual, double tolerance)
    {
        var difference = (actual.Detach().To(Device.Cpu) - Tensor.From(expected)).Abs().Max().Item();
        Assert.True(difference <= tolerance, $"differs by {difference}, allowed is {tolerance}");
    }
}
