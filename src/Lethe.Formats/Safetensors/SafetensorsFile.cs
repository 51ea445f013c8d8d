using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>
/// A safetensors file, mapped into memory: the header is read and checked when it is opened, tensors are read when they are asked for.
/// The file's pages are shared with the system's cache, so a model of any size takes no memory of its own.
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly MappedFile mapping;
    private readonly SafetensorsHeader header;
    private readonly Dictionary<string, SafetensorsEntry> byName;

    private SafetensorsFile(MappedFile mapping, SafetensorsHeader header)
    {
        this.mapping = mapping;
        this.header = header;
        byName = header.Entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
    }

    /// <summary>The name under which the file was opened.</summary>
    public string Path => mapping.Path;

    /// <summary>The header's texts by key, in the file's order; empty where it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => header.Metadata;

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries => header.Entries;

    /// <summary>Opens and checks a file.</summary>
    /// <exception cref="BadInputException">The file is missing, or breaks a rule of the format; the message names the tensor or the byte.</exception>
    public static SafetensorsFile Open(string path)
    {
        var mapping = MappedFile.Open(path);
        try
        {
            var start = new ReadOnlySpan<byte>(mapping.Pointer, (int)Math.Min(mapping.Length, 8 + SafetensorsHeader.MaxHeaderBytes));
            return new SafetensorsFile(mapping, SafetensorsHeader.Parse(path, start, mapping.Length));
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => byName.ContainsKey(name);

    /// <summary>What the header says of a tensor.</summary>
    /// <exception cref="BadInputException">There is none of that name.</exception>
    public SafetensorsEntry Entry(string name) => byName.GetValueOrDefault(name)
        ?? throw InputFile.Refuse(Path, $"has no tensor '{name}'; it has {Entries.Count}{(Entries.Count == 0 ? "" : $": {string.Join(", ", Entries.Take(8).Select(entry => entry.Name))}{(Entries.Count > 8 ? ", …" : "")}")}.");

    /// <summary>A copy of a tensor in ordinary memory.</summary>
    /// <exception cref="BadInputException">There is none of that name, its type is one that Lethe cannot read, it is larger than 2 GiB, or a bool is neither 0 nor 1.</exception>
    public HostArray Read(string name)
    {
        var entry = Entry(name);
        var type = TypeOf(entry);
        if (entry.Length > ElementChecks.MaxArrayBytes)
            throw InputFile.Refuse(Path, $"tensor '{name}' has {entry.Length} bytes; at most {ElementChecks.MaxArrayBytes} can be copied at once.");
        var bytes = Span(name).ToArray();
        ElementChecks.Check(Path, name, type, bytes);
        return new HostArray(type, entry.Shape, bytes);
    }

    /// <summary>All tensors, copied, by name.</summary>
    /// <exception cref="BadInputException">See <see cref="Read"/>.</exception>
    public IReadOnlyDictionary<string, HostArray> ReadAll() => Entries.ToDictionary(entry => entry.Name, entry => Read(entry.Name), StringComparer.Ordinal);

    /// <summary>A tensor's element type.</summary>
    /// <exception cref="BadInputException">There is no such tensor, or its type is one that Lethe cannot read.</exception>
    public DType TypeOf(string name) => TypeOf(Entry(name));

    /// <summary>A tensor's bytes in the mapping; valid while this file is not disposed or a lease is held.</summary>
    /// <exception cref="BadInputException">There is none of that name, or it is larger than 2 GiB: use <see cref="Pointer"/>.</exception>
    public ReadOnlySpan<byte> Span(string name)
    {
        var entry = Entry(name);
        return entry.Length <= int.MaxValue
            ? new ReadOnlySpan<byte>(Pointer(name), (int)entry.Length)
            : throw InputFile.Refuse(Path, $"tensor '{name}' has {entry.Length} bytes; at most {int.MaxValue} can be read at once.");
    }

    /// <summary>
    /// A tensor's first byte in the mapping; valid while this file is not disposed or a lease is held. Files by older writers may be
    /// misaligned: a tensor is built on the mapping only if the pointer is a multiple of the element size.
    /// </summary>
    /// <exception cref="BadInputException">There is none of that name.</exception>
    public byte* Pointer(string name)
    {
        using var lease = mapping.Acquire();
        return lease.Pointer + Entry(name).Offset;
    }

    /// <summary>Lets go of a tensor's pages, which come back when it is read again; see <see cref="MappedFile.ReleasePages"/>.</summary>
    /// <exception cref="BadInputException">There is none of that name.</exception>
    public void ReleasePages(string name) => mapping.ReleasePages(Entry(name).Offset, Entry(name).Length);

    /// <summary>Keeps the mapping alive, also after this file is disposed, until the lease is disposed.</summary>
    public MappedLease Acquire() => mapping.Acquire();

    /// <summary>
    /// Writes a copy of this file in which some tensors have other values: header, order and every other byte stay as they are.
    /// </summary>
    /// <param name="path">Where the copy goes; not this file.</param>
    /// <param name="changed">New values by name; type and shape as in this file.</param>
    /// <exception cref="BadInputException">A name is not in this file, or a type or shape differs.</exception>
    /// <exception cref="UsageException">The place cannot be written, or is this file.</exception>
    public void WriteCopy(string path, IReadOnlyDictionary<string, HostArray> changed)
    {
        foreach (var (name, array) in changed)
            if (Entry(name) is var entry && (entry.Type != array.Type || !entry.Shape.SequenceEqual(array.Shape) || array.Bytes.Length != entry.Length))
                throw InputFile.Refuse(Path, $"tensor '{name}' is {entry.TypeName} {ElementChecks.Show(entry.Shape)} and cannot be replaced by {array.Type} {ElementChecks.Show(array.Shape)} of {array.Bytes.Length} bytes.");
        using var lease = mapping.Acquire();
        AtomicFile.Write(path, stream =>
        {
            CopyTo(stream, 0, header.DataStart);
            foreach (var entry in Entries)
                if (changed.TryGetValue(entry.Name, out var array))
                    stream.Write(array.Bytes.Span);
                else
                    CopyTo(stream, entry.Offset, entry.Length);
        }, mapping.Length);
    }

    /// <summary>Closes the file; the mapping stays while leases are held.</summary>
    public void Dispose() => mapping.Dispose();

    internal void CopyTo(Stream stream, long offset, long length)
    {
        using var lease = mapping.Acquire();
        using var source = new UnmanagedMemoryStream(lease.Pointer + offset, length);
        source.CopyTo(stream, 1 << 20);
    }

    private DType TypeOf(SafetensorsEntry entry) => entry.Type
        ?? throw InputFile.Refuse(Path, $"tensor '{entry.Name}' has dtype {entry.TypeName}, which Lethe cannot read; convert it to one of {SafetensorsTypes.Readable}.");
}
