using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>
/// Reads the pickle inside a torch checkpoint. A pickle is a program; this machine knows the instructions that build dictionaries,
/// lists, texts, numbers and tensors, and a handful of names that stand for them. Any other name is refused, so nothing is ever executed.
/// </summary>
/// <remarks>Sources: Python's Lib/pickletools.py (protocols 2 to 5); torch/_weights_only_unpickler.py, whose list of instructions is the model for this one.</remarks>
internal sealed class RestrictedUnpickler
{
    /// <summary>Largest checkpoints of 100,000 tensors have some 20 MB.</summary>
    public const int MaxBytes = 64 << 20;

    /// <summary>Things that may be built: bounds the memory that a small hostile pickle can take.</summary>
    private const int MaxObjects = 4_000_000;

    /// <summary>libtorch's limit.</summary>
    private const int MaxDimensions = 64;

    private static readonly Dictionary<string, PickleGlobal> Globals = MakeGlobals();

    private readonly string file;
    private readonly byte[] bytes;
    private readonly List<object?> stack = [];
    private readonly Stack<int> marks = [];
    private readonly List<object?> memo = [];
    private int position;
    private int at;
    private int objects;

    private RestrictedUnpickler(string file, byte[] bytes) => (this.file, this.bytes) = (file, bytes);

    /// <summary>Builds the one thing that a pickle holds.</summary>
    /// <param name="file">Name for errors.</param>
    /// <param name="bytes">The pickle.</param>
    public static object? Load(string file, byte[] bytes) => new RestrictedUnpickler(file, bytes).Run();

    private static Dictionary<string, PickleGlobal> MakeGlobals()
    {
        var globals = new Dictionary<string, PickleGlobal>(StringComparer.Ordinal);
        void Add(GlobalKind kind, string name, DType? type = null) => globals.Add(name, new PickleGlobal(kind, name, type));
        Add(GlobalKind.OrderedDict, "collections.OrderedDict");
        Add(GlobalKind.RebuildTensor, "torch._utils._rebuild_tensor_v2");
        Add(GlobalKind.RebuildParameter, "torch._utils._rebuild_parameter");
        Add(GlobalKind.Size, "torch.Size");
        foreach (var (name, type) in new[]
        {
            ("Float", DType.Float32), ("Double", DType.Float64), ("Half", DType.Float16), ("BFloat16", DType.BFloat16), ("Long", DType.Int64),
            ("Int", DType.Int32), ("Short", DType.Int16), ("Char", DType.Int8), ("Byte", DType.UInt8), ("Bool", DType.Bool),
        })
            Add(GlobalKind.StorageType, $"torch.{name}Storage", type);
        return globals;
    }

    private object? Run()
    {
        while (true)
        {
            at = position;
            var code = Take(1)[0];
            if (code == (byte)'.')
                return stack.Count == 1 && marks.Count == 0 && position == bytes.Length
                    ? stack[0]
                    : throw Wrong($"STOP leaves {stack.Count} values, {marks.Count} marks and {bytes.Length - position} bytes; one value must be left and nothing else");
            Step(code);
        }
    }

