using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>
/// The tensors of a Hugging Face directory, as they are stored. Checkpoints of the bare model lack the prefix that those with a head have
/// (GPT-2's own begins with wte.weight, not transformer.wte.weight); they are shown with it, as the library loads them.
/// </summary>
internal sealed unsafe class SafetensorsWeights : IWeightSource
{
    private readonly SafetensorsModel model;
    private readonly OrderedDictionary<string, string> stored = new(StringComparer.Ordinal);

    /// <param name="model">The files; they belong to this object from here on.</param>
    /// <param name="modelType">Which family, for the prefix.</param>
    public SafetensorsWeights(SafetensorsModel model, string modelType)
    {
        this.model = model;
        var (prefix, embedding) = modelType switch
        {
            "gpt2" => ("transformer.", "wte.weight"),
            "gpt_neox" => ("gpt_neox.", "embed_in.weight"),
            _ => ("model.", "embed_tokens.weight"),
        };
        var bare = !model.Contains(prefix + embedding) && model.Contains(embedding);
        foreach (var entry in model.Entries)
            stored.Add(bare && entry.Name is not ("lm_head.weight" or "embed_out.weight") ? prefix + entry.Name : entry.Name, entry.Name);
    }

    /// <summary>The files.</summary>
    public SafetensorsModel Model => model;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Names => stored.Keys;

    /// <inheritdoc/>
    public bool Contains(string name) => stored.ContainsKey(name);

    /// <summary>The name in the file.</summary>
    public string StoredName(string name) => stored.GetValueOrDefault(name, name);

    /// <inheritdoc/>
    public (long[] Shape, DType Stored) Describe(string name) => Open(name) is var (_, entry, type) ? ([.. entry.Shape], type) : default;

    /// <inheritdoc/>
    public string Where(string name) => model.FileOf(StoredName(name)).Path;

    /// <inheritdoc/>
    public HostArray Read(string name)
    {
        var (file, entry, _) = Open(name);
        var array = file.Read(entry.Name);
        file.ReleasePages(entry.Name);
        return array;
    }

    /// <inheritdoc/>
    public HostArray ReadRows(string name, ReadOnlySpan<long> rows)
    {
        var (file, entry, type) = Open(name);
        var (count, rowBytes) = Rows(file, entry);
        foreach (var row in rows)
            if (row < 0 || row >= count)
                throw new ArgumentOutOfRangeException(nameof(rows), row, $"{name} has rows 0 to {count - 1}");
        var length = (Int128)rows.Length * rowBytes;
        if (length > Array.MaxLength)
            throw Refuse(file, name, $"gives {length} bytes for {rows.Length} rows; at most {Array.MaxLength} can be read at once");
        var bytes = GC.AllocateUninitializedArray<byte>((int)length);
        using (file.Acquire())
        {
            var start = file.Pointer(entry.Name);
            for (var i = 0; i < rows.Length; i++)
                new ReadOnlySpan<byte>(start + rows[i] * rowBytes, (int)rowBytes).CopyTo(bytes.AsSpan((int)(i * rowBytes)));
        }
        file.ReleasePages(entry.Name);
        return new HostArray(type, [rows.Length, .. entry.Shape.Skip(1)], bytes);
    }

    /// <inheritdoc/>
    public void ReadRows(string name, long first, long count, Span<byte> destination)
    {
        var (file, entry, _) = Open(name);
        var (total, rowBytes) = Rows(file, entry);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, total - first);
        if (destination.Length != count * rowBytes)
            throw new ArgumentException($"{destination.Length} bytes do not hold {count} rows of {rowBytes} bytes.", nameof(destination));
        using (file.Acquire())
            new ReadOnlySpan<byte>(file.Pointer(entry.Name) + first * rowBytes, destination.Length).CopyTo(destination);
        file.ReleasePages(entry.Name);
    }

    /// <inheritdoc/>
    public void Dispose() => model.Dispose();

    private (SafetensorsFile File, SafetensorsEntry Entry, DType Type) Open(string name)
    {
        var storedName = StoredName(name);
        var file = model.FileOf(storedName);
        return (file, file.Entry(storedName), file.TypeOf(storedName));
    }

    private static (long Count, long Bytes) Rows(SafetensorsFile file, SafetensorsEntry entry)
    {
        if (entry.Shape.Count == 0)
            throw Refuse(file, entry.Name, "is a scalar and has no rows");
        return (entry.Shape[0], entry.Shape[0] == 0 ? 0 : entry.Length / entry.Shape[0]);
    }

    private static BadInputException Refuse(SafetensorsFile file, string name, string why) => new($"{file.Path}: tensor '{name}' {why}.");
}
