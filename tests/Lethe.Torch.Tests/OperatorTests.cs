using Lethe.Torch.Native;

namespace Lethe.Torch.Tests;

public unsafe class OperatorTests
{
    private static readonly Operator Mm = new("aten::mm");
    private static readonly Operator Sum = new("aten::sum", "dim_IntList");
    private static readonly Operator MaxPool = new("aten::max_pool2d");

    [Fact]
    public void Structures_have_the_same_size_on_both_sides() => Engine.Run(() =>
    {
        Assert.Equal(sizeof(NativeValue), Bridge.ValueSize());
        Assert.Equal(sizeof(NativeDescription), Bridge.DescriptionSize());
        Assert.Equal(sizeof(NativeAdamStep), Bridge.AdamStepSize());
    });

    [TorchFact]
    public void An_error_names_the_operator_shapes_and_element_types()
    {
        var error = Assert.Throws<TorchException>(() => Tensor.Zeros([2, 3]).Mm(Tensor.Zeros([2, 3], DType.Float64)));
        Assert.Equal("aten::mm(float32[2, 3], float64[2, 3])", error.Operation);
        Assert.NotEmpty(error.Reason);
        Assert.DoesNotContain("frame #", error.Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void An_error_names_numbers_lists_and_absent_tensors()
    {
        var x = Tensor.Zeros([2]);
        var error = Assert.Throws<TorchException>(() => x.Index(null, x, x, x, x));
        Assert.StartsWith("aten::index.Tensor(float32[2], [none, float32[2], float32[2], float32[2], …])", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<TorchException>(() => x.Sum([5], keep: true));
        Assert.StartsWith("aten::sum.dim_IntList(float32[2], [5], true)", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<TorchException>(() => x.Div(x, "sideways"));
        Assert.Contains("'sideways'", error.Operation, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Too_many_arguments_are_an_error()
    {
        var x = Tensor.Zeros([2, 2]);
        var error = Assert.Throws<TorchException>(() => Mm.Call(x, x, x));
        Assert.Equal("3 arguments given, the operator takes 2", error.Reason);
    }

    [TorchFact]
    public void A_missing_argument_is_named()
    {
        var error = Assert.Throws<TorchException>(() => Mm.Call(Tensor.Zeros([2, 2])));
        Assert.Equal("argument 'mat2' is missing and has no default", error.Reason);
    }

    [TorchFact]
    public void An_argument_of_the_wrong_type_is_named()
    {
        var x = Tensor.Zeros([2, 2]);
        Assert.Equal("argument 'mat2': a value with tag 2 does not fit an argument of type Tensor", Assert.Throws<TorchException>(() => Mm.Call(x, 3)).Reason);
        Assert.StartsWith("argument 'dim':", Assert.Throws<TorchException>(() => Sum.Call(x, "first")).Reason, StringComparison.Ordinal);
        Assert.StartsWith("argument 'keepdim':", Assert.Throws<TorchException>(() => Sum.Call(x, 1, 1)).Reason, StringComparison.Ordinal);
        Assert.StartsWith("argument 'dim':", Assert.Throws<TorchException>(() => Sum.Call(x, new[] { 1.0 })).Reason, StringComparison.Ordinal);
    }

    [TorchFact]
    public void An_operator_that_does_not_exist_says_so_when_it_is_called()
    {
        var op = new Operator("aten::forget_everything");
        Assert.False(op.Exists);
        Assert.Contains("has no such operator", Assert.Throws<TorchException>(() => op.Call()).Reason, StringComparison.Ordinal);
        Assert.Contains("has no such operator", Assert.Throws<TorchException>(() => op.Schema()).Reason, StringComparison.Ordinal);
        Assert.False(new Operator("aten::add", "Nothing").Exists);
        Assert.False(new Operator("without namespace").Exists);
    }

    [TorchFact]
    public void Another_kind_of_result_than_asked_for_is_an_error()
    {
        var x = Tensor.Zeros([2, 2]);
        Assert.Contains("a number was expected", Assert.Throws<TorchException>(() => Mm.CallNumber(x, x)).Reason, StringComparison.Ordinal);
        Assert.Contains("a list of tensors was expected", Assert.Throws<TorchException>(() => Mm.CallList(x, x)).Reason, StringComparison.Ordinal);
        Assert.Contains("returns 2 values, room was made for 1", Assert.Throws<TorchException>(() => new Operator("aten::topk").Call(x, 1)).Reason, StringComparison.Ordinal);
    }

    [TorchFact]
    public void A_result_of_another_kind_does_not_leak()
    {
        var x = Tensor.Zeros([2, 2]);
        var live = Tensor.Live;
        using (new TensorScope())
        {
            Assert.Throws<TorchException>(() => Mm.CallNumber(x, x));
            Assert.Throws<TorchException>(() => Ops.SplitTensor.Call(x, 1));
        }
        Assert.Equal(live, Tensor.Live);
    }

    [TorchFact]
    public void One_number_given_for_a_list_of_fixed_length_stands_for_all_of_its_elements()
    {
        var x = Tensor.Arange(0, 16, type: DType.Float32).View(1, 1, 4, 4);
        Assert.Equal([5f, 7, 13, 15], MaxPool.Call(x, 2).ToArray<float>());
        Assert.Equal([5f, 7, 13, 15], MaxPool.Call(x, new[] { 2L, 2 }).ToArray<float>());
        Assert.Equal([6f, 22, 38, 54], Sum.Call(x.View(4, 4), 1).ToArray<float>());
    }

    [TorchFact]
    public void Long_lists_and_texts_take_the_way_through_the_heap()
    {
        // 1,000 pointers do not fit into the room that a call has on the stack.
        Tensor[] many = [.. Enumerable.Range(0, 1000).Select(k => Tensor.Full([1], k))];
        var joined = Tensor.Cat(many);
        Assert.Equal(1000, joined.Elements);
        Assert.Equal(999.0, joined.Max().Item());
        Assert.Contains(new string('x', 5000), Assert.Throws<TorchException>(() => joined.Div(joined, new string('x', 5000))).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Lists_of_optional_tensors_may_have_gaps()
    {
        var x = Tensor.Arange(0, 12, type: DType.Float32).View(3, 4);
        Assert.Equal([1f, 3, 5, 7, 9, 11], x.Index(null, Tensor.FromArray([1L, 3])).ToArray<float>());
        Assert.Equal([3f, 11], x.Index(Tensor.FromArray([0L, 2]), Tensor.FromArray([3L, 3])).ToArray<float>());
    }

    [TorchFact]
    public void Lists_of_results_come_back_in_order()
    {
        var parts = Tensor.Arange(0, 7).Split(3);
        Assert.Equal(3, parts.Length);
        Assert.Equal([6L], parts[2].ToArray<long>());
        var sorted = Tensor.FromArray([3.0, 1, 2]).Sort(descending: true);
        Assert.Equal([3.0, 2, 1], sorted[0].ToArray<double>());
        Assert.Equal([0L, 2, 1], sorted[1].ToArray<long>());
    }

    [TorchFact]
    public void A_result_may_be_absent()
    {
        // Only the first of three gradients is asked for.
        var x = Tensor.Ones([1, 1, 2, 2]);
        var weight = Tensor.Ones([1, 1, 1, 1]);
        var backward = new Operator("aten::convolution_backward");
        var gradients = backward.CallMany(x, x, weight, Value.None, new[] { 1L, 1 }, new[] { 0L, 0 }, new[] { 1L, 1 }, false, new[] { 0L, 0 }, 1, new[] { true, false, false });
        Assert.Equal(3, gradients.Length);
        Assert.NotNull(gradients[0]);
        Assert.Null(gradients[1]);
        Assert.Null(gradients[2]);
    }

    [TorchFact]
    public void The_schema_is_that_of_libtorch() =>
        Assert.Equal("aten::mm(Tensor self, Tensor mat2) -> Tensor", Mm.Schema());
}