    /// <summary>One instruction; letters and numbers are those of pickletools.</summary>
    private void Step(byte code)
    {
        switch (code)
        {
            case 0x80: // PROTO
                if (Take(1)[0] is < 2 or > 5)
                    throw Wrong($"protocol {bytes[position - 1]} is not one of 2 to 5");
                break;
            case 0x95: // FRAME: a hint for readers of streams
                Take(8);
                break;
            case (byte)'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case (byte)'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case (byte)'K': Push((long)Take(1)[0]); break;
            case (byte)'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case 0x8a: Push(Integer(Take(Take(1)[0]))); break; // LONG1
            case (byte)'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
            case (byte)'X': Push(Text(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break; // BINUNICODE
            case 0x8c: Push(Text(Take(1)[0])); break; // SHORT_BINUNICODE
            case 0x8d: Push(Text(BinaryPrimitives.ReadUInt64LittleEndian(Take(8)))); break; // BINUNICODE8
            case (byte)'U': Push(Text(Take(1)[0])); break; // SHORT_BINSTRING, by Python 2
            case (byte)'}': Push(new PickleDict()); break;
            case (byte)']': Push(new PickleList()); break;
            case (byte)')': Push(new PickleTuple([])); break;
            case (byte)'(': marks.Push(stack.Count); Count(); break;
            case (byte)'t': Push(new PickleTuple(PopMark())); break;
            case 0x85: Push(new PickleTuple(Pop(1))); break;
            case 0x86: Push(new PickleTuple(Pop(2))); break;
            case 0x87: Push(new PickleTuple(Pop(3))); break;
            case (byte)'l': Push(Extend(new PickleList(), PopMark())); break;
            case (byte)'a': { var items = Pop(1); Extend(Top<PickleList>("APPEND"), items); break; }
            case (byte)'e': { var items = PopMark(); Extend(Top<PickleList>("APPENDS"), items); break; }
            case (byte)'d': Push(Set(new PickleDict(), PopMark())); break;
            case (byte)'s': { var items = Pop(2); Set(Top<PickleDict>("SETITEM"), items); break; }
            case (byte)'u': { var items = PopMark(); Set(Top<PickleDict>("SETITEMS"), items); break; }
            case (byte)'q': Remember(Take(1)[0]); break;
            case (byte)'r': Remember(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;
            case 0x94: Remember((uint)memo.Count); break; // MEMOIZE
            case (byte)'h': Push(Recall(Take(1)[0])); break;
            case (byte)'j': Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
            case (byte)'c': Push(Global(Line(), Line())); break;
            case 0x93: // STACK_GLOBAL
            {
                var names = Pop(2);
                Push(Global(As<string>(names[0], "a module's name"), As<string>(names[1], "a name in a module")));
                break;
            }
            case (byte)'Q': Push(Storage(Pop(1)[0])); break; // BINPERSID
            case (byte)'R' or 0x81: // REDUCE, NEWOBJ
            {
                var call = Pop(2);
                Push(Build(As<PickleGlobal>(call[0], "something that can be built"), As<PickleTuple>(call[1], "a tuple of arguments").Items));
                break;
            }
            case (byte)'b': // BUILD: attributes, which an OrderedDict has where it is a state dictionary (_metadata); they hold no weights
                Pop(1);
                Top<PickleDict>("BUILD");
                break;
            default:
                throw Wrong($"the instruction 0x{code:x2}{(code is > 0x20 and < 0x7f ? $" '{(char)code}'" : "")} is not one that builds tensors, dictionaries, lists, texts or numbers");
        }
    }

    private PickleGlobal Global(string module, string name) => Globals.TryGetValue($"{module}.{name}", out var known)
        ? known
        : throw Wrong($"it wants to run '{module}.{name}', which is refused: a checkpoint may hold tensors, dictionaries, lists, texts and numbers only. Load it where you trust it and save its state_dict");

    private object? Build(PickleGlobal global, object?[] arguments)
    {
        switch (global.Kind)
        {
            case GlobalKind.OrderedDict when arguments.Length == 0:
                return new PickleDict();
            case GlobalKind.Size when arguments is [PickleTuple or PickleList]:
                return new PickleTuple([.. Numbers(arguments[0], "torch.Size").Select(number => (object)number)]);
            case GlobalKind.RebuildParameter when arguments is [TorchTensor tensor, bool, _]:
                return tensor;
            case GlobalKind.RebuildTensor when arguments is [TorchStorage storage, long offset, var shape, var strides, bool, _, ..] && arguments.Length <= 7:
                return Tensor(storage, offset, Numbers(shape, "a tensor's shape"), Numbers(strides, "a tensor's strides"));
            default:
                throw Wrong($"'{global.Name}' has arguments that do not fit it");
        }
    }

    /// <summary>('storage', type, key, device, number of elements).</summary>
    private TorchStorage Storage(object? id)
    {
        if (id is not PickleTuple { Items: ["storage", PickleGlobal { Kind: GlobalKind.StorageType } type, string key, string, long count] })
            throw Wrong("a persistent id is not ('storage', type, key, device, number of elements)");
        if (count < 0 || ElementChecks.ByteLength([count], type.Type!.Value.Size()) is null)
            throw Wrong($"the storage '{key}' has {count} elements");
        return new TorchStorage(key, type.Type.Value, count);
    }

    private TorchTensor Tensor(TorchStorage storage, long offset, long[] shape, long[] strides)
    {
        if (shape.Length != strides.Length || shape.Length > MaxDimensions)
            throw Wrong($"a tensor has {shape.Length} sizes and {strides.Length} strides; they must be equal in number and at most {MaxDimensions}");
        if (offset < 0 || shape.Any(size => size < 0) || strides.Any(stride => stride < 0))
            throw Wrong($"a tensor has a negative offset, size or stride: {offset}, {ElementChecks.Show(shape)}, {ElementChecks.Show(strides)}");
        var length = ElementChecks.ByteLength(shape, storage.Type.Size())
            ?? throw Wrong($"a tensor has the shape {ElementChecks.Show(shape)}, whose size overflows 64 bits");
        if (length == 0)
            return new TorchTensor(storage, 0, shape, strides);
        if (Strided.End(shape, strides, offset) is not { } end || end > storage.Count)
            throw Wrong($"a tensor of the shape {ElementChecks.Show(shape)} with strides {ElementChecks.Show(strides)} from {offset} reaches beyond the {storage.Count} elements of the storage '{storage.Key}'");
        // An expanded view would let a few bytes claim any amount of memory.
        if (length / storage.Type.Size() > storage.Count)
            throw Wrong($"a tensor of the shape {ElementChecks.Show(shape)} repeats the {storage.Count} elements of the storage '{storage.Key}'; save a contiguous copy of it");
        return new TorchTensor(storage, offset, shape, strides);
    }

    private long[] Numbers(object? sequence, string what)
    {
        IReadOnlyList<object?> items = sequence switch
        {
            PickleTuple tuple => tuple.Items,
            PickleList list => list.Items,
            _ => throw Wrong($"{what} is not a tuple of whole numbers"),
        };
        if (items.Count > MaxDimensions)
            throw Wrong($"{what} has {items.Count} numbers; at most {MaxDimensions} are allowed");
        return [.. items.Select(item => item is long number ? number : throw Wrong($"{what} is not a tuple of whole numbers"))];
    }

    private PickleList Extend(PickleList list, object?[] items)
    {
        list.Items.AddRange(items);
        return list;
    }

    private PickleDict Set(PickleDict dict, object?[] items)
    {
        if (items.Length % 2 != 0)
            throw Wrong("a dictionary gets a key without a value");
        for (var i = 0; i < items.Length; i += 2)
        {
            if (items[i] is not (string or long))
                throw Wrong($"a dictionary's key is {Describe(items[i])}; only texts and whole numbers are read");
            if (!dict.Items.TryAdd(items[i]!, items[i + 1]))
                throw Wrong($"a dictionary gets the key '{items[i]}' twice");
        }
        return dict;
    }

    private void Count()
    {
        if (++objects > MaxObjects)
            throw Wrong($"it builds more than {MaxObjects} things");
    }

    private void Push(object? value)
    {
        Count();
        stack.Add(value);
    }

    /// <summary>The topmost values, lowest first; not beyond the last mark.</summary>
    private object?[] Pop(int count)
    {
        if (stack.Count - (marks.Count > 0 ? marks.Peek() : 0) < count)
            throw Wrong("an instruction needs more values than there are");
        var values = new object?[count];
        stack.CopyTo(stack.Count - count, values, 0, count);
        stack.RemoveRange(stack.Count - count, count);
        return values;
    }

    private object?[] PopMark()
    {
        if (marks.Count == 0)
            throw Wrong("an instruction needs a mark and there is none");
        var values = Pop(stack.Count - marks.Peek());
        marks.Pop();
        return values;
    }

    private T Top<T>(string instruction) where T : class =>
        stack.Count > (marks.Count > 0 ? marks.Peek() : 0) && stack[^1] is T top ? top : throw Wrong($"{instruction} does not find what it fills");

    private T As<T>(object? value, string what) where T : class => value as T ?? throw Wrong($"{what} is needed, not {Describe(value)}");

    private static string Describe(object? value) => value switch
    {
        null => "None",
        string => "a text",
        bool => "a truth value",
        long or BigInteger or double => "a number",
        PickleDict => "a dictionary",
        PickleList => "a list",
        PickleTuple => "a tuple",
        _ => "a tensor or a type",
    };

    private void Remember(uint index)
    {
        if (stack.Count == 0)
            throw Wrong("there is nothing to remember");
        // Picklers number what they remember from 0 on; a table with gaps would be room for attacks.
        if (index > memo.Count)
            throw Wrong($"the memory {index} is filled after {memo.Count} others");
        if (index == memo.Count)
            memo.Add(null);
        memo[(int)index] = stack[^1];
    }

    private object? Recall(uint index) => index < memo.Count ? memo[(int)index] : throw Wrong($"the memory {index} was never filled");

    private static object Integer(ReadOnlySpan<byte> littleEndian)
    {
        var value = new BigInteger(littleEndian);
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    private string Text(ulong length)
    {
        if (length > (ulong)(bytes.Length - position))
            throw Wrong($"a text of {length} bytes is claimed and {bytes.Length - position} are left");
        try
        {
            return Strict.GetString(Take((int)length));
        }
        catch (DecoderFallbackException e)
        {
            throw Wrong("a text is not valid UTF-8", e);
        }
    }

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private string Line()
    {
        var length = bytes.AsSpan(position).IndexOf((byte)'\n');
        if (length < 0)
            throw Wrong("a line is not ended");
        var text = Text((ulong)length);
        position++;
        return text;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > bytes.Length - position)
            throw Wrong($"it ends where {count} bytes more are needed; it is truncated");
        position += count;
        return bytes.AsSpan(position - count, count);
    }

    private BadInputException Wrong(string what, Exception? inner = null) => InputFile.Refuse(file, $"the pickle at byte {at}: {what}.", inner);
}
