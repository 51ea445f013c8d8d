namespace Lethe.Torch;

// Arithmetic as it is written.
public sealed partial class Tensor
{
    /// <summary>Sum.</summary>
    public static Tensor operator +(Tensor a, Tensor b) => a.Add(b);
    /// <summary>Sum.</summary>
    public static Tensor operator +(Tensor a, Scalar b) => a.Add(b);
    /// <summary>Difference.</summary>
    public static Tensor operator -(Tensor a, Tensor b) => a.Sub(b);
    /// <summary>Difference.</summary>
    public static Tensor operator -(Tensor a, Scalar b) => a.Sub(b);
    /// <summary>Difference.</summary>
    public static Tensor operator -(Scalar a, Tensor b) => b.Rsub(a);
    /// <summary>Negative.</summary>
    public static Tensor operator -(Tensor a) => a.Neg();
    /// <summary>Product.</summary>
    public static Tensor operator *(Tensor a, Tensor b) => a.Mul(b);
    /// <summary>Product.</summary>
    public static Tensor operator *(Tensor a, Scalar b) => a.Mul(b);
    /// <summary>Product.</summary>
    public static Tensor operator *(Scalar a, Tensor b) => b.Mul(a);
    /// <summary>Quotient.</summary>
    public static Tensor operator /(Tensor a, Tensor b) => a.Div(b);
    /// <summary>Quotient.</summary>
    public static Tensor operator /(Tensor a, Scalar b) => a.Div(b);
}
