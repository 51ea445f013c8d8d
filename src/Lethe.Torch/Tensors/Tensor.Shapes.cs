namespace Lethe.Torch;

internal static partial class Ops
{
    public static readonly Operator View = new("aten::view");
    public static readonly Operator Reshape = new("aten::reshape");
    public static readonly Operator FlattenUsingInts = new("aten::flatten", "using_ints");
    public static readonly Operator TransposeInt = new("aten::transpose", "int");
    public static readonly Operator T = new("aten::t");
    public static readonly Operator Permute = new("aten::permute");
    public static readonly Operator Unsqueeze = new("aten::unsqueeze");
    public static readonly Operator SqueezeDim = new("aten::squeeze", "dim");
    public static readonly Operator Expand = new("aten::expand");
    public static readonly Operator Repeat = new("aten::repeat");
    public static readonly Operator RepeatInterleaveSelfInt = new("aten::repeat_interleave", "self_int");
    public static readonly Operator Contiguous = new("aten::contiguous");
    public static readonly Operator Clone = new("aten::clone");
    public static readonly Operator Detach = new("aten::detach");
    public static readonly Operator SelectInt = new("aten::select", "int");
    public static readonly Operator Narrow = new("aten::narrow");
    public static readonly Operator SliceTensor = new("aten::slice", "Tensor");
    public static readonly Operator IndexSelect = new("aten::index_select");
    public static readonly Operator Gather = new("aten::gather");
    public static readonly Operator IndexTensor = new("aten::index", "Tensor");
    public static readonly Operator ScatterValue = new("aten::scatter", "value");
    public static readonly Operator Nonzero = new("aten::nonzero");
    public static readonly Operator Tril = new("aten::tril");
    public static readonly Operator Triu = new("aten::triu");
    public static readonly Operator Diag = new("aten::diag");
    public static readonly Operator Flip = new("aten::flip");
    public static readonly Operator Roll = new("aten::roll");
    public static readonly Operator ToDtype = new("aten::to", "dtype");
    public static readonly Operator ToDtypeLayout = new("aten::to", "dtype_layout");
    public static readonly Operator SplitTensor = new("aten::split", "Tensor");
    public static readonly Operator UnbindInt = new("aten::unbind", "int");
    public static readonly Operator Cat = new("aten::cat");
    public static readonly Operator Stack = new("aten::stack");
}

// The same elements in another arrangement.
public sealed partial class Tensor
{
    /// <summary>The same memory with another shape; −1 stands for what is left.</summary>
    public Tensor View(params long[] shape) => Ops.View.Call(this, shape);

    /// <summary>Another shape, copied if it must be; −1 stands for what is left.</summary>
    public Tensor Reshape(params long[] shape) => Ops.Reshape.Call(this, shape);

    /// <summary>Dimensions start…end become one.</summary>
    public Tensor Flatten(long start = 0, long end = -1) => Ops.FlattenUsingInts.Call(this, start, end);

    /// <summary>Two dimensions exchanged.</summary>
    public Tensor Transpose(long a, long b) => Ops.TransposeInt.Call(this, a, b);

    /// <summary>A matrix transposed.</summary>
    public Tensor T() => Ops.T.Call(this);

    /// <summary>Dimensions in another order.</summary>
    public Tensor Permute(params long[] dimensions) => Ops.Permute.Call(this, dimensions);

    /// <summary>A new dimension of size 1.</summary>
    public Tensor Unsqueeze(long dimension) => Ops.Unsqueeze.Call(this, dimension);

    /// <summary>Without a dimension of size 1.</summary>
    public Tensor Squeeze(long dimension) => Ops.SqueezeDim.Call(this, dimension);

    /// <summary>Dimensions of size 1 repeated, without a copy.</summary>
    public Tensor Expand(params long[] shape) => Ops.Expand.Call(this, shape);

    /// <summary>Copies along each dimension.</summary>
    public Tensor Repeat(params long[] times) => Ops.Repeat.Call(this, times);

