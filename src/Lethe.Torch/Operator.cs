using System.Runtime.InteropServices;
using System.Text;
using Lethe.Torch.Native;

namespace Lethe.Torch;

/// <summary>One ATen operator, looked up in libtorch's dispatcher on first use and called with tagged values.</summary>
/// <param name="name">Name with namespace, for example "aten::add".</param>
/// <param name="overload">Overload name, for example "Tensor"; empty for the one without.</param>
public sealed unsafe class Operator(string name, string overload = "")
{
    private const int MaximumResults = 8;
    private nint handle;

    /// <summary>Name and overload, for example "aten::add.Tensor".</summary>
    public string FullName { get; } = overload.Length == 0 ? name : name + "." + overload;

    /// <summary>Whether the libtorch at hand has it; operators of newer versions are asked before they are used.</summary>
    public bool Exists => TryFind() != 0;

    /// <summary>The schema that libtorch has for it.</summary>
    /// <exception cref="TorchException">This libtorch has no such operator.</exception>
    public string Schema()
    {
        var buffer = stackalloc byte[8192];
        Bridge.Check(Bridge.Schema(Handle(), buffer, 8192), FullName);
        return Marshal.PtrToStringUTF8((nint)buffer)!;
    }

    /// <summary>Calls an operator that returns one tensor.</summary>
    /// <exception cref="TorchException">libtorch refuses; the message has the operator, shapes and dtypes.</exception>
    public Tensor Call(params ReadOnlySpan<Value> arguments)
    {
        NativeValue result;
        Invoke(arguments, &result, 1);
        return result.Tag == ValueTag.Tensor ? new Tensor(result.Pointer) : throw Unexpected(result, "a tensor");
    }

    /// <summary>Calls an operator that changes its first argument in place, and returns that argument.</summary>
    /// <exception cref="TorchException">libtorch refuses.</exception>
    public Tensor CallInPlace(params ReadOnlySpan<Value> arguments)
    {
        Invoke(arguments, null, 0);
        return (Tensor)arguments[0].Reference!;
    }

    /// <summary>Calls an operator whose results are not wanted, such as the in-place ones over lists of tensors.</summary>
    /// <exception cref="TorchException">libtorch refuses.</exception>
    public void CallForEffect(params ReadOnlySpan<Value> arguments) => Invoke(arguments, null, 0);

    /// <summary>Calls an operator that returns several tensors; absent ones are null.</summary>
    /// <exception cref="TorchException">libtorch refuses.</exception>
    public Tensor?[] CallMany(params ReadOnlySpan<Value> arguments)
    {
        var results = stackalloc NativeValue[MaximumResults];
        var n = Invoke(arguments, results, MaximumResults);
        var tensors = new Tensor?[n];
        for (var k = 0; k < n; k++)
            tensors[k] = results[k].Tag switch
            {
                ValueTag.Tensor => new Tensor(results[k].Pointer),
                ValueTag.None => null,
                _ => throw Unexpected(results[k], "tensors"),
            };
        return tensors;
    }

    /// <summary>Calls an operator that returns a list of tensors.</summary>
    /// <exception cref="TorchException">libtorch refuses.</exception>
    public Tensor[] CallList(params ReadOnlySpan<Value> arguments)
    {
        NativeValue result;
        Invoke(arguments, &result, 1);
        if (result.Tag != ValueTag.TensorList)
            throw Unexpected(result, "a list of tensors");
        var tensors = new Tensor[result.Count];
        for (var k = 0; k < result.Count; k++)
            tensors[k] = new Tensor(((nint*)result.Pointer)[k]);
        Bridge.Free(result.Pointer);
        return tensors;
    }

    /// <summary>Calls an operator that returns a number.</summary>
    /// <exception cref="TorchException">libtorch refuses.</exception>
    public double CallNumber(params ReadOnlySpan<Value> arguments)
    {
        NativeValue result;
        Invoke(arguments, &result, 1);
        return result.Tag switch
        {
            ValueTag.Double => result.Double,
            ValueTag.Int or ValueTag.Bool => result.Int,
            _ => throw Unexpected(result, "a number"),
        };
    }

