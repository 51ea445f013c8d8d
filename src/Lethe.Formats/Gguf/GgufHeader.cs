using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Lethe.Torch;

namespace Lethe.Formats.Gguf;

/// <summary>
/// Reads and checks what stands before the tensors' data: magic, version, counts, keys with values, tensor descriptions.
/// Every count is held against the bytes that are left before anything is allocated for it.
/// </summary>
/// <remarks>Source: ggml docs/gguf.md and gguf.cpp, gguf_init_from_file.</remarks>
internal sealed unsafe class GgufHeader
{
    /// <summary>GGML_MAX_DIMS.</summary>
    private const int MaxDimensions = 4;

    /// <summary>docs/gguf.md: names of tensors have at most 64 bytes.</summary>
    private const int MaxNameBytes = 64;

    /// <summary>docs/gguf.md: keys have at most 2^16 − 1 bytes.</summary>
    private const int MaxKeyBytes = 65535;

    /// <summary>docs/gguf.md: where general.alignment is left out.</summary>
    private const ulong DefaultAlignment = 32;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string file;
    private readonly byte* start;
    private readonly long length;
    private long position;

    private GgufHeader(string file, byte* start, long length)
    {
        this.file = file;
        this.start = start;
        this.length = length;
    }

    public int Version { get; private set; }

    public OrderedDictionary<string, object> Values { get; } = new(StringComparer.Ordinal);

    public List<GgufTensor> Tensors { get; } = [];

    /// <param name="file">Name for errors.</param>
    /// <param name="start">The file's first byte.</param>
    /// <param name="length">The file's length.</param>
    public static GgufHeader Parse(string file, byte* start, long length)
    {
        var header = new GgufHeader(file, start, length);
        header.Parse();
        return header;
    }

    private void Parse()
    {
        if (length < 24 || !new ReadOnlySpan<byte>(start, 4).SequenceEqual("GGUF"u8))
            throw InputFile.Refuse(file, length < 24 ? $"is no GGUF file: it has {length} bytes and the header alone takes 24." : "is no GGUF file: it does not begin with 'GGUF'.");
        position = 4;
        var version = U32("the version");
        if ((version & 0xffff) == 0)
            throw InputFile.Refuse(file, "is a big-endian GGUF file; Lethe reads little-endian ones.");
        if (version is not (2 or 3))
            throw InputFile.Refuse(file, $"is GGUF version {version} (byte 4); Lethe reads versions 2 and 3.");
        Version = (int)version;
        // A tensor description takes at least 24 bytes, a key with its value at least 13.
        var tensors = Count("the number of tensors", 24);
        var keys = Count("the number of keys", 13);
        for (var i = 0L; i < keys; i++)
            ReadValue(i);
        var alignment = Alignment();
        for (var i = 0L; i < tensors; i++)
            ReadTensor(i);
        Place(alignment);
    }

    private void ReadValue(long number)
    {
        var key = Text($"key {number}", MaxKeyBytes);
        if (key.Length == 0)
            throw InputFile.Refuse(file, $"key {number} at byte {position - 8} is empty.");
        var type = U32($"the type of {key}");
        if (!Values.TryAdd(key, type == 9 ? List(key) : Scalar(key, type)))
            throw InputFile.Refuse(file, $"has the key {key} twice.");
    }

    private object Scalar(string key, uint type) => type switch
    {
        0 => (ulong)Take(1, key)[0],
        1 => (long)(sbyte)Take(1, key)[0],
        2 => (ulong)BinaryPrimitives.ReadUInt16LittleEndian(Take(2, key)),
        3 => (long)BinaryPrimitives.ReadInt16LittleEndian(Take(2, key)),
        4 => (ulong)U32(key),
        5 => (long)BinaryPrimitives.ReadInt32LittleEndian(Take(4, key)),
        6 => BinaryPrimitives.ReadSingleLittleEndian(Take(4, key)),
        7 => Truth(key),
        8 => Text(key, long.MaxValue),
        10 => U64(key),
        11 => BinaryPrimitives.ReadInt64LittleEndian(Take(8, key)),
        12 => BinaryPrimitives.ReadDoubleLittleEndian(Take(8, key)),
        _ => throw InputFile.Refuse(file, $"{key} has the value type {type} at byte {position - 4}; 0 to 12 are allowed."),
    };

    private object List(string key)
    {
        var type = U32($"the element type of {key}");
        var size = type switch
        {
            0 or 1 or 7 => 1,
            2 or 3 => 2,
            4 or 5 or 6 => 4,
            8 or 10 or 11 or 12 => 8,
            9 => throw InputFile.Refuse(file, $"{key} is a list of lists, which no program writes."),
            _ => throw InputFile.Refuse(file, $"{key} has the element type {type} at byte {position - 4}; 0 to 8 and 10 to 12 are allowed."),
        };
        var count = Count($"the length of {key}", size);
        // What is made of an element takes 8 bytes, so that a list never takes more than eight times its place in the file.
        if (count > Array.MaxLength / 8)
            throw InputFile.Refuse(file, $"{key} has {count} elements; at most {Array.MaxLength / 8} are allowed.");
        return type switch
        {
            8 => Fill(new string[count], () => Text(key, long.MaxValue)),
            6 or 12 => Fill(new double[count], () => type == 6 ? BinaryPrimitives.ReadSingleLittleEndian(Take(4, key)) : BinaryPrimitives.ReadDoubleLittleEndian(Take(8, key))),
            7 => Fill(new bool[count], () => Truth(key)),
            _ => Fill(new long[count], () => Scalar(key, type) switch
            {
                long number => number,
                ulong number when number <= long.MaxValue => (long)number,
                var other => throw InputFile.Refuse(file, $"{key} has the element {other}; at most {long.MaxValue} is allowed."),
            }),
        };

