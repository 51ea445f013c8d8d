namespace Lethe.Torch;

internal static partial class Ops
{
    public static readonly Operator Item = new("aten::item");
    public static readonly Operator Sum = new("aten::sum");
    public static readonly Operator SumDimIntList = new("aten::sum", "dim_IntList");
    public static readonly Operator Mean = new("aten::mean");
    public static readonly Operator MeanDim = new("aten::mean", "dim");
    public static readonly Operator VarDim = new("aten::var", "dim");
    public static readonly Operator Std = new("aten::std");
    public static readonly Operator NormScalar = new("aten::norm", "Scalar");
    public static readonly Operator NormScalarOptDim = new("aten::norm", "ScalarOpt_dim");
    public static readonly Operator Amax = new("aten::amax");
    public static readonly Operator Amin = new("aten::amin");
    public static readonly Operator Max = new("aten::max");
    public static readonly Operator Min = new("aten::min");
    public static readonly Operator Argmax = new("aten::argmax");
    public static readonly Operator All = new("aten::all");
    public static readonly Operator Any = new("aten::any");
    public static readonly Operator Logsumexp = new("aten::logsumexp");
    public static readonly Operator Cumsum = new("aten::cumsum");
    public static readonly Operator Topk = new("aten::topk");
    public static readonly Operator Sort = new("aten::sort");
}

// Many elements to fewer.
public sealed partial class Tensor
{
    /// <summary>Sum of all elements.</summary>
    public Tensor Sum() => Ops.Sum.Call(this);

    /// <summary>Sum over dimensions.</summary>
    public Tensor Sum(long[] dimensions, bool keep = false) => Ops.SumDimIntList.Call(this, dimensions, keep);

    /// <summary>Sum over one dimension.</summary>
    public Tensor Sum(long dimension, bool keep = false) => Ops.SumDimIntList.Call(this, new[] { dimension }, keep);

    /// <summary>Mean of all elements.</summary>
    public Tensor Mean() => Ops.Mean.Call(this);

    /// <summary>Mean over dimensions.</summary>
    public Tensor Mean(long[] dimensions, bool keep = false) => Ops.MeanDim.Call(this, dimensions, keep);

    /// <summary>Mean over one dimension.</summary>
    public Tensor Mean(long dimension, bool keep = false) => Ops.MeanDim.Call(this, new[] { dimension }, keep);

    /// <summary>Variance over dimensions.</summary>
    public Tensor Var(long[] dimensions, bool unbiased = true, bool keep = false) => Ops.VarDim.Call(this, dimensions, unbiased, keep);

    /// <summary>Standard deviation of all elements.</summary>
    public Tensor Std(bool unbiased = true) => Ops.Std.Call(this, unbiased);

    /// <summary>p-norm of all elements.</summary>
    public Tensor Norm(double p = 2) => Ops.NormScalar.Call(this, p);

    /// <summary>p-norm over dimensions.</summary>
    public Tensor Norm(double p, long[] dimensions, bool keep = false) => Ops.NormScalarOptDim.Call(this, p, dimensions, keep);

    /// <summary>Largest over dimensions.</summary>
    public Tensor Amax(long[] dimensions, bool keep = false) => Ops.Amax.Call(this, dimensions, keep);

    /// <summary>Smallest over dimensions.</summary>
    public Tensor Amin(long[] dimensions, bool keep = false) => Ops.Amin.Call(this, dimensions, keep);

    /// <summary>Largest of all elements.</summary>
    public Tensor Max() => Ops.Max.Call(this);

    /// <summary>Smallest of all elements.</summary>
    public Tensor Min() => Ops.Min.Call(this);

    /// <summary>Index of the largest along a dimension.</summary>
    public Tensor Argmax(long dimension, bool keep = false) => Ops.Argmax.Call(this, dimension, keep);

    /// <summary>Whether all hold.</summary>
    public Tensor All() => Ops.All.Call(this);

    /// <summary>Whether any holds.</summary>
    public Tensor Any() => Ops.Any.Call(this);

    /// <summary>log Σ e^x along a dimension, without overflow.</summary>
    public Tensor LogSumExp(long dimension, bool keep = false) => Ops.Logsumexp.Call(this, new[] { dimension }, keep);

    /// <summary>Running sum along a dimension.</summary>
    public Tensor Cumsum(long dimension) => Ops.Cumsum.Call(this, dimension);

    /// <summary>The k largest values and their indexes.</summary>
    public Tensor[] TopK(long k, long dimension = -1, bool largest = true) => Ops.Topk.CallMany(this, k, dimension, largest)!;

    /// <summary>Sorted values and their indexes.</summary>
    public Tensor[] Sort(long dimension = -1, bool descending = false) => Ops.Sort.CallMany(this, dimension, descending)!;
}
