namespace Lethe.Torch.Tests.Modules;

public class ModuleTests
{
    [TorchFact]
    public void Gradients_of_modules_are_their_slopes()
    {
        using var random = new RandomStream(3);
        const DType Double = DType.Float64;
        Verify(new Linear(3, 2, random, type: Double), 2, 3);
        Verify(new Linear(3, 2, random, bias: false, type: Double), 2, 3);
        Verify(new Conv2d(2, 2, 3, random, padding: 1, type: Double), 1, 2, 3, 3);
        Verify(new BatchNorm2d(2, type: Double), 3, 2, 2, 2);
        Verify(new LayerNorm(4, type: Double), 2, 4);
        Verify(new LayerNorm(4, affine: false), 2, 4);
        Verify(new RmsNorm(4, type: Double), 2, 4);
        Verify(new GroupNorm(2, 4, type: Double), 2, 4, 2);
        Verify(new Sequential(new Linear(3, 4, random, type: Double), new Activation(ActivationKind.Silu), new Linear(4, 2, random, type: Double)), 2, 3);
        Verify(new AvgPool2d(2), 1, 2, 4, 4);
        using var attention = new MultiHeadAttention(4, 2, random, type: Double);
        var (x, y) = (Tensor.Randn([1, 3, 4], random, Double), Tensor.Randn([1, 2, 4], random, Double));
        GradientCheck.Verify(() => attention.Forward(x, causal: true), [x, .. attention.Parameters()]);
        GradientCheck.Verify(() => attention.Forward(x, y, y.Square()), [x, y, .. attention.Parameters()]);
        using var table = new Embedding(4, 3, random, Double);
        var indexes = Tensor.FromArray([1L, 1, 3]);
        GradientCheck.Verify(() => table.Forward(indexes).Square(), table.Parameters());

        void Verify(Layer layer, params long[] shape)
        {
            using (layer)
            {
                var input = Tensor.Randn(shape, random, Double);
                GradientCheck.Verify(() => layer.Forward(input), [input, .. layer.Parameters()]);
            }
        }
    }

    [TorchFact]
    public void Batch_norm_normalises_by_the_batch_in_training_and_by_running_statistics_in_evaluation()
    {
        using var random = new RandomStream(3);
        using var layer = new BatchNorm2d(2);
        var x = Tensor.Randn([64, 2, 4, 4], random) * 3 + 5;
        for (var k = 0; k < 100; k++)
            layer.Forward(x);
        Assert.InRange(layer.Forward(x).Mean().Item(), -1e-5, 1e-5);
        layer.Eval();
        var y = layer.Forward(x);
        Assert.InRange(y.Std().Item(), 0.99, 1.01);
        Assert.Equal(101, layer.NamedBuffers().Single(entry => entry.Name == "num_batches_tracked").Tensor.Item());
        // One image is normalised like the many in evaluation.
        Assert.InRange((layer.Forward(x.Narrow(0, 0, 1)) - y.Narrow(0, 0, 1)).Abs().Max().Item(), 0, 1e-6);
    }

    [TorchFact]
    public void Rms_norm_divides_by_the_root_mean_square()
    {
        using var layer = new RmsNorm(2, epsilon: 0);
        var y = layer.Forward(Tensor.FromArray([3f, 4], 1, 2));
        Assert.Equal(3 / Math.Sqrt(12.5), y.Select(1, 0).Item(), 1e-6);
        using var half = new RmsNorm(2, type: DType.BFloat16);
        Assert.Equal(DType.BFloat16, half.Forward(Tensor.FromArray([3f, 4]).To(DType.BFloat16)).DType);
    }

