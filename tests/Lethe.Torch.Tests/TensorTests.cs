namespace Lethe.Torch.Tests;

public class TensorTests
{
    [TorchFact]
    public void Elements_go_in_and_come_back()
    {
        var tensor = Tensor.FromArray([1f, 2, 3, 4, 5, 6], 2, 3);
        Assert.Equal([2, 3], tensor.Shape.ToArray());
        Assert.Equal(DType.Float32, tensor.DType);
        Assert.Equal(Device.Cpu, tensor.Device);
        Assert.Equal(6, tensor.Elements);
        Assert.Equal(3, tensor.Size(-1));
        Assert.Equal([1f, 4, 2, 5, 3, 6], tensor.T().Contiguous().ToArray<float>());
        Assert.Equal([1f, 4, 2, 5, 3, 6], tensor.T().ToArray<float>());
    }

    [TorchFact]
    public void Every_element_type_goes_through_host_arrays()
    {
        foreach (var type in Enum.GetValues<DType>())
        {
            var there = Tensor.FromArray([1L, 0, 1]).To(type);
            var host = there.ToHost();
            Assert.Equal(type, host.Type);
            Assert.Equal(3 * type.Size(), host.Bytes.Length);
            Assert.Equal([1L, 0, 1], Tensor.From(host).To(DType.Int64).ToArray<long>());
            Assert.Equal(type, Tensor.From(host).DType);
        }
    }

    [TorchFact]
    public void An_array_without_a_shape_has_one_dimension_even_with_one_element()
    {
        Assert.Equal([1], Tensor.FromArray([7L]).Shape.ToArray());
        Assert.Equal([0], Tensor.FromArray(Array.Empty<float>()).Shape.ToArray());
        Assert.Empty(Tensor.Full([], 7).Shape.ToArray());
    }

    [TorchFact]
    public void Empty_tensors_and_scalars_go_through_host_arrays()
    {
        Assert.Empty(Tensor.Zeros([0, 3]).ToHost().Bytes.ToArray());
        Assert.Equal([0, 3], Tensor.From(Tensor.Zeros([0, 3]).ToHost()).Shape.ToArray());
        Assert.Empty(Tensor.From(Tensor.Full([], 2.5).ToHost()).Shape.ToArray());
        Assert.Equal(2.5, Tensor.From(Tensor.Full([], 2.5).ToHost()).Item());
    }

    [TorchFact]
    public void The_tensor_is_a_copy_of_the_array()
    {
        float[] values = [1, 2];
        var tensor = Tensor.FromArray(values);
        values[0] = 9;
        Assert.Equal([1f, 2], tensor.ToArray<float>());
    }

    [TorchFact]
    public void Values_that_do_not_fill_a_shape_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Tensor.FromArray([1f, 2, 3], 2, 2));
        Assert.Throws<ArgumentException>(() => Tensor.From(new HostArray(DType.Float32, [2], new byte[4])));
        Assert.Throws<InvalidOperationException>(() => Tensor.Zeros([2]).ToArray<double>());
    }

    [TorchFact]
    public void Whole_tensors_stay_whole_with_whole_numbers_and_become_real_with_real_ones()
    {
        var labels = Tensor.FromArray([1L, 2]);
        Assert.Equal([2L, 3], (labels + 1).ToArray<long>());
        Assert.Equal([9L, 8], (10 - labels).ToArray<long>());
        Assert.Equal([3L, 6], (labels * 3).ToArray<long>());
        Assert.Equal([2L, 4], labels.Add(labels).ToArray<long>());
        Assert.Equal([5L, 10], labels.Add(labels, 4).ToArray<long>());
        Assert.Equal([2L, 2], labels.Clone().ClampInPlace(2).ToArray<long>());
        Assert.Equal([7L, 2], labels.MaskedFill(labels.Eq(1), 7).ToArray<long>());
        Assert.Equal(DType.Float32, (labels + 0.5).DType);
        // 2⁵³ + 1 is no float64.
        var large = Tensor.FromArray([9007199254740993L]);
        Assert.Equal([9007199254740994L], (large + 1).ToArray<long>());
        Assert.Equal([true], large.Eq(9007199254740993L).ToArray<bool>());
        Assert.Equal([false], large.Eq(9007199254740992L).ToArray<bool>());
    }

    [TorchFact]
    public void Operators_in_place_return_the_tensor_itself()
    {
        var x = Tensor.Ones([2]);
        Assert.Same(x, x.AddInPlace(1).MulInPlace(x));
        Assert.Equal([4f, 4], x.ToArray<float>());
    }

    [TorchFact]
    public void Comparisons_reductions_and_choices_give_what_they_say()
    {
        var x = Tensor.FromArray([1.0, -2, 3, 0], 2, 2);
        Assert.Equal([true, false, true, false], x.Gt(0).ToArray<bool>());
        Assert.Equal([true, false, true, true], x.Ge(0).ToArray<bool>());
        Assert.Equal([false, true, false, false], x.Lt(0).ToArray<bool>());
        Assert.Equal([false, true, false, true], x.Le(0).ToArray<bool>());
        Assert.Equal([true, true, true, false], x.Ne(0).ToArray<bool>());
        Assert.Equal([0L, 0], x.Argmax(1).ToArray<long>());
        Assert.Equal([0L, 0, 0, 1, 1, 0], x.Nonzero().ToArray<long>());
        Assert.Equal([1.0, 0, 1, 0], x.Gt(0).LogicalAnd(x.Ne(0)).To(DType.Float64).ToArray<double>());
        Assert.Equal([1.0, -1, 3, -1], x.Where(x.Gt(0), Tensor.Full([], -1, DType.Float64)).ToArray<double>());
        Assert.False(x.Gt(0).All().ToArray<bool>()[0]);
        Assert.True(x.Gt(0).LogicalNot().Any().ToArray<bool>()[0]);
        Assert.Equal([true, false, false], (Tensor.FromArray([1.0, 0, -1]) / 0).IsFinite().LogicalNot().LogicalAnd(Tensor.FromArray([true, false, false])).ToArray<bool>());
    }

    [TorchFact]
    public void Factorisations_put_together_again_give_the_matrix()
    {
        using var random = new RandomStream(3);
        var a = Tensor.Randn([4, 3], random, DType.Float64);
        var (u, s, vt) = (a.Svd()[0], a.Svd()[1], a.Svd()[2]);
        AssertClose(a, u.Mm(s.Diag()).Mm(vt), 1e-12);
        AssertClose(a, a.Qr()[0].Mm(a.Qr()[1]), 1e-12);
        var symmetric = a.T().Mm(a);
        var (values, vectors) = (symmetric.Eigh()[0], symmetric.Eigh()[1]);
        AssertClose(symmetric, vectors.Mm(values.Diag()).Mm(vectors.T()), 1e-12);
        var lower = symmetric.Cholesky();
        AssertClose(symmetric, lower.Mm(lower.T()), 1e-12);
        AssertClose(Tensor.Eye(3, DType.Float64), symmetric.Mm(symmetric.Solve(Tensor.Eye(3, DType.Float64))), 1e-10);
    }

    [TorchFact]
    public void Half_precision_keeps_what_it_can()
    {
        var x = Tensor.FromArray([1f, 1 + 1f / 512, 70000]);
        Assert.Equal([1f, 1, 70144], x.To(DType.BFloat16).To(DType.Float32).ToArray<float>());
        Assert.Equal([1f, 1 + 1f / 512, float.PositiveInfinity], x.To(DType.Float16).To(DType.Float32).ToArray<float>());
    }

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance) =>
        Assert.InRange((expected - actual).Abs().Max().Item(), 0, tolerance);
}
