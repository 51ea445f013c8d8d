namespace Lethe.Torch;

internal static partial class Ops
{
    public static readonly Operator Relu = new("aten::relu");
    public static readonly Operator Gelu = new("aten::gelu");
    public static readonly Operator Silu = new("aten::silu");
    public static readonly Operator LeakyRelu = new("aten::leaky_relu");
    public static readonly Operator Softplus = new("aten::softplus");
    public static readonly Operator SoftmaxInt = new("aten::softmax", "int");
    public static readonly Operator LogSoftmaxInt = new("aten::log_softmax", "int");
    public static readonly Operator Linear = new("aten::linear");
    public static readonly Operator Embedding = new("aten::embedding");
    public static readonly Operator EmbeddingBagForwardOnly = new("aten::_embedding_bag_forward_only");
    public static readonly Operator EmbeddingBagDenseBackward = new("aten::_embedding_bag_dense_backward");
    public static readonly Operator EmbeddingBagPerSampleWeightsBackward = new("aten::_embedding_bag_per_sample_weights_backward");
    public static readonly Operator Conv2d = new("aten::conv2d");
    public static readonly Operator ConvTranspose2dInput = new("aten::conv_transpose2d", "input");
    public static readonly Operator MaxPool2d = new("aten::max_pool2d");
    public static readonly Operator AvgPool2d = new("aten::avg_pool2d");
    public static readonly Operator BatchNorm = new("aten::batch_norm");
    public static readonly Operator LayerNorm = new("aten::layer_norm");
    public static readonly Operator GroupNorm = new("aten::group_norm");
    public static readonly Operator UpsampleNearest2dVec = new("aten::upsample_nearest2d", "vec");
    public static readonly Operator NllLoss = new("aten::nll_loss");
    public static readonly Operator CrossEntropyLoss = new("aten::cross_entropy_loss");
    public static readonly Operator BinaryCrossEntropyWithLogits = new("aten::binary_cross_entropy_with_logits");
    public static readonly Operator BinaryCrossEntropy = new("aten::binary_cross_entropy");
    public static readonly Operator MseLoss = new("aten::mse_loss");
}

// What neural networks are made of.
public sealed partial class Tensor
{
    /// <summary>max(x, 0).</summary>
    public Tensor Relu() => Ops.Relu.Call(this);

    /// <summary>x Φ(x); "tanh" for the approximation.</summary>
    public Tensor Gelu(string approximate = "none") => Ops.Gelu.Call(this, approximate);

    /// <summary>x · sigmoid(x).</summary>
    public Tensor Silu() => Ops.Silu.Call(this);

    /// <summary>max(x, slope · x).</summary>
    public Tensor LeakyRelu(double slope = 0.01) => Ops.LeakyRelu.Call(this, slope);

    /// <summary>log(1 + e^x).</summary>
    public Tensor Softplus() => Ops.Softplus.Call(this);

    /// <summary>e^x / Σ e^x along a dimension.</summary>
    public Tensor Softmax(long dimension, DType? type = null) => Ops.SoftmaxInt.Call(this, dimension, type is { } t ? t : Value.None);

    /// <summary>log of Softmax.</summary>
    public Tensor LogSoftmax(long dimension, DType? type = null) => Ops.LogSoftmaxInt.Call(this, dimension, type is { } t ? t : Value.None);

    /// <summary>x Wᵀ + b; weight (out, in).</summary>
    public Tensor Linear(Tensor weight, Tensor? bias = null) => Ops.Linear.Call(this, weight, bias);

    /// <summary>Rows of this table by index.</summary>
    public Tensor Embedding(Tensor indexes) => Ops.Embedding.Call(this, indexes);

    /// <summary>
    /// Weighted sums of rows of this matrix (K, D): row n of the result (N, D) is the sum of weights[m] · this[indexes[m]] over m from offsets[n] to offsets[n + 1] − 1 (the
    /// last one to the end). No gradient is recorded; <see cref="ScatterSum"/> and <see cref="GatherDot"/> give it.
    /// </summary>
    /// <param name="indexes">(M), int64, contiguous.</param>
    /// <param name="offsets">(N), int64, ascending from 0.</param>
    /// <param name="weights">(M), contiguous.</param>
    public Tensor GatherSum(Tensor indexes, Tensor offsets, Tensor weights) => Ops.EmbeddingBagForwardOnly.CallMany(this, indexes, offsets, false, 0, false, weights)[0]!;

    /// <summary>The transpose of <see cref="GatherSum"/>: row k of the result (rows, D) is the sum of weights[m] · this[bags[m]] over all m with indexes[m] = k. This is (N, D).</summary>
    /// <param name="indexes">(M), int64, contiguous.</param>
    /// <param name="bags">(M), int64: the row of this that m belongs to.</param>
    /// <param name="weights">(M), contiguous.</param>
    /// <param name="rows">Rows of the result.</param>
    public Tensor ScatterSum(Tensor indexes, Tensor bags, Tensor weights, long rows) =>
        Ops.EmbeddingBagDenseBackward.Call(this, indexes, bags, bags, bags, rows, false, 0, weights);

