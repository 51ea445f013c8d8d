namespace Lethe.Torch;

internal static partial class Ops
{
    public static readonly Operator ForeachAddInPlaceScalar = new("aten::_foreach_add_", "Scalar");
    public static readonly Operator ForeachAddInPlaceList = new("aten::_foreach_add_", "List");
    public static readonly Operator ForeachMulInPlaceScalar = new("aten::_foreach_mul_", "Scalar");
    public static readonly Operator ForeachMulInPlaceList = new("aten::_foreach_mul_", "List");
    public static readonly Operator ForeachDivInPlaceList = new("aten::_foreach_div_", "List");
    public static readonly Operator ForeachAddcmulInPlaceScalar = new("aten::_foreach_addcmul_", "Scalar");
    public static readonly Operator ForeachAddcdivInPlaceScalar = new("aten::_foreach_addcdiv_", "Scalar");
    public static readonly Operator ForeachSqrt = new("aten::_foreach_sqrt");
    public static readonly Operator ForeachNormScalar = new("aten::_foreach_norm", "Scalar");
    public static readonly Operator ForeachSubList = new("aten::_foreach_sub", "List");
    public static readonly Operator ForeachMaximumInPlaceList = new("aten::_foreach_maximum_", "List");
}

/// <summary>Operators over lists of tensors, one call for all: what optimizers are made of. Lists pair up by position and shape.</summary>
public static class Foreach
{
    /// <summary>Each a ← a + number.</summary>
    public static void AddInPlace(Tensor[] a, Scalar number) => Ops.ForeachAddInPlaceScalar.CallForEffect(a, number);

    /// <summary>Each a ← a + alpha · b.</summary>
    public static void AddInPlace(Tensor[] a, Tensor[] b, Scalar? alpha = null) => Ops.ForeachAddInPlaceList.CallForEffect(a, b, alpha ?? 1);

    /// <summary>Each a ← a · number.</summary>
    public static void MulInPlace(Tensor[] a, Scalar number) => Ops.ForeachMulInPlaceScalar.CallForEffect(a, number);

    /// <summary>Each a ← a · b.</summary>
    public static void MulInPlace(Tensor[] a, Tensor[] b) => Ops.ForeachMulInPlaceList.CallForEffect(a, b);

    /// <summary>Each a ← a / b.</summary>
    public static void DivInPlace(Tensor[] a, Tensor[] b) => Ops.ForeachDivInPlaceList.CallForEffect(a, b);

    /// <summary>Each a ← a + value · b · c.</summary>
    public static void AddcmulInPlace(Tensor[] a, Tensor[] b, Tensor[] c, Scalar? value = null) => Ops.ForeachAddcmulInPlaceScalar.CallForEffect(a, b, c, value ?? 1);

    /// <summary>Each a ← a + value · b / c.</summary>
    public static void AddcdivInPlace(Tensor[] a, Tensor[] b, Tensor[] c, Scalar? value = null) => Ops.ForeachAddcdivInPlaceScalar.CallForEffect(a, b, c, value ?? 1);

    /// <summary>Each a ← max(a, b).</summary>
    public static void MaximumInPlace(Tensor[] a, Tensor[] b) => Ops.ForeachMaximumInPlaceList.CallForEffect(a, b);

    /// <summary>√ of each.</summary>
    public static Tensor[] Sqrt(Tensor[] a) => Ops.ForeachSqrt.CallList((Value)a);

    /// <summary>a − b of each.</summary>
    public static Tensor[] Sub(Tensor[] a, Tensor[] b) => Ops.ForeachSubList.CallList(a, b);

    /// <summary>L2 norm of each, a scalar tensor each.</summary>
    public static Tensor[] Norm(Tensor[] a) => Ops.ForeachNormScalar.CallList(a, 2);
}
