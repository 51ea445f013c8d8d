using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Lethe.Torch.Native;

namespace Lethe.Torch;

/// <summary>
/// A libtorch tensor. Owned by the <see cref="TensorScope"/> that was open when it was made, or by whoever disposes it. A tensor
/// that nobody frees is freed by its finaliser, which counts as a leak (<see cref="Leaked"/>) and fails tests.
/// </summary>
/// <remarks>Operators are in the other parts of this class, by family, named as in PyTorch. Those that end with "InPlace" change the tensor and return it.</remarks>
public sealed partial class Tensor : IDisposable
{
    private static long live;
    private static long leaked;

    private nint handle;
    private long[]? shape;
    private NativeDescription description;

    // Where this tensor stands in its scope's list, so that leaving the scope costs nothing.
    internal TensorScope? Scope;
    internal int ScopeIndex;

    internal Tensor(nint handle)
    {
        this.handle = handle;
        Interlocked.Increment(ref live);
        TensorScope.Current?.Add(this);
    }

    /// <summary>Frees what nobody freed.</summary>
    ~Tensor()
    {
        if (handle == 0)
            return;
        Interlocked.Increment(ref leaked);
        Release();
    }

    /// <summary>Tensors that exist now.</summary>
    public static long Live => Interlocked.Read(ref live);

    /// <summary>Tensors that only the finaliser freed; 0 in correct code.</summary>
    public static long Leaked => Interlocked.Read(ref leaked);

    /// <summary>The TensorImpl.</summary>
    /// <exception cref="ObjectDisposedException">The tensor is freed.</exception>
    internal nint Handle => handle != 0 ? handle : throw new ObjectDisposedException(nameof(Tensor), "The tensor is freed: keep it in its scope (TensorScope.Keep) to use it later.");

    /// <summary>Whether the tensor is freed.</summary>
    public bool IsDisposed => handle == 0;

    /// <summary>Sizes of the dimensions; empty for a scalar.</summary>
    public ReadOnlySpan<long> Shape => shape ??= ReadShape();

    /// <summary>Number of dimensions.</summary>
    public int Dimensions => Shape.Length;

    /// <summary>Number of elements.</summary>
    public long Elements { get { _ = Shape; return description.Elements; } }

    /// <summary>Element type.</summary>
    public DType DType { get { _ = Shape; return (DType)description.DType; } }

    /// <summary>Where the tensor lives.</summary>
    public Device Device { get { _ = Shape; return description.DeviceType == 0 ? Device.Cpu : new Device("cuda", Math.Max(0, description.DeviceIndex)); } }

    /// <summary>Whether the elements lie row-major in memory, without gaps.</summary>
    public bool IsContiguous => Read().Contiguous != 0;

    /// <summary>Size of one dimension; negative numbers count from the end.</summary>
    public long Size(int dimension) => Shape[dimension < 0 ? dimension + Dimensions : dimension];

    /// <summary>Whether gradients are collected for this tensor.</summary>
    public bool RequiresGrad
    {
        get => Read().RequiresGrad != 0;
        set
        {
            Engine.Verify();
            unsafe { Bridge.Check(Bridge.RequiresGrad(Handle, value ? 1 : 0), "requires_grad", this); }
        }
    }

    /// <summary>The gradient collected by <see cref="Backward"/>; null before. A new handle each time; owned like any tensor.</summary>
    public Tensor? Grad
    {
        get
        {
            Engine.Verify();
            unsafe
            {
                nint gradient;
                Bridge.Check(Bridge.Gradient(Handle, &gradient), "grad", this);
                return gradient == 0 ? null : new Tensor(gradient);
            }
        }
        set
        {
            Engine.Verify();
            unsafe { Bridge.Check(Bridge.SetGradient(Handle, value?.Handle ?? 0), "grad", this, value); }
        }
    }

    /// <summary>Collects gradients of this tensor with respect to everything that requires them. It must hold one number unless a gradient is given.</summary>
    public unsafe void Backward(Tensor? gradient = null, bool retainGraph = false, bool createGraph = false)
    {
        Engine.Verify();
        Bridge.Check(Bridge.Backward(Handle, gradient?.Handle ?? 0, retainGraph || createGraph ? 1 : 0, createGraph ? 1 : 0), "backward", this, gradient);
    }

    /// <summary>The one number that the tensor holds.</summary>
    public double Item() => Ops.Item.CallNumber(this);

    /// <summary>A tensor with a copy of the elements.</summary>
    /// <param name="values">Row-major elements; float, double, long, int, short, byte, sbyte or bool.</param>
    /// <param name="shape">Sizes; one dimension if left out. A scalar is made by <see cref="Full"/> with an empty shape.</param>
    public static unsafe Tensor FromArray<T>(ReadOnlySpan<T> values, params ReadOnlySpan<long> shape) where T : unmanaged
    {
        Engine.Verify();
        ReadOnlySpan<long> sizes = shape.Length == 0 ? [values.Length] : shape;
        var elements = 1L;
        foreach (var size in sizes)
            elements = checked(elements * size);
        if (elements != values.Length)
            throw new ArgumentException($"{values.Length} values do not fill the shape [{string.Join(", ", sizes.ToArray())}].", nameof(shape));
        fixed (T* data = values)
        fixed (long* s = sizes)
            return Copy(data, s, sizes.Length, DTypeOf<T>());
    }