    private int Invoke(ReadOnlySpan<Value> arguments, NativeValue* results, int capacity)
    {
        Engine.Verify();
        var scratchBytes = 0;
        foreach (ref readonly var argument in arguments)
            scratchBytes += ScratchBytes(argument);
        var native = stackalloc NativeValue[arguments.Length];
        var onStack = stackalloc byte[scratchBytes <= 2048 ? scratchBytes : 0];
        var scratch = scratchBytes <= 2048 ? onStack : (byte*)NativeMemory.Alloc((nuint)scratchBytes);
        try
        {
            var free = scratch;
            for (var k = 0; k < arguments.Length; k++)
                native[k] = ToNative(arguments[k], ref free);
            int returned;
            if (Bridge.Call(Handle(), native, arguments.Length, results, capacity, &returned) != 0)
                throw new TorchException(Describe(arguments), Bridge.LastError());
            // The tensors' finalisers must not run while libtorch reads them.
            foreach (ref readonly var argument in arguments)
                GC.KeepAlive(argument.Reference);
            return returned;
        }
        finally
        {
            if (scratch != onStack)
                NativeMemory.Free(scratch);
        }
    }

    private static int ScratchBytes(in Value value) => value.Reference switch
    {
        null or Tensor or RandomStream => 0,
        long[] numbers => numbers.Length * sizeof(long),
        double[] numbers => numbers.Length * sizeof(double),
        Tensor?[] tensors => tensors.Length * sizeof(nint),
        bool[] flags => (flags.Length + 7) & ~7,
        string text => (Encoding.UTF8.GetMaxByteCount(text.Length) + 7) & ~7,
        _ => 0,
    };

    private static NativeValue ToNative(in Value value, ref byte* free)
    {
        var native = new NativeValue { Tag = value.Tag, Int = value.Bits };
        switch (value.Reference)
        {
            case null:
                break;
            case Tensor tensor:
                native.Pointer = tensor.Handle;
                break;
            case RandomStream stream:
                native.Pointer = stream.Handle;
                break;
            case long[] numbers:
                numbers.CopyTo(new Span<long>(free, numbers.Length));
                Take(ref native, ref free, numbers.Length, numbers.Length * sizeof(long));
                break;
            case double[] numbers:
                numbers.CopyTo(new Span<double>(free, numbers.Length));
                Take(ref native, ref free, numbers.Length, numbers.Length * sizeof(double));
                break;
            case Tensor?[] tensors:
                for (var k = 0; k < tensors.Length; k++)
                    ((nint*)free)[k] = tensors[k]?.Handle ?? 0;
                Take(ref native, ref free, tensors.Length, tensors.Length * sizeof(nint));
                break;
            case bool[] flags:
                for (var k = 0; k < flags.Length; k++)
                    free[k] = flags[k] ? (byte)1 : (byte)0;
                Take(ref native, ref free, flags.Length, (flags.Length + 7) & ~7);
                break;
            case string text:
                var room = (Encoding.UTF8.GetMaxByteCount(text.Length) + 7) & ~7;
                Take(ref native, ref free, Encoding.UTF8.GetBytes(text, new Span<byte>(free, room)), room);
                break;
        }
        return native;
    }

    private static void Take(ref NativeValue native, ref byte* free, int count, int bytes)
    {
        native.Pointer = (nint)free;
        native.Count = count;
        free += bytes;
    }

    private nint Handle() => TryFind() is var found && found != 0
        ? found
        : throw new TorchException(FullName, $"libtorch {Bridge.Version} has no such operator");

    private nint TryFind()
    {
        if (handle != 0)
            return handle;
        Engine.Verify();
        fixed (byte* n = Encoding.UTF8.GetBytes(name + '\0'), o = Encoding.UTF8.GetBytes(overload + '\0'))
            return handle = Bridge.Find(n, o);
    }

    private string Describe(ReadOnlySpan<Value> arguments)
    {
        var text = new StringBuilder(FullName).Append('(');
        for (var k = 0; k < arguments.Length; k++)
            text.Append(k == 0 ? "" : ", ").Append(arguments[k].Describe());
        return text.Append(')').ToString();
    }

    private TorchException Unexpected(NativeValue result, string expected) =>
        new(FullName, $"it returns {result.Tag.ToString().ToLowerInvariant()}, where {expected} was expected");
}
