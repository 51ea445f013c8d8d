namespace Lethe.Torch;

internal static partial class Ops
{
    public static readonly Operator AddTensor = new("aten::add", "Tensor");
    public static readonly Operator AddScalar = new("aten::add", "Scalar");
    public static readonly Operator SubTensor = new("aten::sub", "Tensor");
    public static readonly Operator SubScalar = new("aten::sub", "Scalar");
    public static readonly Operator RsubScalar = new("aten::rsub", "Scalar");
    public static readonly Operator MulTensor = new("aten::mul", "Tensor");
    public static readonly Operator MulScalar = new("aten::mul", "Scalar");
    public static readonly Operator DivTensor = new("aten::div", "Tensor");
    public static readonly Operator DivScalar = new("aten::div", "Scalar");
    public static readonly Operator DivTensorMode = new("aten::div", "Tensor_mode");
    public static readonly Operator RemainderScalar = new("aten::remainder", "Scalar");
    public static readonly Operator PowTensorScalar = new("aten::pow", "Tensor_Scalar");
    public static readonly Operator Neg = new("aten::neg");
    public static readonly Operator Abs = new("aten::abs");
    public static readonly Operator Sign = new("aten::sign");
    public static readonly Operator Exp = new("aten::exp");
    public static readonly Operator Log = new("aten::log");
    public static readonly Operator Log1p = new("aten::log1p");
    public static readonly Operator Sqrt = new("aten::sqrt");
    public static readonly Operator Rsqrt = new("aten::rsqrt");
    public static readonly Operator Square = new("aten::square");
    public static readonly Operator Reciprocal = new("aten::reciprocal");
    public static readonly Operator Sin = new("aten::sin");
    public static readonly Operator Cos = new("aten::cos");
    public static readonly Operator Tanh = new("aten::tanh");
    public static readonly Operator Sigmoid = new("aten::sigmoid");
    public static readonly Operator Erf = new("aten::erf");
    public static readonly Operator Floor = new("aten::floor");
    public static readonly Operator Round = new("aten::round");
    public static readonly Operator Clamp = new("aten::clamp");
    public static readonly Operator Maximum = new("aten::maximum");
    public static readonly Operator Minimum = new("aten::minimum");
    public static readonly Operator LerpScalar = new("aten::lerp", "Scalar");
    public static readonly Operator Addcmul = new("aten::addcmul");
    public static readonly Operator EqTensor = new("aten::eq", "Tensor");
    public static readonly Operator EqScalar = new("aten::eq", "Scalar");
    public static readonly Operator NeScalar = new("aten::ne", "Scalar");
    public static readonly Operator LtTensor = new("aten::lt", "Tensor");
    public static readonly Operator LtScalar = new("aten::lt", "Scalar");
    public static readonly Operator LeScalar = new("aten::le", "Scalar");
    public static readonly Operator GtTensor = new("aten::gt", "Tensor");
    public static readonly Operator GtScalar = new("aten::gt", "Scalar");
    public static readonly Operator GeTensor = new("aten::ge", "Tensor");
    public static readonly Operator GeScalar = new("aten::ge", "Scalar");
    public static readonly Operator LogicalNot = new("aten::logical_not");
    public static readonly Operator LogicalAnd = new("aten::logical_and");
    public static readonly Operator LogicalOr = new("aten::logical_or");
    public static readonly Operator Isfinite = new("aten::isfinite");
    public static readonly Operator WhereSelf = new("aten::where", "self");
    public static readonly Operator MaskedFillScalar = new("aten::masked_fill", "Scalar");
}

// Element by element, with broadcasting.
public sealed partial class Tensor
{
    /// <summary>this + alpha · other.</summary>
    public Tensor Add(Tensor other, Scalar? alpha = null) => Ops.AddTensor.Call(this, other, alpha ?? 1);

    /// <summary>this + number.</summary>
    public Tensor Add(Scalar number) => Ops.AddScalar.Call(this, number);

    /// <summary>this − other.</summary>
    public Tensor Sub(Tensor other) => Ops.SubTensor.Call(this, other);

    /// <summary>this − number.</summary>
    public Tensor Sub(Scalar number) => Ops.SubScalar.Call(this, number);

    /// <summary>number − this.</summary>
    public Tensor Rsub(Scalar number) => Ops.RsubScalar.Call(this, number);

    /// <summary>this · other.</summary>
    public Tensor Mul(Tensor other) => Ops.MulTensor.Call(this, other);

    /// <summary>this · number.</summary>
    public Tensor Mul(Scalar number) => Ops.MulScalar.Call(this, number);

    /// <summary>this / other.</summary>
    public Tensor Div(Tensor other) => Ops.DivTensor.Call(this, other);

    /// <summary>this / number.</summary>
    public Tensor Div(Scalar number) => Ops.DivScalar.Call(this, number);

    /// <summary>this / other, rounded: "floor" or "trunc".</summary>
    public Tensor Div(Tensor other, string roundingMode) => Ops.DivTensorMode.Call(this, other, roundingMode);

    /// <summary>Remainder with the sign of the divisor.</summary>
    public Tensor Remainder(Scalar number) => Ops.RemainderScalar.Call(this, number);