    /// <inheritdoc cref="FromArray{T}(ReadOnlySpan{T}, ReadOnlySpan{long})"/>
    public static Tensor FromArray<T>(T[] values, params ReadOnlySpan<long> shape) where T : unmanaged => FromArray((ReadOnlySpan<T>)values, shape);

    /// <summary>A tensor with a copy of an array read from a file.</summary>
    public static unsafe Tensor From(HostArray array)
    {
        Engine.Verify();
        if (array.Bytes.Length != array.Count * array.Type.Size())
            throw new ArgumentException($"{array.Bytes.Length} bytes do not fill {array.Count} elements of {array.Type}.", nameof(array));
        long[] sizes = [.. array.Shape];
        fixed (byte* data = array.Bytes.Span)
        fixed (long* s = sizes)
            return Copy(data, s, sizes.Length, array.Type);
    }

    /// <summary>this ← elements that lie in ordinary memory, row-major, converted to this tensor's type; no other copy of them is made.</summary>
    /// <param name="elements">Exactly this tensor's number of elements.</param>
    /// <param name="type">Their type.</param>
    public unsafe Tensor CopyInPlace(ReadOnlySpan<byte> elements, DType type)
    {
        if (elements.Length != Elements * type.Size())
            throw new ArgumentException($"{elements.Length} bytes do not fill {Elements} elements of {type}.", nameof(elements));
        byte nothing = 0;
        fixed (byte* data = elements)
        fixed (long* s = Shape)
        {
            var over = Bridge.TensorOver(data == null ? &nothing : data, s, Dimensions, (int)type);
            if (over == 0)
                throw new TorchException("from_blob", Bridge.LastError());
            using var view = new Tensor(over);
            return CopyInPlace(view);
        }
    }

    /// <summary>A copy of the elements, row-major, in ordinary memory.</summary>
    public HostArray ToHost()
    {
        var bytes = new byte[checked((int)(Elements * DType.Size()))];
        CopyTo(bytes.AsSpan());
        return new HostArray(DType, Shape.ToArray(), bytes);
    }

    /// <summary>A copy of the elements, row-major. The element type must be the tensor's.</summary>
    public T[] ToArray<T>() where T : unmanaged
    {
        if (DTypeOf<T>() != DType)
            throw new InvalidOperationException($"The tensor holds {DType}, not {typeof(T).Name}; convert it with To first.");
        var values = new T[Elements];
        CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>Frees the tensor; doing it twice is harmless.</summary>
    public void Dispose()
    {
        if (handle == 0)
            return;
        Scope?.Remove(this);
        Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>Element type, shape and, where it is not the CPU, device, as error messages show them.</summary>
    public string Describe() => IsDisposed ? "freed tensor" : $"{DType.ToString().ToLowerInvariant()}[{string.Join(", ", Shape.ToArray())}]{(Device == Device.Cpu ? "" : $" on {Device}")}";

    /// <inheritdoc/>
    public override string ToString() => Describe();

    /// <summary>Makes this object stand for another tensor, whose own object ends; whoever refers to this one sees the other.</summary>
    internal void Become(Tensor other)
    {
        var (taken, before) = (other.Handle, Handle);
        other.handle = before;
        other.shape = null;
        handle = taken;
        shape = null;
        other.Dispose();
    }

    private static unsafe Tensor Copy(void* data, long* sizes, int dimensions, DType type)
    {
        // from_blob refuses null, which is what pinning an empty array gives.
        byte nothing = 0;
        var over = Bridge.TensorOver(data == null ? &nothing : data, sizes, dimensions, (int)type);
        if (over == 0)
            throw new TorchException("from_blob", Bridge.LastError());
        using var view = new Tensor(over);
        return view.Clone();
    }

    private unsafe void CopyTo(Span<byte> bytes)
    {
        using var ready = Device.Kind == "cpu" && Read().Contiguous != 0 ? null : To(Device.Cpu).Contiguous();
        var source = ready ?? this;
        if (Elements > 0)
            new ReadOnlySpan<byte>((void*)source.Read().Data, bytes.Length).CopyTo(bytes);
        GC.KeepAlive(source);
    }

    private unsafe void Release()
    {
        Interlocked.Decrement(ref live);
        Bridge.TensorRelease(handle);
        handle = 0;
    }

    private unsafe NativeDescription Read()
    {
        Engine.Verify();
        NativeDescription read;
        Bridge.Check(Bridge.TensorDescribe(Handle, &read), "describe");
        GC.KeepAlive(this);
        return read;
    }

    private unsafe long[] ReadShape()
    {
        description = Read();
        var sizes = new long[description.Dimensions];
        for (var k = 0; k < sizes.Length; k++)
            sizes[k] = description.Sizes[k];
        return sizes;
    }

    private static DType DTypeOf<T>() => default(T) switch
    {
        float => DType.Float32,
        double => DType.Float64,
        long => DType.Int64,
        int => DType.Int32,
        short => DType.Int16,
        byte => DType.UInt8,
        sbyte => DType.Int8,
        bool => DType.Bool,
        Half => DType.Float16,
        _ => throw new ArgumentException($"{typeof(T).Name} is no element type of tensors."),
    };
}
