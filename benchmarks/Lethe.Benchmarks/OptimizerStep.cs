using Lethe.Torch;

namespace Lethe.Benchmarks;

/// <summary>One step of Adam over the parameters of the paper's VAE (1.08 million numbers): the bridge's loop against multi-tensor operators.</summary>
internal static class OptimizerStep
{
    // (outputs, inputs) of each layer of the conditional VAE; each has a bias.
    private static readonly (long, long)[] Layers = [(512, 794), (256, 522), (8, 266), (8, 266), (256, 18), (512, 266), (784, 522)];

    public static void Run(string[] arguments) => Engine.Run(() =>
    {
        Engine.Threads = arguments.Length > 0 ? int.Parse(arguments[0]) : 1;
        using var scope = new TensorScope();
        using var random = new RandomStream(1);
        var shapes = Layers.SelectMany(layer => (long[][])[[layer.Item1, layer.Item2], [layer.Item1]]).ToArray();
        Tensor[] New() => [.. shapes.Select(shape => Tensor.Randn(shape, random))];
        var (parameters, gradients, weights, anchors) = (New(), New(), New(), New());
        var named = parameters.Select((tensor, k) => (k.ToString(), tensor)).ToArray();
        Console.WriteLine($"{parameters.Sum(p => p.Elements)} parameters in {parameters.Length} tensors, {Engine.Threads} thread(s), libtorch {Engine.Version}");
        using var adam = new Adam(named, 1e-4);
        foreach (var fused in (bool[])[false, true])
        {
            adam.Fused = fused;
            Print(fused ? "Adam, bridge's loop" : "Adam, multi-tensor operators", Clock.Best(10, 50, () => adam.Step(gradients)));
        }
        Print("pull, bridge's loop", Clock.Best(10, 50, () => DirectGradient.AddPull(gradients, 1e-9, weights, parameters, anchors)));
        Print("pull, multi-tensor operators", Clock.Best(10, 50, () =>
        {
            using var inner = new TensorScope();
            Foreach.AddcmulInPlace(gradients, weights, Foreach.Sub(parameters, anchors), 1e-9);
        }));
        Print("clip, nothing to clip", Clock.Best(10, 50, () => GradientClipping.ByNorm(gradients, 1e9).Dispose()));
        Print("clip, scaled", Clock.Best(10, 50, () => GradientClipping.ByNorm(gradients, 1).Dispose()));
        using var ema = new Ema(named, 0.999);
        Print("moving average", Clock.Best(10, 50, ema.Update));
    });

    private static void Print(string what, double seconds) => Console.WriteLine($"  {what,-32}{seconds * 1e6,10:F1} µs");
}
