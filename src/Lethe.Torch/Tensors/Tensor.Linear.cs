namespace Lethe.Torch;

internal static partial class Ops
{
    public static readonly Operator Matmul = new("aten::matmul");
    public static readonly Operator Mm = new("aten::mm");
    public static readonly Operator Bmm = new("aten::bmm");
    public static readonly Operator Addmm = new("aten::addmm");
    public static readonly Operator AddmmInPlace = new("aten::addmm_");
    public static readonly Operator Mv = new("aten::mv");
    public static readonly Operator Addmv = new("aten::addmv");
    public static readonly Operator Outer = new("aten::outer");
    public static readonly Operator Dot = new("aten::dot");
    public static readonly Operator LinalgSvd = new("aten::linalg_svd");
    public static readonly Operator LinalgQr = new("aten::linalg_qr");
    public static readonly Operator LinalgEigh = new("aten::linalg_eigh");
    public static readonly Operator LinalgSolve = new("aten::linalg_solve");
    public static readonly Operator LinalgCholesky = new("aten::linalg_cholesky");
}

// Linear algebra.
public sealed partial class Tensor
{
    /// <summary>Matrix product, batched over leading dimensions.</summary>
    public Tensor MatMul(Tensor other) => Ops.Matmul.Call(this, other);

    /// <summary>Product of two matrices.</summary>
    public Tensor Mm(Tensor other) => Ops.Mm.Call(this, other);

    /// <summary>Products of two batches of matrices.</summary>
    public Tensor Bmm(Tensor other) => Ops.Bmm.Call(this, other);

    /// <summary>This matrix times a vector; for one row faster than <see cref="MatMul"/>, which lays the whole matrix out anew first.</summary>
    public Tensor Mv(Tensor vector) => Ops.Mv.Call(this, vector);

    /// <summary>this + a matrix times a vector.</summary>
    public Tensor Addmv(Tensor matrix, Tensor vector) => Ops.Addmv.Call(this, matrix, vector);

    /// <summary>beta · this + alpha · a b.</summary>
    public Tensor Addmm(Tensor a, Tensor b, Scalar? beta = null, Scalar? alpha = null) => Ops.Addmm.Call(this, a, b, beta ?? 1, alpha ?? 1);

    /// <summary>this ← beta · this + alpha · a b.</summary>
    public Tensor AddmmInPlace(Tensor a, Tensor b, Scalar? beta = null, Scalar? alpha = null) => Ops.AddmmInPlace.CallInPlace(this, a, b, beta ?? 1, alpha ?? 1);

    /// <summary>Outer product of two vectors.</summary>
    public Tensor Outer(Tensor other) => Ops.Outer.Call(this, other);

    /// <summary>Inner product of two vectors.</summary>
    public Tensor Dot(Tensor other) => Ops.Dot.Call(this, other);

    /// <summary>U, S, Vᵀ of the reduced singular value decomposition.</summary>
    public Tensor[] Svd() => Ops.LinalgSvd.CallMany(this, false)!;

    /// <summary>Q and R of the reduced decomposition.</summary>
    public Tensor[] Qr() => Ops.LinalgQr.CallMany(this)!;

    /// <summary>Eigenvalues (ascending) and eigenvectors of a symmetric matrix.</summary>
    public Tensor[] Eigh() => Ops.LinalgEigh.CallMany(this)!;

    /// <summary>x with this · x = right.</summary>
    public Tensor Solve(Tensor right) => Ops.LinalgSolve.Call(this, right);

    /// <summary>The lower Cholesky factor.</summary>
    public Tensor Cholesky() => Ops.LinalgCholesky.Call(this);
}
