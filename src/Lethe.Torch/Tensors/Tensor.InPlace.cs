namespace Lethe.Torch;

internal static partial class Ops
{
    public static readonly Operator AddInPlaceTensor = new("aten::add_", "Tensor");
    public static readonly Operator AddInPlaceScalar = new("aten::add_", "Scalar");
    public static readonly Operator SubInPlaceTensor = new("aten::sub_", "Tensor");
    public static readonly Operator MulInPlaceTensor = new("aten::mul_", "Tensor");
    public static readonly Operator MulInPlaceScalar = new("aten::mul_", "Scalar");
    public static readonly Operator DivInPlaceTensor = new("aten::div_", "Tensor");
    public static readonly Operator DivInPlaceScalar = new("aten::div_", "Scalar");
    public static readonly Operator AddcmulInPlace = new("aten::addcmul_");
    public static readonly Operator AddcdivInPlace = new("aten::addcdiv_");
    public static readonly Operator LerpInPlaceScalar = new("aten::lerp_", "Scalar");
    public static readonly Operator ClampInPlace = new("aten::clamp_");
    public static readonly Operator ZeroInPlace = new("aten::zero_");
    public static readonly Operator FillInPlaceScalar = new("aten::fill_", "Scalar");
    public static readonly Operator CopyInPlace = new("aten::copy_");
    public static readonly Operator SquareInPlace = new("aten::square_");
    public static readonly Operator SqrtInPlace = new("aten::sqrt_");
    public static readonly Operator SigmoidInPlace = new("aten::sigmoid_");
    public static readonly Operator TanhInPlace = new("aten::tanh_");
    public static readonly Operator ReluInPlace = new("aten::relu_");
    public static readonly Operator IndexAddInPlace = new("aten::index_add_");
    public static readonly Operator IndexCopyInPlace = new("aten::index_copy_");
    public static readonly Operator ScatterInPlaceValue = new("aten::scatter_", "value");
    public static readonly Operator ScatterInPlaceSrc = new("aten::scatter_", "src");
}

// Changing a tensor in place; each returns the tensor itself.
public sealed partial class Tensor
{
    /// <summary>this ← this + alpha · other.</summary>
    public Tensor AddInPlace(Tensor other, Scalar? alpha = null) => Ops.AddInPlaceTensor.CallInPlace(this, other, alpha ?? 1);

    /// <summary>this ← this + number.</summary>
    public Tensor AddInPlace(Scalar number) => Ops.AddInPlaceScalar.CallInPlace(this, number);

    /// <summary>this ← this − other.</summary>
    public Tensor SubInPlace(Tensor other) => Ops.SubInPlaceTensor.CallInPlace(this, other);

    /// <summary>this ← this · other.</summary>
    public Tensor MulInPlace(Tensor other) => Ops.MulInPlaceTensor.CallInPlace(this, other);

    /// <summary>this ← this · number.</summary>
    public Tensor MulInPlace(Scalar number) => Ops.MulInPlaceScalar.CallInPlace(this, number);

    /// <summary>this ← this / other.</summary>
    public Tensor DivInPlace(Tensor other) => Ops.DivInPlaceTensor.CallInPlace(this, other);

    /// <summary>this ← this / number.</summary>
    public Tensor DivInPlace(Scalar number) => Ops.DivInPlaceScalar.CallInPlace(this, number);

    /// <summary>this ← this + value · a · b.</summary>
    public Tensor AddcmulInPlace(Tensor a, Tensor b, Scalar? value = null) => Ops.AddcmulInPlace.CallInPlace(this, a, b, value ?? 1);

    /// <summary>this ← this + value · a / b.</summary>
    public Tensor AddcdivInPlace(Tensor a, Tensor b, Scalar? value = null) => Ops.AddcdivInPlace.CallInPlace(this, a, b, value ?? 1);

    /// <summary>this ← this + weight · (end − this).</summary>
    public Tensor LerpInPlace(Tensor end, Scalar weight) => Ops.LerpInPlaceScalar.CallInPlace(this, end, weight);

    /// <summary>Limits the values.</summary>
    public Tensor ClampInPlace(Scalar? minimum = null, Scalar? maximum = null) => Ops.ClampInPlace.CallInPlace(this, minimum is { } low ? low : Value.None, maximum is { } high ? high : Value.None);

    /// <summary>this ← 0.</summary>
    public Tensor ZeroInPlace() => Ops.ZeroInPlace.CallInPlace(this);

    /// <summary>this ← number.</summary>
    public Tensor FillInPlace(Scalar number) => Ops.FillInPlaceScalar.CallInPlace(this, number);

    /// <summary>this ← source, converted if it must be.</summary>
    public Tensor CopyInPlace(Tensor source) => Ops.CopyInPlace.CallInPlace(this, source);

    /// <summary>this ← this².</summary>
    public Tensor SquareInPlace() => Ops.SquareInPlace.CallInPlace(this);

    /// <summary>this ← √this.</summary>
    public Tensor SqrtInPlace() => Ops.SqrtInPlace.CallInPlace(this);

    /// <summary>this ← 1 / (1 + e^−this).</summary>
    public Tensor SigmoidInPlace() => Ops.SigmoidInPlace.CallInPlace(this);

    /// <summary>this ← tanh(this).</summary>
    public Tensor TanhInPlace() => Ops.TanhInPlace.CallInPlace(this);

    /// <summary>this ← max(this, 0).</summary>
    public Tensor ReluInPlace() => Ops.ReluInPlace.CallInPlace(this);

    /// <summary>Adds entries of the source at the indexes.</summary>
    public Tensor IndexAddInPlace(long dimension, Tensor indexes, Tensor source) => Ops.IndexAddInPlace.CallInPlace(this, dimension, indexes, source);

    /// <summary>Writes entries of the source at the indexes.</summary>
    public Tensor IndexCopyInPlace(long dimension, Tensor indexes, Tensor source) => Ops.IndexCopyInPlace.CallInPlace(this, dimension, indexes, source);

    /// <summary>Writes a number at the indexes.</summary>
    public Tensor ScatterInPlace(long dimension, Tensor indexes, Scalar number) => Ops.ScatterInPlaceValue.CallInPlace(this, dimension, indexes, number);

    /// <summary>Writes the source's values at the indexes.</summary>
    public Tensor ScatterInPlace(long dimension, Tensor indexes, Tensor source) => Ops.ScatterInPlaceSrc.CallInPlace(this, dimension, indexes, source);
}
