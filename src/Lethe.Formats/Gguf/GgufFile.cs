using Lethe.Torch;

namespace Lethe.Formats.Gguf;

/// <summary>
/// A GGUF file (versions 2 and 3, little-endian), mapped into memory: keys and tensor descriptions are read and checked when it is opened,
/// tensors are read when they are asked for, and the pages that were read are let go.
/// </summary>
public sealed unsafe class GgufFile : IDisposable
{
    private readonly MappedFile mapping;
    private readonly Dictionary<string, GgufTensor> byName;

    private GgufFile(MappedFile mapping, GgufHeader header)
    {
        this.mapping = mapping;
        (Version, Tensors) = (header.Version, header.Tensors);
        Metadata = new GgufMetadata(mapping.Path, header.Values);
        byName = Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    }

    /// <summary>The name under which the file was opened.</summary>
    public string Path => mapping.Path;

    /// <summary>2 or 3; they differ in nothing that is read here.</summary>
    public int Version { get; }

    /// <summary>Keys and values.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensors, in the file's order.</summary>
    public IReadOnlyList<GgufTensor> Tensors { get; }

    /// <summary>Opens and checks a file.</summary>
    /// <exception cref="BadInputException">The file is missing, or breaks a rule of the format; the message names the key, the tensor or the byte.</exception>
    public static GgufFile Open(string path)
    {
        var mapping = MappedFile.Open(path);
        try
        {
            var header = GgufHeader.Parse(path, mapping.Pointer, mapping.Length);
            var file = new GgufFile(mapping, header);
            // Vocabularies make up megabytes of the header, and all of it has been copied.
            mapping.ReleasePages(0, mapping.Length);
            return file;
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => byName.ContainsKey(name);

    /// <summary>What the file says of a tensor.</summary>
    /// <exception cref="BadInputException">There is none of that name.</exception>
    public GgufTensor Tensor(string name) => byName.GetValueOrDefault(name)
        ?? throw InputFile.Refuse(Path, $"has no tensor '{name}'; it has {Tensors.Count}{(Tensors.Count == 0 ? "" : $": {string.Join(", ", Tensors.Take(8).Select(tensor => tensor.Name))}{(Tensors.Count > 8 ? ", …" : "")}")}.");

    /// <summary>The type that <see cref="Read"/> gives: float32 for blocks, else the stored one.</summary>
    /// <exception cref="BadInputException">There is no such tensor, or its type is one that Lethe cannot read.</exception>
    public DType TypeOf(string name) => Readable(Tensor(name)).Type switch
    {
        GgufType.F16 => DType.Float16,
        GgufType.BF16 => DType.BFloat16,
        _ => DType.Float32,
    };

    /// <summary>A tensor in ordinary memory: floats as they are stored, blocks dequantised to float32.</summary>
    /// <exception cref="BadInputException">There is none of that name, Lethe cannot read its type, or it takes more than 2 GiB: read it by rows.</exception>
    public HostArray Read(string name)
    {
        var tensor = Tensor(name);
        var type = TypeOf(name);
        var rows = Rows(tensor);
        var bytes = Allocate(tensor, rows, type);
        ReadRows(name, 0, rows, bytes);
        return new HostArray(type, tensor.Shape, bytes);
    }

    /// <summary>Some rows, in the order asked for; nothing else is read. Rows are those of the last dimension, whatever dimensions lie before it.</summary>
    /// <param name="name">A tensor.</param>
    /// <param name="rows">Row numbers, from 0 to elements / last dimension − 1.</param>
    /// <returns>(rows, last dimension).</returns>
    /// <exception cref="BadInputException">See <see cref="Read"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A row is outside the tensor.</exception>
    public HostArray ReadRows(string name, ReadOnlySpan<long> rows)
    {
        var tensor = Tensor(name);
        var type = TypeOf(name);
        var bytes = Allocate(tensor, rows.Length, type);
        Gather(tensor, type, rows, bytes);
        return new HostArray(type, [rows.Length, tensor.RowElements], bytes);
    }

    /// <summary>Consecutive rows into memory of the caller's, in the type of <see cref="TypeOf"/>.</summary>
    /// <param name="name">A tensor.</param>
    /// <param name="first">The first row, from 0.</param>
    /// <param name="count">How many.</param>
    /// <param name="destination">Exactly the bytes of these rows.</param>
    /// <exception cref="BadInputException">There is none of that name, or Lethe cannot read its type.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The rows lie outside the tensor.</exception>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public void ReadRows(string name, long first, long count, Span<byte> destination)
    {
        var tensor = Tensor(name);
        var type = TypeOf(name);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Rows(tensor) - first);
        if (destination.Length != count * tensor.RowElements * type.Size())
            throw new ArgumentException($"{destination.Length} bytes do not hold {count} rows of {tensor.RowElements} {type}.", nameof(destination));
        using var lease = mapping.Acquire();
        fixed (byte* to = destination)
            Convert(tensor, type, lease.Pointer + tensor.Offset + first * tensor.RowBytes, to, count * tensor.RowElements);
        mapping.ReleasePages(tensor.Offset + first * tensor.RowBytes, count * tensor.RowBytes);
    }

    /// <summary>Rows in any order into memory of the caller's, in the type of <see cref="TypeOf"/>; see <see cref="ReadRows(string, ReadOnlySpan{long})"/>.</summary>
    /// <exception cref="BadInputException">There is none of that name, or Lethe cannot read its type.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A row is outside the tensor.</exception>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public void ReadRows(string name, ReadOnlySpan<long> rows, Span<byte> destination)
    {
        var tensor = Tensor(name);
        var type = TypeOf(name);
        if (destination.Length != rows.Length * tensor.RowElements * type.Size())
            throw new ArgumentException($"{destination.Length} bytes do not hold {rows.Length} rows of {tensor.RowElements} {type}.", nameof(destination));
        Gather(tensor, type, rows, destination);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => mapping.Dispose();

    private void Gather(GgufTensor tensor, DType type, ReadOnlySpan<long> rows, Span<byte> destination)
    {
        var total = Rows(tensor);
        foreach (var row in rows)
            if (row < 0 || row >= total)
                throw new ArgumentOutOfRangeException(nameof(rows), row, $"{tensor.Name} has rows 0 to {total - 1}");
        using var lease = mapping.Acquire();
        var rowSize = tensor.RowElements * type.Size();
        fixed (byte* to = destination)
            for (var i = 0; i < rows.Length; i++)
                Convert(tensor, type, lease.Pointer + tensor.Offset + rows[i] * tensor.RowBytes, to + i * rowSize, tensor.RowElements);
        mapping.ReleasePages(tensor.Offset, tensor.Length);
    }

    private static void Convert(GgufTensor tensor, DType type, byte* stored, byte* destination, long elements)
    {
        if (type == DType.Float32)
            Dequantisation.ToFloats(tensor.Type, stored, (float*)destination, elements);
        else
            Buffer.MemoryCopy(stored, destination, elements * 2, elements * 2);
    }

    private static long Rows(GgufTensor tensor) => tensor.Length / tensor.RowBytes;

    private byte[] Allocate(GgufTensor tensor, long rows, DType type)
    {
        var bytes = (Int128)rows * tensor.RowElements * type.Size();
        return bytes <= ElementChecks.MaxArrayBytes
            ? GC.AllocateUninitializedArray<byte>((int)bytes)
            : throw InputFile.Refuse(Path, $"tensor '{tensor.Name}' takes {bytes} bytes as {type}; at most {ElementChecks.MaxArrayBytes} can be read at once.");
    }

    private GgufTensor Readable(GgufTensor tensor) => GgufTypes.Readable.Contains(tensor.Type)
        ? tensor
        : throw InputFile.Refuse(Path, $"tensor '{tensor.Name}' has the type {tensor.Type}, which Lethe cannot read; it reads {string.Join(", ", GgufTypes.Readable)}.");
}