    /// <summary>Each entry repeated along a dimension.</summary>
    public Tensor RepeatInterleave(long times, long dimension) => Ops.RepeatInterleaveSelfInt.Call(this, times, dimension);

    /// <summary>Row-major in memory.</summary>
    public Tensor Contiguous() => Ops.Contiguous.Call(this);

    /// <summary>A copy.</summary>
    public Tensor Clone() => Ops.Clone.Call(this);

    /// <summary>The same memory, outside of the graph.</summary>
    public Tensor Detach() => Ops.Detach.Call(this);

    /// <summary>One entry along a dimension, which goes away.</summary>
    public Tensor Select(long dimension, long index) => Ops.SelectInt.Call(this, dimension, index);

    /// <summary>Part of a dimension, without a copy.</summary>
    public Tensor Narrow(long dimension, long start, long length) => Ops.Narrow.Call(this, dimension, start, length);

    /// <summary>Entries start…end−1 of a dimension, without a copy.</summary>
    public Tensor Slice(long dimension, long start, long end, long step = 1) => Ops.SliceTensor.Call(this, dimension, start, end, step);

    /// <summary>Entries along a dimension by their indexes.</summary>
    public Tensor IndexSelect(long dimension, Tensor indexes) => Ops.IndexSelect.Call(this, dimension, indexes);

    /// <summary>One entry along a dimension for each index.</summary>
    public Tensor Gather(long dimension, Tensor indexes) => Ops.Gather.Call(this, dimension, indexes);

    /// <summary>Entries by index tensors or masks; null takes a whole dimension.</summary>
    public Tensor Index(params Tensor?[] indexes) => Ops.IndexTensor.Call(this, indexes);

    /// <summary>A copy with a number written at the indexes.</summary>
    public Tensor Scatter(long dimension, Tensor indexes, Scalar number) => Ops.ScatterValue.Call(this, dimension, indexes, number);

    /// <summary>Indexes of the elements that are not 0, a row each.</summary>
    public Tensor Nonzero() => Ops.Nonzero.Call(this);

    /// <summary>The lower triangle.</summary>
    public Tensor Tril(long diagonal = 0) => Ops.Tril.Call(this, diagonal);

    /// <summary>The upper triangle.</summary>
    public Tensor Triu(long diagonal = 0) => Ops.Triu.Call(this, diagonal);

    /// <summary>The diagonal of a matrix, or the matrix of a diagonal.</summary>
    public Tensor Diag() => Ops.Diag.Call(this);

    /// <summary>Dimensions in reverse.</summary>
    public Tensor Flip(params long[] dimensions) => Ops.Flip.Call(this, dimensions);

    /// <summary>Entries moved on along a dimension; those that fall off its end come in at its start.</summary>
    public Tensor Roll(long by, long dimension) => Ops.Roll.Call(this, new[] { by }, new[] { dimension });

    /// <summary>Another element type; the same tensor if it has it.</summary>
    public Tensor To(DType type) => Ops.ToDtype.Call(this, type);

    /// <summary>On another device; the same tensor if it is there.</summary>
    public Tensor To(Device device) => Ops.ToDtypeLayout.Call(this, Value.None, Value.None, device);

    /// <summary>Parts of the given size along a dimension.</summary>
    public Tensor[] Split(long size, long dimension = 0) => Ops.SplitTensor.CallList(this, size, dimension);

    /// <summary>All entries along a dimension.</summary>
    public Tensor[] Unbind(long dimension = 0) => Ops.UnbindInt.CallList(this, dimension);

    /// <summary>Joined along a dimension.</summary>
    public static Tensor Cat(Tensor[] tensors, long dimension = 0) => Ops.Cat.Call(tensors, dimension);

    /// <summary>Joined along a new dimension.</summary>
    public static Tensor Stack(Tensor[] tensors, long dimension = 0) => Ops.Stack.Call(tensors, dimension);
}
