namespace Lethe.Torch.Tests;

/// <summary>Each differentiable operator against finite differences.</summary>
public class GradientTests
{
    private static readonly Dictionary<string, (long[][] Shapes, Func<Tensor[], Tensor> Function)> Cases = new()
    {
        ["add"] = ([[2, 3], [3]], x => x[0].Add(x[1], 2)),
        ["add number"] = ([[4]], x => x[0] + 3),
        ["sub"] = ([[2, 3], [2, 1]], x => x[0] - x[1]),
        ["sub number"] = ([[4]], x => x[0] - 3),
        ["rsub"] = ([[4]], x => 2.5 - x[0]),
        ["mul"] = ([[2, 3], [3]], x => x[0] * x[1]),
        ["mul number"] = ([[4]], x => -1.5 * x[0]),
        ["div"] = ([[2, 3], [3]], x => x[0] / Positive(x[1])),
        ["div number"] = ([[4]], x => x[0] / 3),
        ["pow"] = ([[4]], x => Positive(x[0]).Pow(1.7)),
        ["neg"] = ([[4]], x => -x[0]),
        ["abs"] = ([[4]], x => x[0].Abs()),
        ["exp"] = ([[4]], x => x[0].Exp()),
        ["log"] = ([[4]], x => Positive(x[0]).Log()),
        ["log1p"] = ([[4]], x => Positive(x[0]).Log1p()),
        ["sqrt"] = ([[4]], x => Positive(x[0]).Sqrt()),
        ["rsqrt"] = ([[4]], x => Positive(x[0]).Rsqrt()),
        ["square"] = ([[4]], x => x[0].Square()),
        ["reciprocal"] = ([[4]], x => Positive(x[0]).Reciprocal()),
        ["sin, cos"] = ([[4]], x => x[0].Sin() * x[0].Cos()),
        ["tanh"] = ([[4]], x => x[0].Tanh()),
        ["sigmoid"] = ([[4]], x => x[0].Sigmoid()),
        ["erf"] = ([[4]], x => x[0].Erf()),
        ["clamp"] = ([[6]], x => x[0].Clamp(-0.5, 0.5)),
        ["maximum, minimum"] = ([[6], [6]], x => x[0].Maximum(x[1]) * x[0].Minimum(x[1]).Exp()),
        ["lerp"] = ([[4], [4]], x => x[0].Lerp(x[1], 0.3)),
        ["addcmul"] = ([[4], [4], [4]], x => x[0].Addcmul(x[1], x[2], 0.7)),
        ["where"] = ([[4], [4]], x => x[0].Where(x[0].Detach().Gt(0), x[1])),
        ["masked_fill"] = ([[4]], x => x[0].MaskedFill(x[0].Detach().Gt(0), 2)),
        ["sum"] = ([[2, 3]], x => x[0].Sum().Square()),
        ["sum over a dimension"] = ([[2, 3]], x => x[0].Sum(1).Square()),
        ["mean"] = ([[2, 3]], x => x[0].Mean().Square()),
        ["mean over dimensions"] = ([[2, 3, 2]], x => x[0].Mean([0, 2]).Square()),
        ["var"] = ([[2, 5]], x => x[0].Var([1])),
        ["std"] = ([[5]], x => x[0].Std()),
        ["norm"] = ([[5]], x => x[0].Norm()),
        ["norm over a dimension"] = ([[2, 5]], x => x[0].Norm(2, [1])),
        ["amax, amin"] = ([[2, 5]], x => x[0].Amax([1]) * x[0].Amin([1])),
        ["max, min"] = ([[5]], x => x[0].Max() * x[0].Min()),
        ["logsumexp"] = ([[2, 3]], x => x[0].LogSumExp(1)),
        ["cumsum"] = ([[2, 3]], x => x[0].Cumsum(1).Square()),
        ["topk"] = ([[2, 5]], x => x[0].TopK(2)[0]),
        ["sort"] = ([[2, 5]], x => x[0].Sort()[0]),
        ["view, flatten, reshape"] = ([[2, 3, 2]], x => x[0].View(3, 4).Reshape(2, 6).Flatten().Square()),
        ["transpose, t, permute"] = ([[2, 3, 2]], x => x[0].Permute(2, 0, 1).Transpose(0, 1).Select(0, 1).T().Square()),
        ["squeeze, unsqueeze, expand"] = ([[2, 1]], x => x[0].Squeeze(1).Unsqueeze(0).Expand(3, 2).Square()),
        ["repeat, repeat_interleave"] = ([[2, 2]], x => x[0].Repeat(2, 1).RepeatInterleave(2, 1).Square()),
        ["contiguous, clone"] = ([[2, 3]], x => x[0].T().Contiguous().Clone().Square()),
        ["narrow, slice, select"] = ([[4, 5]], x => x[0].Narrow(0, 1, 3).Slice(1, 0, 5, 2).Select(0, 1).Square()),
        ["index_select"] = ([[4, 2]], x => x[0].IndexSelect(0, Tensor.FromArray([1L, 1, 3])).Square()),
        ["gather"] = ([[2, 3]], x => x[0].Gather(1, Tensor.FromArray([0L, 0, 2, 1], 2, 2)).Square()),
        ["index with a gap"] = ([[3, 4]], x => x[0].Index(null, Tensor.FromArray([0L, 3, 3])).Square()),
        ["index by mask"] = ([[3, 4]], x => x[0].Index(x[0].Detach().Gt(0)).Square()),
        ["scatter"] = ([[2, 3]], x => x[0].Scatter(1, Tensor.FromArray([0L, 2], 2, 1), 5).Square()),
        ["tril, triu"] = ([[3, 3]], x => x[0].Tril().MatMul(x[0].Triu(1))),
        ["diag, flip"] = ([[3, 3]], x => x[0].Diag().Flip(0).Square()),
        ["cat, stack"] = ([[2, 2], [1, 2]], x => Tensor.Stack([Tensor.Cat([x[0], x[1]]), Tensor.Cat([x[1], x[0]])]).Square()),
        ["split, unbind"] = ([[4, 2]], x => x[0].Split(3)[0].Unbind(1)[1].Square()),
        ["matmul"] = ([[2, 2, 3], [3, 2]], x => x[0].MatMul(x[1])),
        ["mm"] = ([[2, 3], [3, 2]], x => x[0].Mm(x[1])),
        ["bmm"] = ([[2, 2, 3], [2, 3, 2]], x => x[0].Bmm(x[1])),
        ["addmm"] = ([[2], [2, 3], [3, 2]], x => x[0].Addmm(x[1], x[2], 0.5, 2)),
        ["outer, dot"] = ([[3], [3]], x => x[0].Outer(x[1]).Square().Sum() + x[0].Dot(x[1])),
        ["svd"] = ([[3, 2]], x => x[0].Svd()[1]),
        ["qr"] = ([[3, 2]], x => x[0].Qr()[1].Abs()),
        ["eigh"] = ([[3, 3]], x => (x[0] + x[0].T()).Eigh()[0]),
        ["solve"] = ([[3, 3], [3, 2]], x => (x[0] + 4 * Tensor.Eye(3, DType.Float64)).Solve(x[1])),
        ["cholesky"] = ([[3, 3]], x => (x[0].Mm(x[0].T()) + Tensor.Eye(3, DType.Float64)).Cholesky()),
        ["relu"] = ([[6]], x => x[0].Relu()),
        ["leaky_relu"] = ([[6]], x => x[0].LeakyRelu(0.2)),
        ["gelu"] = ([[6]], x => x[0].Gelu()),
        ["gelu by tanh"] = ([[6]], x => x[0].Gelu("tanh")),
        ["silu"] = ([[6]], x => x[0].Silu()),
        ["softplus"] = ([[6]], x => x[0].Softplus()),
        ["softmax"] = ([[2, 3]], x => x[0].Softmax(1)),
        ["log_softmax"] = ([[2, 3]], x => x[0].LogSoftmax(1)),
        ["linear"] = ([[2, 3], [4, 3], [4]], x => x[0].Linear(x[1], x[2])),
        ["embedding"] = ([[4, 2]], x => x[0].Embedding(Tensor.FromArray([3L, 0, 3])).Square()),
        ["conv2d"] = ([[2, 2, 4, 4], [4, 1, 3, 3], [4]], x => x[0].Conv2d(x[1], x[2], [2, 1], [1, 0], [1, 1], 2)),
        ["conv_transpose2d"] = ([[1, 2, 3, 3], [2, 3, 2, 2], [3]], x => x[0].ConvTranspose2d(x[1], x[2], [2, 2])),
        ["max_pool2d"] = ([[1, 2, 4, 4]], x => x[0].MaxPool2d(2)),
        ["avg_pool2d"] = ([[1, 2, 4, 4]], x => x[0].AvgPool2d(2, 1)),
        ["batch_norm"] = ([[4, 2, 2, 1], [2], [2]], x => x[0].BatchNorm(x[1], x[2], null, null, true, 0.1, 1e-5)),
        ["layer_norm"] = ([[2, 4], [4], [4]], x => x[0].LayerNorm([4], x[1], x[2])),
        ["group_norm"] = ([[2, 4, 2], [4], [4]], x => x[0].GroupNorm(2, x[1], x[2])),
        ["upsample_nearest2d"] = ([[1, 2, 2, 2]], x => x[0].UpsampleNearest2d(2).Square()),
        ["nll_loss"] = ([[2, 3]], x => x[0].LogSoftmax(1).NllLoss(Tensor.FromArray([2L, 0]))),
        ["cross_entropy_loss"] = ([[2, 3]], x => x[0].CrossEntropyLoss(Tensor.FromArray([2L, 0]), Reduction.None)),
        ["binary_cross_entropy_with_logits"] = ([[2, 3]], x => x[0].BinaryCrossEntropyWithLogits(Target(2, 3), Reduction.Sum)),
        ["binary_cross_entropy"] = ([[2, 3]], x => x[0].Sigmoid().BinaryCrossEntropy(Target(2, 3))),
        ["mse_loss"] = ([[2, 3], [2, 3]], x => x[0].MseLoss(x[1])),
        ["attention"] = ([[2, 3, 4], [2, 5, 4], [2, 5, 2]], x => Attention.ScaledDotProduct(x[0], x[1], x[2])),
        ["causal attention"] = ([[2, 3, 4], [2, 3, 4], [2, 3, 2]], x => Attention.ScaledDotProduct(x[0], x[1], x[2], causal: true)),
        ["in-place operators"] = ([[4], [4]], x => x[0].Clone().AddInPlace(x[1], 2).MulInPlace(x[0]).SubInPlace(x[1]).MulInPlace(3).AddInPlace(1).SigmoidInPlace()),
        ["in-place quotients"] = ([[4], [4]], x => x[0].Clone().DivInPlace(Positive(x[1])).DivInPlace(2).AddcmulInPlace(x[0], x[1], 0.5).AddcdivInPlace(x[0], Positive(x[1]), 0.5).LerpInPlace(x[1], 0.25)),
        ["in-place indexing"] = ([[4, 2], [2, 2]], x => x[0].Clone().IndexAddInPlace(0, Tensor.FromArray([1L, 1]), x[1]).IndexCopyInPlace(0, Tensor.FromArray([3L, 0]), x[1]).SquareInPlace()),
        ["conversion"] = ([[4]], x => x[0].To(DType.Float64).Square()),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [TorchTheory]
    [MemberData(nameof(Names))]
    public void The_gradient_is_the_slope(string name)
    {
        using var random = new RandomStream(5);
        var (shapes, function) = Cases[name];
        Tensor[] inputs = [.. shapes.Select(shape => Tensor.Randn(shape, random, DType.Float64))];
        GradientCheck.Verify(() => function(inputs), inputs);
    }

    [TorchFact]
    public void A_wrong_gradient_is_noticed()
    {
        var x = Tensor.FromArray([1.0, 2]);
        // The derivative of half of this product is hidden from autograd.
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => GradientCheck.Verify(() => x * x.Detach(), x));
    }

    private static Tensor Positive(Tensor x) => x.Square() + 0.5;

    private static Tensor Target(params long[] shape) => Tensor.Arange(0, shape.Aggregate((a, b) => a * b), type: DType.Float64).Sin().Square().View(shape);
}
