namespace Lethe.Torch.Tests.Modules;

/// <summary>Modules against torch.nn: initial values from the same seed, names, outputs, gradients, statistics.</summary>
public class GoldenModuleTests
{
    private static readonly Dictionary<string, HostArray> Fixture = Golden.Read("modules", "golden.safetensors");

    private static readonly Dictionary<string, (Func<RandomStream, Module> Make, Func<Module, Tensor, Tensor> Forward)> Cases = new()
    {
        ["linear"] = (random => new Linear(4, 3, random), Layer),
        ["conv"] = (random => new Conv2d(4, 6, 3, random, stride: 2, padding: 1, groups: 2), Layer),
        ["batchnorm"] = (_ => new BatchNorm2d(3), Layer),
        ["layernorm"] = (_ => new LayerNorm(6), Layer),
        ["groupnorm"] = (_ => new GroupNorm(2, 4), Layer),
        ["embedding"] = (random => new Embedding(5, 3, random), Layer),
        ["attention"] = (random => new MultiHeadAttention(8, 2, random), (module, x) => ((MultiHeadAttention)module).Forward(x)),
        ["causal"] = (random => new MultiHeadAttention(8, 2, random), (module, x) => ((MultiHeadAttention)module).Forward(x, causal: true)),
        ["sequential"] = (random => new Sequential(new Conv2d(1, 2, 3, random), new Activation(ActivationKind.Relu), new MaxPool2d(2), new Flatten(), new Linear(8, 3, random), new LayerNorm(3)), Layer),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [TorchTheory]
    [MemberData(nameof(Names))]
    public void The_module_is_that_of_pytorch(string name)
    {
        using var random = new RandomStream(7);
        var (make, forward) = Cases[name];
        using var module = make(random);
        foreach (var (key, array) in module.StateDict())
            AssertClose($"{name}.init.{key}", Tensor.From(array), 1e-7);
        Assert.Equal(Fixture.Keys.Count(key => key.StartsWith(name + ".init.", StringComparison.Ordinal)), module.StateDict().Count);

        var x = Tensor.From(Fixture[name + ".input"]);
        x.RequiresGrad = x.DType.IsFloatingPoint();
        var y = forward(module, x);
        AssertClose(name + ".output", y, 2e-6);
        (y * Tensor.Arange(0, y.Elements, type: DType.Float32).Cos().View(y.Shape.ToArray())).Sum().Backward();
        if (x.RequiresGrad)
            AssertClose(name + ".grad.input", x.Grad!, 2e-6);
        foreach (var (key, parameter) in module.NamedParameters())
            AssertClose($"{name}.grad.{key}", parameter.Grad!, 1e-5);
        foreach (var (key, buffer) in module.NamedBuffers())
            AssertClose($"{name}.after.{key}", buffer, 1e-6);
    }

    private static Tensor Layer(Module module, Tensor x) => ((Layer)module).Forward(x);

    private static void AssertClose(string name, Tensor actual, double tolerance)
    {
        var expected = Tensor.From(Fixture[name]);
        Assert.Equal(expected.Shape.ToArray(), actual.Shape.ToArray());
        Assert.Equal(expected.DType, actual.DType);
        var difference = (actual.Detach().To(DType.Float64) - expected.To(DType.Float64)).Abs().Max().Item();
        Assert.True(difference <= tolerance, $"{name} differs by {difference}, allowed is {tolerance}");
    }
}
