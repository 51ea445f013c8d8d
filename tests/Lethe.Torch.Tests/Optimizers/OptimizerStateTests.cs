namespace Lethe.Torch.Tests.Optimizers;

public class OptimizerStateTests
{
    public static TheoryData<string> Names => ["sgd", "momentum", "adam", "amsgrad", "adamw"];

    [TorchTheory]
    [MemberData(nameof(Names))]
    public void An_interrupted_training_goes_on_bit_for_bit(string name)
    {
        var (undisturbed, interrupted) = (Parameters(), Parameters());
        using var whole = Make(name, undisturbed);
        for (var step = 0; step < 20; step++)
            Advance(whole, step);

        using (var first = Make(name, interrupted))
        {
            for (var step = 0; step < 9; step++)
                Advance(first, step);
            var saved = new StateWriter();
            first.Save(saved, "optimizer.");
            using var second = Make(name, interrupted);
            second.Load(new StateReader(saved.Tensors, saved.Values), "optimizer.");
            Assert.Equal(9, second.Steps);
            Assert.Equal(first.LearningRate, second.LearningRate);
            for (var step = 9; step < 20; step++)
                Advance(second, step);
        }
        foreach (var (expected, actual) in undisturbed.Zip(interrupted))
            Assert.Equal(expected.Tensor.ToArray<float>(), actual.Tensor.ToArray<float>());
    }

    [TorchFact]
    public void The_bridges_loop_and_multi_tensor_operators_agree()
    {
        foreach (var name in (string[])["adam", "amsgrad", "adamw"])
        {
            var (one, two) = (Parameters(), Parameters());
            using var fused = (AdamFamily)Make(name, one);
            using var foreachOperators = (AdamFamily)Make(name, two);
            Assert.True(fused.Fused);
            foreachOperators.Fused = false;
            for (var step = 0; step < 30; step++)
            {
                Advance(fused, step);
                Advance(foreachOperators, step);
            }
            foreach (var (a, b) in one.Zip(two))
                Assert.InRange((a.Tensor - b.Tensor).Abs().Max().Item(), 0, 2e-6);
        }
    }

    [TorchFact]
    public void Several_threads_give_the_numbers_of_one()
    {
        // 300,000 elements are above libtorch's grain, so that the loop is split.
        var before = Engine.Threads;
        try
        {
            float[][] results = [.. ((int[])[1, 2]).Select(threads =>
            {
                Engine.Threads = threads;
                using var random = new RandomStream(8);
                var parameter = Tensor.Randn([300, 1000], random);
                using var adam = new Adam([("w", parameter)], 0.01);
                for (var step = 0; step < 3; step++)
                    adam.Step([Tensor.Randn([300, 1000], random)]);
                return parameter.ToArray<float>();
            })];
            Assert.Equal(results[0], results[1]);
        }
        finally
        {
            Engine.Threads = before;
        }
    }

    [TorchFact]
    public void Gradients_that_are_not_contiguous_are_taken_as_they_are_meant()
    {
        var (one, two) = (Tensor.Ones([3, 2]), Tensor.Ones([3, 2]));
        var gradient = Tensor.FromArray([1f, 2, 3, 4, 5, 6], 2, 3);
        using var a = new Adam([("w", one)], 0.1);
        using var b = new Adam([("w", two)], 0.1);
        a.Step([gradient.T()]);
        b.Step([gradient.T().Contiguous()]);
        Assert.Equal(two.ToArray<float>(), one.ToArray<float>());
    }

    [TorchFact]
    public void Other_element_types_are_optimized_too()
    {
        foreach (var type in (DType[])[DType.Float64, DType.BFloat16])
        {
            var parameter = Tensor.Ones([4], type);
            using var adam = new Adam([("w", parameter)], 0.125);
            Assert.False(adam.Fused);
            adam.Step([Tensor.Ones([4], type)]);
            Assert.Equal(0.875, parameter.Mean().Item(), 1e-6);
        }
    }

