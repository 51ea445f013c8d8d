using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>A tensor to be written: what the header says, and how its bytes are made when their turn comes. One at a time is in memory.</summary>
public sealed class SafetensorsItem
{
    private readonly Action<Stream> write;

    /// <summary>A tensor whose bytes are made when they are written.</summary>
    /// <param name="name">The tensor's name; any text but __metadata__.</param>
    /// <param name="type">Element type.</param>
    /// <param name="shape">Sizes of the dimensions; empty for a scalar.</param>
    /// <param name="write">Writes exactly product(shape) × element size bytes, row-major and little-endian. Called once.</param>
    /// <exception cref="ArgumentException">The name is __metadata__, or the shape is negative or overflows.</exception>
    public SafetensorsItem(string name, DType type, IReadOnlyList<long> shape, Action<Stream> write)
        : this(name, SafetensorsTypes.Of(type), shape, ElementChecks.ByteLength(shape, type.Size()) ?? throw new ArgumentException($"Tensor '{name}' has the shape {ElementChecks.Show(shape)}, which is negative or overflows.", nameof(shape)), write)
    {
    }

    private SafetensorsItem(string name, SafetensorsTypes.Entry type, IReadOnlyList<long> shape, long length, Action<Stream> write)
    {
        if (name == "__metadata__")
            throw new ArgumentException("No tensor can be named __metadata__: the format uses that name itself.", nameof(name));
        (Name, Type, Shape, Length, this.write) = (name, type, [.. shape], length, write);
    }

    /// <summary>The tensor's name.</summary>
    public string Name { get; }

    /// <summary>Element type as the format names it, for example BF16.</summary>
    public string TypeName => Type.Name;

    /// <summary>Sizes of the dimensions.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    internal SafetensorsTypes.Entry Type { get; }

    /// <summary>A tensor from memory.</summary>
    /// <exception cref="ArgumentException">The bytes are not as many as the shape says.</exception>
    public static SafetensorsItem From(string name, HostArray array)
    {
        var item = new SafetensorsItem(name, array.Type, array.Shape, stream => stream.Write(array.Bytes.Span));
        return item.Length == array.Bytes.Length
            ? item
            : throw new ArgumentException($"Tensor '{name}' is {array.Type} {ElementChecks.Show(array.Shape)}, which takes {item.Length} bytes, but holds {array.Bytes.Length}.", nameof(array));
    }

    /// <summary>A tensor copied from a file that is open until this is written; its type may be one that Lethe cannot read.</summary>
    /// <exception cref="BadInputException">The file has no such tensor.</exception>
    public static SafetensorsItem From(SafetensorsFile file, string name)
    {
        var entry = file.Entry(name);
        return new SafetensorsItem(name, SafetensorsTypes.Find(entry.TypeName)!, entry.Shape, entry.Length, stream => file.CopyTo(stream, entry.Offset, entry.Length));
    }

    internal void WriteTo(Stream stream)
    {
        var before = stream.Position;
        write(stream);
        if (stream.Position - before != Length)
            throw new InvalidOperationException($"Tensor '{Name}' is {TypeName} {ElementChecks.Show(Shape)}, which takes {Length} bytes, but {stream.Position - before} were written.");
    }
}