        static T[] Fill<T>(T[] list, Func<T> next)
        {
            for (var i = 0; i < list.Length; i++)
                list[i] = next();
            return list;
        }
    }

    private bool Truth(string key) => Take(1, key)[0] is <= 1 and var value ? value == 1 : throw InputFile.Refuse(file, $"{key} has a truth value of {start[position - 1]} at byte {position - 1}; it may be 0 or 1.");

    private ulong Alignment()
    {
        const string key = "general.alignment";
        return Values.GetValueOrDefault(key) switch
        {
            null => DefaultAlignment,
            ulong value when value is >= 1 and <= 1 << 20 && BitOperations.IsPow2(value) => value,
            var value => throw InputFile.Refuse(file, $"{key} is {value}; it must be a power of two up to 1048576."),
        };
    }

    private void ReadTensor(long number)
    {
        var name = Text($"the name of tensor {number}", MaxNameBytes);
        var dimensions = U32($"the number of dimensions of '{name}'");
        if (dimensions > MaxDimensions)
            throw InputFile.Refuse(file, $"tensor '{name}' has {dimensions} dimensions; at most {MaxDimensions} are allowed.");
        var shape = new long[dimensions];
        for (var i = shape.Length - 1; i >= 0; i--)
            shape[i] = U64($"a dimension of '{name}'") is >= 1 and <= long.MaxValue and var size
                ? (long)size
                : throw InputFile.Refuse(file, $"tensor '{name}' has a dimension of {BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(start + position - 8, 8))} at byte {position - 8}; 1 to {long.MaxValue} are allowed.");
        var type = (GgufType)U32($"the type of '{name}'");
        if (!Enum.IsDefined(type))
            throw InputFile.Refuse(file, $"tensor '{name}' has the unknown type {(int)type}; Lethe reads {string.Join(", ", GgufTypes.Readable)}.");
        var offset = U64($"the offset of '{name}'");
        var (elements, bytes) = type.Block();
        var row = shape.Length == 0 ? 1 : shape[^1];
        if (row % elements != 0)
            throw InputFile.Refuse(file, $"tensor '{name}' is {type} with rows of {row} elements; its blocks hold {elements}, so rows must be a multiple of that.");
        var size64 = ElementChecks.ByteLength([.. shape.Take(shape.Length - 1), row / elements], bytes);
        if (size64 is null || offset > long.MaxValue)
            throw InputFile.Refuse(file, $"tensor '{name}' of {ElementChecks.Show(shape)} at offset {offset} overflows 64 bits.");
        Tensors.Add(new GgufTensor(name, type, shape, (long)offset, size64.Value));
    }

    /// <summary>Turns offsets within the data into offsets within the file: aligned, without overlap, within the file.</summary>
    private void Place(ulong alignment)
    {
        var data = (position + (long)alignment - 1) / (long)alignment * (long)alignment;
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < Tensors.Count; i++)
        {
            var tensor = Tensors[i];
            if (!names.Add(tensor.Name))
                throw InputFile.Refuse(file, $"has the tensor '{tensor.Name}' twice.");
            if (tensor.Offset % (long)alignment != 0)
                throw InputFile.Refuse(file, $"tensor '{tensor.Name}' has the offset {tensor.Offset}, which is no multiple of the alignment {alignment}.");
            if (data > length || tensor.Offset > length - data || tensor.Length > length - data - tensor.Offset)
                throw InputFile.Refuse(file, $"tensor '{tensor.Name}' takes {tensor.Length} bytes at offset {tensor.Offset} of the data, which begin at byte {data}, but the file ends at byte {length}; it is truncated.");
            Tensors[i] = tensor with { Offset = data + tensor.Offset };
        }
        GgufTensor? before = null;
        foreach (var tensor in Tensors.OrderBy(tensor => tensor.Offset).ThenBy(tensor => tensor.Length))
        {
            if (before is not null && tensor.Offset < before.Offset + before.Length)
                throw InputFile.Refuse(file, $"tensor '{tensor.Name}' begins at byte {tensor.Offset}, but '{before.Name}' ends at byte {before.Offset + before.Length}; tensors must not overlap.");
            before = tensor;
        }
    }

    /// <summary>A count whose elements take at least so many bytes each.</summary>
    private long Count(string what, int elementBytes)
    {
        var count = U64(what);
        return count <= (ulong)((length - position) / elementBytes)
            ? (long)count
            : throw InputFile.Refuse(file, $"{what} is {count} at byte {position - 8}, which the {length - position} bytes that follow cannot hold.");
    }

    private string Text(string what, long maxBytes)
    {
        var at = position;
        var size = Count($"the text length of {what}", 1);
        if (size > maxBytes)
            throw InputFile.Refuse(file, $"{what} has {size} bytes at byte {at}; at most {maxBytes} are allowed.");
        try
        {
            return StrictUtf8.GetString(Take(size, what));
        }
        catch (ArgumentException e)
        {
            throw InputFile.Refuse(file, $"{what} at byte {at + 8} is no valid UTF-8.", e);
        }
    }

    private uint U32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    private ulong U64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    private ReadOnlySpan<byte> Take(long bytes, string what)
    {
        if (bytes > length - position)
            throw InputFile.Refuse(file, $"ends within {what}, at byte {position}; it is truncated.");
        if (bytes > int.MaxValue)
            throw InputFile.Refuse(file, $"{what} at byte {position} has {bytes} bytes; at most {int.MaxValue} are allowed.");
        var span = new ReadOnlySpan<byte>(start + position, (int)bytes);
        position += bytes;
        return span;
    }
}
