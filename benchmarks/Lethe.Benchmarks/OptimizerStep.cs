using Lethe.Torch;

namespace Lethe.Benchmarks;

/// <summary>
/// One step of Adam over the parameters of the paper's VAE (1.1 million numbers), and what surrounds it: the bridge's loops against
/// multi-tensor operators. Arguments: threads, device.
/// </summary>
internal static class OptimizerStep
{
    // (outputs, inputs) of each layer of the conditional VAE; each has a bias.
    private static readonly (long, long)[] Layers = [(512, 794), (256, 522), (8, 266), (8, 266), (256, 18), (512, 266), (784, 522)];

    public static void Run(string[] arguments)
    {
        var device = Device.Parse(arguments.ElementAtOrDefault(1) ?? "cpu");
        Engine.Require(device);
        Engine.Threads = int.Parse(arguments.ElementAtOrDefault(0) ?? "1");
        Engine.Run(() => Measure(device));
    }

    private static void Measure(Device device)
    {
        using var scope = new TensorScope();
        using var random = new RandomStream(1, device);
        var shapes = Layers.SelectMany(layer => (long[][])[[layer.Item1, layer.Item2], [layer.Item1]]).ToArray();
        Tensor[] New() => [.. shapes.Select(shape => Tensor.Randn(shape, random))];
        var (parameters, gradients, weights, anchors) = (New(), New(), New(), New());
        var named = parameters.Select((tensor, k) => (k.ToString(), tensor)).ToArray();
        Console.WriteLine($"{parameters.Sum(p => p.Elements)} parameters in {parameters.Length} tensors on {device}, {Engine.Threads} thread(s), libtorch {Engine.Version}");
        using var adam = new Adam(named, 1e-4);
        using var ema = new Ema(named, 0.999);
        if (adam.Fused)
        {
            Print("Adam, bridge's loop", () => adam.Step(gradients));
            Print("pull, bridge's loop", () => DirectGradient.AddPull(gradients, 1e-9, weights, parameters, anchors));
        }
        adam.Fused = false;
        Print("Adam, multi-tensor operators", () => adam.Step(gradients));
        Print("pull, multi-tensor operators", () => Foreach.AddcmulInPlace(gradients, weights, Foreach.Sub(parameters, anchors), 1e-9));
        Print("clipping by the norm", () => GradientClipping.ByNorm(gradients, 1));
        Print("moving average", ema.Update);

        // Reading a number waits for the device.
        void Print(string what, Action action) => Console.WriteLine($"  {what,-32}{Clock.Best(15, 100, () =>
        {
            using var inner = new TensorScope();
            action();
        }, () => parameters[^1].Select(0, 0).Item()) * 1e6,10:F1} µs");
    }
}
