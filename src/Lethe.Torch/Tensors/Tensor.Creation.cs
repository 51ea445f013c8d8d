namespace Lethe.Torch;

internal static partial class Ops
{
    public static readonly Operator Zeros = new("aten::zeros");
    public static readonly Operator Ones = new("aten::ones");
    public static readonly Operator Full = new("aten::full");
    public static readonly Operator EmptyMemoryFormat = new("aten::empty", "memory_format");
    public static readonly Operator ArangeStartStep = new("aten::arange", "start_step");
    public static readonly Operator Linspace = new("aten::linspace");
    public static readonly Operator Eye = new("aten::eye");
    public static readonly Operator ZerosLike = new("aten::zeros_like");
    public static readonly Operator OnesLike = new("aten::ones_like");
    public static readonly Operator EmptyLike = new("aten::empty_like");
}

// New tensors.
public sealed partial class Tensor
{
    /// <summary>All 0.</summary>
    public static Tensor Zeros(long[] shape, DType type = DType.Float32, Device? device = null) => Ops.Zeros.Call(shape, type, Value.None, device ?? Device.Cpu);

    /// <summary>All 1.</summary>
    public static Tensor Ones(long[] shape, DType type = DType.Float32, Device? device = null) => Ops.Ones.Call(shape, type, Value.None, device ?? Device.Cpu);

    /// <summary>All the same number.</summary>
    public static Tensor Full(long[] shape, Scalar number, DType type = DType.Float32, Device? device = null) => Ops.Full.Call(shape, number, type, Value.None, device ?? Device.Cpu);

    /// <summary>Memory as it is.</summary>
    public static Tensor Empty(long[] shape, DType type = DType.Float32, Device? device = null) => Ops.EmptyMemoryFormat.Call(shape, type, Value.None, device ?? Device.Cpu);

    /// <summary>start, start + step, … below end.</summary>
    public static Tensor Arange(Scalar start, Scalar end, Scalar? step = null, DType type = DType.Int64, Device? device = null) => Ops.ArangeStartStep.Call(start, end, step ?? 1, type, Value.None, device ?? Device.Cpu);

    /// <summary>Evenly spaced, both ends included.</summary>
    public static Tensor Linspace(Scalar start, Scalar end, long steps, DType type = DType.Float32, Device? device = null) => Ops.Linspace.Call(start, end, steps, type, Value.None, device ?? Device.Cpu);

    /// <summary>The identity matrix.</summary>
    public static Tensor Eye(long n, DType type = DType.Float32, Device? device = null) => Ops.Eye.Call(n, type, Value.None, device ?? Device.Cpu);

    /// <summary>All 0, of this shape, element type and device.</summary>
    public Tensor ZerosLike() => Ops.ZerosLike.Call(this);

    /// <summary>All 1, of this shape, element type and device.</summary>
    public Tensor OnesLike() => Ops.OnesLike.Call(this);

    /// <summary>Memory as it is, of this shape, element type and device.</summary>
    public Tensor EmptyLike() => Ops.EmptyLike.Call(this);
}
