namespace Lethe.Torch;

/// <summary>
/// A number beside a tensor, whole or real, made by implicit conversion. The difference counts, as in PyTorch: whole tensors stay
/// whole with whole numbers and become real with real ones.
/// </summary>
public readonly struct Scalar
{
    private readonly Value value;

    private Scalar(Value value) => this.value = value;

    /// <summary>A whole number.</summary>
    public static implicit operator Scalar(int number) => new(number);

    /// <summary>A whole number.</summary>
    public static implicit operator Scalar(long number) => new(number);

    /// <summary>A real number.</summary>
    public static implicit operator Scalar(double number) => new(number);

    /// <summary>As an argument.</summary>
    public static implicit operator Value(Scalar number) => number.value.Tag == Native.ValueTag.None ? 0 : number.value;
}