    [TorchFact]
    public void Dropout_keeps_the_mean_and_does_nothing_in_evaluation()
    {
        using var random = new RandomStream(3);
        var layer = new Dropout(0.25, random);
        var x = Tensor.Ones([100, 100]);
        var y = layer.Forward(x);
        Assert.InRange(y.Eq(0).To(DType.Float32).Mean().Item(), 0.23, 0.27);
        Assert.InRange(y.Max().Item() - 4.0 / 3, -1e-6, 1e-6);
        Assert.InRange(y.Mean().Item(), 0.98, 1.02);
        layer.Eval();
        Assert.Same(x, layer.Forward(x));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Dropout(1, random));
    }

    [TorchFact]
    public void Dropout_is_repeated_by_restoring_its_stream()
    {
        using var random = new RandomStream(3);
        var layer = new Dropout(0.5, random);
        var x = Tensor.Ones([100]);
        var state = random.State();
        var expected = layer.Forward(x).ToArray<float>();
        Assert.NotEqual(expected, layer.Forward(x).ToArray<float>());
        random.Restore(state);
        Assert.Equal(expected, layer.Forward(x).ToArray<float>());
    }

    [TorchFact]
    public void Dropout_of_channels_drops_whole_channels()
    {
        using var random = new RandomStream(3);
        var layer = new Dropout2d(0.5, random);
        var sums = layer.Forward(Tensor.Ones([20, 30, 4, 4])).Sum([2, 3]);
        Assert.True(sums.Eq(0).LogicalOr(sums.Eq(32)).All().Item() == 1);
        Assert.InRange(sums.Eq(0).To(DType.Float32).Mean().Item(), 0.43, 0.57);
    }

    [TorchFact]
    public void Attention_by_libtorch_and_by_the_formula_are_the_same()
    {
        using var random = new RandomStream(3);
        var (q, k, v) = (Tensor.Randn([2, 3, 5, 4], random), Tensor.Randn([2, 3, 5, 4], random), Tensor.Randn([2, 3, 5, 6], random));
        var mask = Tensor.Rand([5, 5], random).Gt(0.5).LogicalOr(Tensor.Eye(5, DType.Bool));
        var bias = Tensor.Randn([5, 5], random);
        foreach (var (m, causal) in new[] { (null, false), (null, true), (mask, false), ((Tensor?)bias, false) })
            Assert.InRange((Attention.ScaledDotProduct(q, k, v, m, causal) - Attention.Plain(q, k, v, m, causal)).Abs().Max().Item(), 0, 1e-6);
        Assert.Throws<ArgumentException>(() => Attention.ScaledDotProduct(q, k, v, mask, causal: true));
    }

    [TorchFact]
    public void Masked_pairs_take_no_part_in_attention()
    {
        using var random = new RandomStream(3);
        var (q, k, v) = (Tensor.Randn([1, 3, 4], random), Tensor.Randn([1, 3, 4], random), Tensor.Randn([1, 3, 2], random));
        // The first position sees itself alone, so its result is its own value.
        Assert.InRange((Attention.ScaledDotProduct(q, k, v, causal: true).Select(1, 0) - v.Select(1, 0)).Abs().Max().Item(), 0, 1e-6);
        var onlyLast = Tensor.FromArray([false, false, true]).Expand(3, 3);
        Assert.InRange((Attention.ScaledDotProduct(q, k, v, onlyLast) - v.Narrow(1, 2, 1)).Abs().Max().Item(), 0, 1e-6);
        Assert.InRange((Attention.Plain(q, k, v, onlyLast, false) - v.Narrow(1, 2, 1)).Abs().Max().Item(), 0, 1e-6);
    }

    [TorchFact]
    public void Heads_must_divide_the_size()
    {
        using var random = new RandomStream(3);
        Assert.Throws<ArgumentException>(() => new MultiHeadAttention(8, 3, random));
    }

    [TorchFact]
    public void Names_are_those_of_pytorch()
    {
        using var random = new RandomStream(3);
        using var model = new Sequential(new Linear(2, 3, random), new Activation(ActivationKind.Relu), new Sequential(new BatchNorm2d(3)));
        Assert.Equal(["0.weight", "0.bias", "2.0.weight", "2.0.bias"], model.NamedParameters().Select(entry => entry.Name));
        Assert.Equal(["2.0.running_mean", "2.0.running_var", "2.0.num_batches_tracked"], model.NamedBuffers().Select(entry => entry.Name));
        Assert.Equal(15, model.ParameterCount());
        using var attention = new MultiHeadAttention(4, 2, random);
        Assert.Equal(["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"], attention.NamedParameters().Select(entry => entry.Name));
    }

    [TorchFact]
    public void A_state_is_loaded_exactly_and_a_wrong_one_is_refused_by_name()
    {
        using var random = new RandomStream(3);
        using var source = new Sequential(new Linear(2, 3, random), new BatchNorm2d(3));
        using var target = new Sequential(new Linear(2, 3, random), new BatchNorm2d(3));
        var state = source.StateDict();
        target.LoadStateDict(state);
        Assert.All(target.StateDict(), entry => Assert.Equal(state[entry.Key].Bytes.ToArray(), entry.Value.Bytes.ToArray()));

        Assert.Contains("'0.bias'", Refused(new(state.Where(entry => entry.Key != "0.bias"))), StringComparison.Ordinal);
        Assert.Contains("'head.weight'", Refused(new(state) { ["head.weight"] = state["0.bias"] }), StringComparison.Ordinal);
        Assert.Contains("[2, 3]", Refused(new(state) { ["0.weight"] = Tensor.Zeros([2, 3]).ToHost() }), StringComparison.Ordinal);

        string Refused(Dictionary<string, HostArray> wrong) => Assert.Throws<BadInputException>(() => target.LoadStateDict(wrong)).Message;
    }

    [TorchFact]
    public void A_moved_module_keeps_its_tensors_values_and_gradients()
    {
        using var random = new RandomStream(3);
        var before = Tensor.Live;
        using (var model = new Sequential(new Linear(2, 3, random), new BatchNorm2d(3)))
        {
            model.Layers[1].RequiresGrad(false);
            var (parameters, state) = (model.Parameters(), model.StateDict());
            model.To(Device.Cpu);
            Assert.All(parameters.Zip(model.Parameters()), pair => Assert.Same(pair.First, pair.Second));
            Assert.Equal([true, true, false, false], parameters.Select(parameter => parameter.RequiresGrad));
            Assert.All(model.StateDict(), entry => Assert.Equal(state[entry.Key].Bytes.ToArray(), entry.Value.Bytes.ToArray()));
        }
        Assert.Equal(before, Tensor.Live);
    }

    [TorchFact]
    public void A_tensor_that_becomes_another_has_its_shape_and_values()
    {
        var before = Tensor.Live;
        var (a, b) = (Tensor.Ones([2]), Tensor.Zeros([3, 1]));
        Assert.Equal(2, a.Elements);
        a.Become(b);
        Assert.True(b.IsDisposed);
        Assert.Equal([3, 1], a.Shape.ToArray());
        Assert.Equal(0, a.Sum().Item());
        a.Dispose();
        Assert.Equal(before + 1, Tensor.Live);
    }

    [TorchFact]
    public void Training_mode_and_gradients_reach_all_parts_and_disposing_frees_all()
    {
        var before = Tensor.Live;
        using (var random = new RandomStream(3))
        {
            var inner = new BatchNorm2d(2);
            using var model = new Sequential(new Linear(2, 2, random), inner);
            model.Eval();
            Assert.False(inner.Training);
            model.Train();
            Assert.True(inner.Training);
            model.RequiresGrad(false);
            Assert.All(model.Parameters(), parameter => Assert.False(parameter.RequiresGrad));
            Assert.Equal(before + 7, Tensor.Live);
        }
        Assert.Equal(before, Tensor.Live);
    }
}
