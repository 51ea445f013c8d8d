using System.Runtime.InteropServices;

namespace Lethe.Torch.Native;

internal enum ValueTag
{
    None = 0,
    Tensor = 1,
    Int = 2,
    Double = 3,
    Bool = 4,
    IntList = 5,
    DoubleList = 6,
    BoolList = 7,
    TensorList = 8,
    String = 9,
    Generator = 10,
}

/// <summary>Mirrors lt_value in native/lethe_torch.cpp.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct NativeValue
{
    [FieldOffset(0)] public ValueTag Tag;
    [FieldOffset(4)] public int Count;
    [FieldOffset(8)] public long Int;
    [FieldOffset(8)] public double Double;
    [FieldOffset(8)] public nint Pointer;
}

/// <summary>Mirrors lt_description in native/lethe_torch.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeDescription
{
    public int DType;
    public int DeviceType;
    public int DeviceIndex;
    public int Dimensions;
    public int Contiguous;
    public int RequiresGrad;
    public long Elements;
    public nint Data;
    public fixed long Sizes[16];
}

/// <summary>Mirrors lt_adam_step in native/lethe_torch.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeAdamStep
{
    public float Beta1, Rest1;
    public float Beta2, Rest2;
    public float L2;
    public float Shrink;
    public float Rate;
    public float Correct2;
    public float Epsilon;
}