    [TorchFact]
    public void A_state_of_another_plan_is_refused_by_name()
    {
        using var adam = new Adam([("w", Tensor.Ones([4]))], 0.1);
        using var sgd = new Sgd([("w", Tensor.Ones([4]))], 0.1);
        using var wider = new Adam([("w", Tensor.Ones([5]))], 0.1);
        var saved = new StateWriter();
        sgd.Save(saved, "");
        Assert.Contains("'exp_avg.w'", Assert.Throws<BadInputException>(() => adam.Load(new StateReader(saved.Tensors, saved.Values), "")).Message, StringComparison.Ordinal);
        saved = new StateWriter();
        wider.Save(saved, "");
        Assert.Contains("float32[5] where float32[4]", Assert.Throws<BadInputException>(() => adam.Load(new StateReader(saved.Tensors, saved.Values), "")).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Misuse_is_refused_with_a_reason()
    {
        var w = Tensor.Ones([4]);
        (string, Tensor)[] parameters = [("w", w)];
        using var sgd = new Sgd(parameters, 0.1);
        Assert.Contains("'w'", Assert.Throws<InvalidOperationException>(sgd.Step).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => sgd.Step([]));
        Assert.Throws<ArgumentException>(() => new Sgd([], 0.1));
        Assert.Throws<ArgumentException>(() => new Sgd([.. parameters, .. parameters], 0.1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd(parameters, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd(parameters, 0.1, momentum: 1));
        Assert.Throws<ArgumentException>(() => new Sgd(parameters, 0.1, nesterov: true));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(parameters, 0.1, beta1: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(parameters, double.NaN));
        using var adam = new Adam(parameters, 0.1);
        Assert.Throws<TorchException>(() => adam.Step([Tensor.Ones([3])]));
    }

    [TorchFact]
    public void Clearing_gradients_leaves_none()
    {
        var w = Tensor.Ones([4]);
        w.RequiresGrad = true;
        using var sgd = new Sgd([("w", w)], 0.5);
        w.Sum().Backward();
        sgd.Step();
        Assert.Equal([0.5f, 0.5f, 0.5f, 0.5f], w.ToArray<float>());
        sgd.ZeroGrad();
        Assert.Null(w.Grad);
    }

    [TorchFact]
    public void A_change_under_a_recorded_graph_is_noticed()
    {
        var w = Tensor.Ones([4]);
        w.RequiresGrad = true;
        using var adam = new Adam([("w", w)], 0.1);
        var loss = w.Square().Sum();
        adam.Step([Tensor.Ones([4])]);
        Assert.Contains("modified by an inplace operation", Assert.Throws<TorchException>(() => loss.Backward()).Message, StringComparison.Ordinal);
    }

    private static (string Name, Tensor Tensor)[] Parameters()
    {
        using var random = new RandomStream(6);
        return [("layer.weight", Tensor.Randn([37, 11], random)), ("layer.bias", Tensor.Randn([37], random)), ("scale", Tensor.Randn([1], random))];
    }

    private static Optimizer Make(string name, (string, Tensor)[] parameters) => name switch
    {
        "sgd" => new Sgd(parameters, 0.05, weightDecay: 0.01),
        "momentum" => new Sgd(parameters, 0.05, momentum: 0.9, nesterov: true),
        "adam" => new Adam(parameters, 0.02, weightDecay: 0.1),
        "amsgrad" => new Adam(parameters, 0.02, amsGrad: true),
        _ => new AdamW(parameters, 0.02, weightDecay: 0.1),
    };

    // Gradients that depend on the parameters and the step alone.
    private static void Advance(Optimizer optimizer, int step)
    {
        using var scope = new TensorScope();
        optimizer.LearningRate = 0.01 + 0.001 * step;
        optimizer.Step([.. optimizer.Parameters.Select(parameter => (parameter * 3 + step).Sin())]);
    }
}
