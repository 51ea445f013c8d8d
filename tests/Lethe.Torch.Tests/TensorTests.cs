namespace Lethe.Torch.Tests;

public class TensorTests
{
    [TorchFact]
    public void Elements_go_in_and_come_back()
    {
        var tensor = Tensor.FromArray([1f, 2, 3, 4, 5, 6], 2, 3);
        Assert.Equal([2, 3], tensor.Shape.ToArray());
        Assert.Equal(DType.Float32, tensor.DType);
        Assert.Equal([1f, 4, 2, 5, 3, 6], tensor.T().Contiguous().ToArray<float>());
        Assert.Equal([1f, 4, 2, 5, 3, 6], tensor.T().ToArray<float>());
    }

    [TorchFact]
    public void The_gradient_of_a_square_is_twice_the_value()
    {
        var x = Tensor.FromArray([3.0, -2.0]);
        x.RequiresGrad = true;
        x.Square().Sum().Backward();
        Assert.Equal([6.0, -4.0], x.Grad!.ToArray<double>());
    }

    [TorchFact]
    public void An_error_names_the_operator_shapes_and_element_types()
    {
        var a = Tensor.Zeros([2, 3]);
        var b = Tensor.Zeros([2, 3], DType.Float64);
        var error = Assert.Throws<TorchException>(() => a.Mm(b));
        Assert.Contains("aten::mm(float32[2, 3], float64[2, 3])", error.Message, StringComparison.Ordinal);
    }
}
