namespace Lethe.Torch.Tests;

public class AutogradTests
{
    [TorchFact]
    public void The_gradient_of_a_square_is_twice_the_value()
    {
        var x = Leaf(3, -2);
        x.Square().Sum().Backward();
        Assert.Equal([6.0, -4.0], x.Grad!.ToArray<double>());
    }

    [TorchFact]
    public void Gradients_of_a_second_backward_are_added_until_they_are_cleared()
    {
        var x = Leaf(3, -2);
        Assert.Null(x.Grad);
        x.Square().Sum().Backward();
        x.Square().Sum().Backward();
        Assert.Equal([12.0, -8.0], x.Grad!.ToArray<double>());
        x.Grad = null;
        Assert.Null(x.Grad);
    }

    [TorchFact]
    public void The_gradient_of_a_quadratic_form_is_the_symmetric_matrix_times_the_vector()
    {
        using var random = new RandomStream(2);
        var a = Tensor.Randn([4, 4], random, DType.Float64);
        var x = Tensor.Randn([4], random, DType.Float64);
        x.RequiresGrad = true;
        var gradient = Autograd.Grad([x.Dot(a.MatMul(x))], [x])[0];
        Assert.InRange((gradient - (a + a.T()).MatMul(x)).Abs().Max().Item(), 0, 1e-13);
        Assert.Null(x.Grad);
    }

    [TorchFact]
    public void The_gradient_of_cross_entropy_is_probability_minus_truth()
    {
        using var random = new RandomStream(2);
        var logits = Tensor.Randn([3, 4], random, DType.Float64);
        logits.RequiresGrad = true;
        logits.CrossEntropyLoss(Tensor.FromArray([1L, 0, 3]), Reduction.Sum).Backward();
        var truth = Tensor.Zeros([3, 4], DType.Float64).ScatterInPlace(1, Tensor.FromArray([1L, 0, 3], 3, 1), 1);
        Assert.InRange((logits.Grad! - (logits.Detach().Softmax(1) - truth)).Abs().Max().Item(), 0, 1e-15);
    }

    [TorchFact]
    public void Gradients_are_weighted_by_those_of_the_outputs()
    {
        var x = Leaf(3, -2);
        var gradient = Autograd.Grad([x.Square()], [x], [Tensor.FromArray([10.0, 1])])[0];
        Assert.Equal([60.0, -4], gradient.ToArray<double>());
    }

    [TorchFact]
    public void Gradients_of_gradients_can_be_taken()
    {
        var x = Leaf(3, -2);
        var first = Autograd.Grad([x.Pow(3).Sum()], [x], createGraph: true)[0];
        Assert.Equal([18.0, -12], Autograd.Grad([first.Sum()], [x])[0].ToArray<double>());
        x.Pow(3).Sum().Backward(createGraph: true);
        Assert.True(x.Grad!.RequiresGrad);
        x.Grad = null;
    }

    [TorchFact]
    public void A_graph_is_used_once_unless_it_is_retained()
    {
        var x = Leaf(3, -2);
        var loss = x.Square().Sum();
        loss.Backward(retainGraph: true);
        loss.Backward();
        Assert.Equal([12.0, -8.0], x.Grad!.ToArray<double>());
        Assert.Throws<TorchException>(() => loss.Backward());
    }

    [TorchFact]
    public void An_input_without_a_part_in_the_output_is_an_error()
    {
        var (x, y) = (Leaf(1), Leaf(2));
        Assert.Throws<TorchException>(() => Autograd.Grad([x.Square().Sum()], [y]));
        Assert.Throws<TorchException>(() => Tensor.Ones([1]).Backward());
        var error = Assert.Throws<TorchException>(() => Leaf(1, 2).Square().Backward());
        Assert.Equal("backward(float64[2])", error.Operation);
    }

    [TorchFact]
    public void Whole_numbers_have_no_gradients() =>
        Assert.Throws<TorchException>(() => Tensor.FromArray([1L]).RequiresGrad = true);

    [TorchFact]
    public void A_gradient_must_fit_its_tensor()
    {
        var x = Leaf(3, -2);
        Assert.Throws<TorchException>(() => x.Grad = Tensor.Ones([3], DType.Float64));
        Assert.Throws<TorchException>(() => x.Grad = Tensor.Ones([2], DType.Float32));
        x.Grad = Tensor.Ones([2], DType.Float64);
        Assert.Equal([1.0, 1], x.Grad!.ToArray<double>());
    }

    [TorchFact]
    public void Grad_mode_comes_back_even_after_an_exception()
    {
        var x = Leaf(1);
        Assert.True(Autograd.Enabled);
        using (Autograd.NoGrad())
        {
            Assert.False(Autograd.Enabled);
            Assert.False(x.Square().RequiresGrad);
            using (Autograd.EnableGrad())
                Assert.True(x.Square().RequiresGrad);
            Assert.False(Autograd.Enabled);
        }
        Assert.True(Autograd.Enabled);
        Assert.Throws<TorchException>(() =>
        {
            using var noGrad = Autograd.NoGrad();
            x.Mm(x);
        });
        Assert.True(Autograd.Enabled);
        Assert.True(x.Square().RequiresGrad);
    }

    [TorchFact]
    public void A_detached_tensor_has_no_part_in_the_gradient()
    {
        var x = Leaf(3, -2);
        Assert.False(x.Detach().RequiresGrad);
        Assert.Equal([3.0, -2.0], Autograd.Grad([(x * x.Detach()).Sum()], [x])[0].ToArray<double>());
    }

    [TorchFact]
    public void A_leaf_that_collects_gradients_cannot_be_changed_in_place_while_recording() =>
        Assert.Throws<TorchException>(() => Leaf(1).AddInPlace(1));

    private static Tensor Leaf(params double[] values)
    {
        var x = Tensor.FromArray(values);
        x.RequiresGrad = true;
        return x;
    }
}