    /// <summary>this to the power of the exponent.</summary>
    public Tensor Pow(Scalar exponent) => Ops.PowTensorScalar.Call(this, exponent);

    /// <summary>−this.</summary>
    public Tensor Neg() => Ops.Neg.Call(this);

    /// <summary>Absolute value.</summary>
    public Tensor Abs() => Ops.Abs.Call(this);

    /// <summary>−1, 0 or 1.</summary>
    public Tensor Sign() => Ops.Sign.Call(this);

    /// <summary>e to the power of this.</summary>
    public Tensor Exp() => Ops.Exp.Call(this);

    /// <summary>Natural logarithm.</summary>
    public Tensor Log() => Ops.Log.Call(this);

    /// <summary>log(1 + this), exact for small values.</summary>
    public Tensor Log1p() => Ops.Log1p.Call(this);

    /// <summary>Square root.</summary>
    public Tensor Sqrt() => Ops.Sqrt.Call(this);

    /// <summary>1 / square root.</summary>
    public Tensor Rsqrt() => Ops.Rsqrt.Call(this);

    /// <summary>this².</summary>
    public Tensor Square() => Ops.Square.Call(this);

    /// <summary>1 / this.</summary>
    public Tensor Reciprocal() => Ops.Reciprocal.Call(this);

    /// <summary>Sine.</summary>
    public Tensor Sin() => Ops.Sin.Call(this);

    /// <summary>Cosine.</summary>
    public Tensor Cos() => Ops.Cos.Call(this);

    /// <summary>Hyperbolic tangent.</summary>
    public Tensor Tanh() => Ops.Tanh.Call(this);

    /// <summary>1 / (1 + e^−this).</summary>
    public Tensor Sigmoid() => Ops.Sigmoid.Call(this);

    /// <summary>Error function.</summary>
    public Tensor Erf() => Ops.Erf.Call(this);

    /// <summary>Largest whole number not above.</summary>
    public Tensor Floor() => Ops.Floor.Call(this);

    /// <summary>Nearest whole number, halves to even.</summary>
    public Tensor Round() => Ops.Round.Call(this);

    /// <summary>Limits the values to [minimum, maximum].</summary>
    public Tensor Clamp(Scalar? minimum = null, Scalar? maximum = null) => Ops.Clamp.Call(this, minimum is { } low ? low : Value.None, maximum is { } high ? high : Value.None);

    /// <summary>The larger of both.</summary>
    public Tensor Maximum(Tensor other) => Ops.Maximum.Call(this, other);

    /// <summary>The smaller of both.</summary>
    public Tensor Minimum(Tensor other) => Ops.Minimum.Call(this, other);

    /// <summary>this + weight · (end − this).</summary>
    public Tensor Lerp(Tensor end, Scalar weight) => Ops.LerpScalar.Call(this, end, weight);

    /// <summary>this + value · a · b.</summary>
    public Tensor Addcmul(Tensor a, Tensor b, Scalar? value = null) => Ops.Addcmul.Call(this, a, b, value ?? 1);

    /// <summary>Whether equal.</summary>
    public Tensor Eq(Tensor other) => Ops.EqTensor.Call(this, other);

    /// <summary>Whether equal.</summary>
    public Tensor Eq(Scalar number) => Ops.EqScalar.Call(this, number);

    /// <summary>Whether different.</summary>
    public Tensor Ne(Scalar number) => Ops.NeScalar.Call(this, number);

    /// <summary>Whether smaller.</summary>
    public Tensor Lt(Tensor other) => Ops.LtTensor.Call(this, other);

    /// <summary>Whether smaller.</summary>
    public Tensor Lt(Scalar number) => Ops.LtScalar.Call(this, number);

    /// <summary>Whether at most as large.</summary>
    public Tensor Le(Scalar number) => Ops.LeScalar.Call(this, number);

    /// <summary>Whether larger.</summary>
    public Tensor Gt(Tensor other) => Ops.GtTensor.Call(this, other);

    /// <summary>Whether larger.</summary>
    public Tensor Gt(Scalar number) => Ops.GtScalar.Call(this, number);

    /// <summary>Whether at least as large.</summary>
    public Tensor Ge(Tensor other) => Ops.GeTensor.Call(this, other);

    /// <summary>Whether at least as large.</summary>
    public Tensor Ge(Scalar number) => Ops.GeScalar.Call(this, number);

    /// <summary>Not.</summary>
    public Tensor LogicalNot() => Ops.LogicalNot.Call(this);

    /// <summary>And.</summary>
    public Tensor LogicalAnd(Tensor other) => Ops.LogicalAnd.Call(this, other);

    /// <summary>Or.</summary>
    public Tensor LogicalOr(Tensor other) => Ops.LogicalOr.Call(this, other);

    /// <summary>Whether neither infinite nor NaN.</summary>
    public Tensor IsFinite() => Ops.Isfinite.Call(this);

    /// <summary>this where the condition holds, else other.</summary>
    public Tensor Where(Tensor condition, Tensor other) => Ops.WhereSelf.Call(condition, this, other);

    /// <summary>The number where the mask holds, else this.</summary>
    public Tensor MaskedFill(Tensor mask, Scalar number) => Ops.MaskedFillScalar.Call(this, mask, number);
}
