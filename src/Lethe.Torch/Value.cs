namespace Lethe.Torch;

/// <summary>An argument of an operator: a tensor, a number, a list, nothing. Made by implicit conversion.</summary>
public readonly struct Value
{
    internal readonly Native.ValueTag Tag;
    internal readonly long Bits;
    internal readonly object? Reference;

    private Value(Native.ValueTag tag, long bits, object? reference = null)
    {
        Tag = tag;
        Bits = bits;
        Reference = reference;
    }

    /// <summary>An absent optional argument.</summary>
    public static Value None => default;

    /// <summary>A tensor; null is an absent one.</summary>
    public static implicit operator Value(Tensor? tensor) => tensor is null ? None : new(Native.ValueTag.Tensor, 0, tensor);

    /// <summary>A whole number.</summary>
    public static implicit operator Value(long number) => new(Native.ValueTag.Int, number);

    /// <summary>A whole number.</summary>
    public static implicit operator Value(int number) => new(Native.ValueTag.Int, number);

    /// <summary>A real number.</summary>
    public static implicit operator Value(double number) => new(Native.ValueTag.Double, BitConverter.DoubleToInt64Bits(number));

    /// <summary>A truth value.</summary>
    public static implicit operator Value(bool flag) => new(Native.ValueTag.Bool, flag ? 1 : 0);

    /// <summary>An element type, as the number that schemas expect.</summary>
    public static implicit operator Value(DType type) => new(Native.ValueTag.Int, (long)type);

    /// <summary>Whole numbers, such as a shape.</summary>
    public static implicit operator Value(long[] numbers) => new(Native.ValueTag.IntList, 0, numbers);

    /// <summary>Real numbers.</summary>
    public static implicit operator Value(double[] numbers) => new(Native.ValueTag.DoubleList, 0, numbers);

    /// <summary>Truth values.</summary>
    public static implicit operator Value(bool[] flags) => new(Native.ValueTag.BoolList, 0, flags);

    /// <summary>Tensors; null entries are absent ones.</summary>
    public static implicit operator Value(Tensor?[] tensors) => new(Native.ValueTag.TensorList, 0, tensors);

    /// <summary>Text, such as a rounding mode.</summary>
    public static implicit operator Value(string? text) => text is null ? None : new(Native.ValueTag.String, 0, text);

    /// <summary>A device.</summary>
    public static implicit operator Value(Device device) => new(Native.ValueTag.String, 0, device.ToString());

    /// <summary>A source of random numbers.</summary>
    public static implicit operator Value(RandomStream stream) => new(Native.ValueTag.Generator, stream.Handle, stream);

    internal string Describe() => Tag switch
    {
        Native.ValueTag.None => "none",
        Native.ValueTag.Tensor => ((Tensor)Reference!).Describe(),
        Native.ValueTag.Int => Bits.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Native.ValueTag.Double => BitConverter.Int64BitsToDouble(Bits).ToString(System.Globalization.CultureInfo.InvariantCulture),
        Native.ValueTag.Bool => Bits != 0 ? "true" : "false",
        Native.ValueTag.IntList => "[" + string.Join(", ", (long[])Reference!) + "]",
        Native.ValueTag.TensorList => "[" + string.Join(", ", ((Tensor?[])Reference!).Take(4).Select(t => t?.Describe() ?? "none")) + (((Tensor?[])Reference!).Length > 4 ? ", …" : "") + "]",
        Native.ValueTag.String => "'" + (string)Reference! + "'",
        _ => Tag.ToString().ToLowerInvariant(),
    };
}