    /// <summary>Inner products with rows of a matrix (K, D): element m of the result (M) is this[bags[m]] · matrix[indexes[m]]. This is (N, D).</summary>
    /// <param name="matrix">(K, D).</param>
    /// <param name="indexes">(M), int64, contiguous.</param>
    /// <param name="offsets">(N), int64, ascending from 0: where each row of this begins in the list.</param>
    /// <param name="bags">(M), int64: the row of this that m belongs to.</param>
    public Tensor GatherDot(Tensor matrix, Tensor indexes, Tensor offsets, Tensor bags) =>
        Ops.EmbeddingBagPerSampleWeightsBackward.Call(this, matrix, indexes, offsets, bags, 0);

    /// <summary>Convolution of (N, C, H, W) with (O, C/groups, h, w).</summary>
    public Tensor Conv2d(Tensor weight, Tensor? bias = null, long[]? stride = null, long[]? padding = null, long[]? dilation = null, long groups = 1) => Ops.Conv2d.Call(this, weight, bias, stride ?? [1, 1], padding ?? [0, 0], dilation ?? [1, 1], groups);

    /// <summary>The transpose of Conv2d.</summary>
    public Tensor ConvTranspose2d(Tensor weight, Tensor? bias = null, long[]? stride = null, long[]? padding = null) => Ops.ConvTranspose2dInput.Call(this, weight, bias, stride ?? [1, 1], padding ?? [0, 0]);

    /// <summary>Largest of each window.</summary>
    public Tensor MaxPool2d(long size, long? stride = null) => Ops.MaxPool2d.Call(this, new[] { size, size }, new[] { stride ?? size, stride ?? size });

    /// <summary>Mean of each window.</summary>
    public Tensor AvgPool2d(long size, long? stride = null) => Ops.AvgPool2d.Call(this, new[] { size, size }, new[] { stride ?? size, stride ?? size });

    /// <summary>Normalises each channel over the batch; running statistics are changed in place while training.</summary>
    public Tensor BatchNorm(Tensor? weight, Tensor? bias, Tensor? mean, Tensor? variance, bool training, double momentum, double epsilon) => Ops.BatchNorm.Call(this, weight, bias, mean, variance, training, momentum, epsilon, false);

    /// <summary>Normalises over the last dimensions.</summary>
    public Tensor LayerNorm(long[] shape, Tensor? weight, Tensor? bias, double epsilon = 1e-5) => Ops.LayerNorm.Call(this, shape, weight, bias, epsilon);

    /// <summary>Normalises groups of channels.</summary>
    public Tensor GroupNorm(long groups, Tensor? weight, Tensor? bias, double epsilon = 1e-5) => Ops.GroupNorm.Call(this, groups, weight, bias, epsilon);

    /// <summary>Each pixel repeated.</summary>
    public Tensor UpsampleNearest2d(double scale) => Ops.UpsampleNearest2dVec.Call(this, Value.None, new[] { scale, scale });

    /// <summary>−log-probability of the targets; this (N, C), targets (N).</summary>
    public Tensor NllLoss(Tensor targets, Reduction reduction = Reduction.Mean) => Ops.NllLoss.Call(this, targets, Value.None, (long)reduction);

    /// <summary>NllLoss of LogSoftmax.</summary>
    public Tensor CrossEntropyLoss(Tensor targets, Reduction reduction = Reduction.Mean) => Ops.CrossEntropyLoss.Call(this, targets, Value.None, (long)reduction);

    /// <summary>−t log σ(x) − (1 − t) log(1 − σ(x)), without overflow.</summary>
    public Tensor BinaryCrossEntropyWithLogits(Tensor targets, Reduction reduction = Reduction.Mean) => Ops.BinaryCrossEntropyWithLogits.Call(this, targets, Value.None, Value.None, (long)reduction);

    /// <summary>−t log x − (1 − t) log(1 − x) for probabilities x.</summary>
    public Tensor BinaryCrossEntropy(Tensor targets, Reduction reduction = Reduction.Mean) => Ops.BinaryCrossEntropy.Call(this, targets, Value.None, (long)reduction);

    /// <summary>Squared difference.</summary>
    public Tensor MseLoss(Tensor targets, Reduction reduction = Reduction.Mean) => Ops.MseLoss.Call(this, targets, (long)reduction);
}

/// <summary>What becomes of the losses of single elements; the numbers are at::Reduction's.</summary>
public enum Reduction
{
    /// <summary>Kept apart.</summary>
    None = 0,
    /// <summary>Their mean.</summary>
    Mean = 1,
    /// <summary>Their sum.</summary>
    Sum = 2,
}
