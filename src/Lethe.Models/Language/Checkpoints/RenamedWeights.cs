using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>
/// What GGUF and llama2.c have in common: tensors under other names than Hugging Face's, and rows of queries and keys in another order.
/// </summary>
/// <remarks>
/// Both rotate neighbours (2j, 2j + 1) where Hugging Face rotates halves (j, j + size/2), so each head's rows are interleaved in the file:
/// stored row 2j + k is Hugging Face's row k·size/2 + j. Source: llama.cpp, convert_hf_to_gguf.py, LlamaModel.permute.
/// </remarks>
internal abstract class RenamedWeights : IWeightSource
{
    private readonly OrderedDictionary<string, Entry> entries = new(StringComparer.Ordinal);

    /// <param name="Stored">The name in the file.</param>
    /// <param name="Shape">Sizes, rows first.</param>
    /// <param name="Type">The type that is read.</param>
    /// <param name="InterleavedHead">Rows of one head where they are interleaved; 0 where the order is Hugging Face's.</param>
    /// <param name="Less">What is taken away from every element: 1 for norms that the file stores with their 1 added.</param>
    protected sealed record Entry(string Stored, long[] Shape, DType Type, int InterleavedHead = 0, float Less = 0);

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Names => entries.Keys;

    /// <inheritdoc/>
    public bool Contains(string name) => entries.ContainsKey(name);

    /// <inheritdoc/>
    public (long[] Shape, DType Stored) Describe(string name) => Find(name) is var entry ? ([.. entry.Shape], entry.Type) : default;

    /// <inheritdoc/>
    public string Where(string name) => $"{File}: {Find(name).Stored}";

    /// <inheritdoc/>
    public HostArray Read(string name)
    {
        var entry = Find(name);
        var bytes = Allocate(name, entry, Rows(entry));
        Consecutive(entry, 0, Rows(entry), bytes);
        return new HostArray(entry.Type, [.. entry.Shape], bytes);
    }

    /// <inheritdoc/>
    public HostArray ReadRows(string name, ReadOnlySpan<long> rows)
    {
        var entry = Find(name);
        var total = Rows(entry);
        foreach (var row in rows)
            if (row < 0 || row >= total)
                throw new ArgumentOutOfRangeException(nameof(rows), row, $"{name} has rows 0 to {total - 1}");
        var bytes = Allocate(name, entry, rows.Length);
        Gather(entry, rows, bytes);
        return new HostArray(entry.Type, [rows.Length, .. entry.Shape.Skip(1)], bytes);
    }

    /// <inheritdoc/>
    public void ReadRows(string name, long first, long count, Span<byte> destination)
    {
        var entry = Find(name);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Rows(entry) - first);
        if (destination.Length != count * RowBytes(entry))
            throw new ArgumentException($"{destination.Length} bytes do not hold {count} rows of {RowBytes(entry)} bytes.", nameof(destination));
        Consecutive(entry, first, count, destination);
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>The file.</summary>
    protected abstract string File { get; }

    /// <summary>Reads rows as the file has them; a vector's rows are its elements.</summary>
    protected abstract void ReadStored(Entry entry, ReadOnlySpan<long> rows, Span<byte> destination);

    /// <summary>Reads consecutive rows as the file has them.</summary>
    protected abstract void ReadStored(Entry entry, long first, long count, Span<byte> destination);

    protected void Add(string name, Entry entry) => entries.Add(name, entry);

    protected Entry Find(string name) => entries.GetValueOrDefault(name)
        ?? throw new BadInputException($"{File}: has no tensor for '{name}'; it has {entries.Count}: {string.Join(", ", entries.Keys.Take(8))}{(entries.Count > 8 ? ", …" : "")}.");

    protected static long RowBytes(Entry entry) => entry.Shape.Skip(1).Aggregate((long)entry.Type.Size(), (product, size) => product * size);

    private static long Rows(Entry entry) => entry.Shape[0];

    private void Consecutive(Entry entry, long first, long count, Span<byte> destination)
    {
        if (entry.InterleavedHead > 0)
        {
            var rows = new long[count];
            for (var i = 0L; i < count; i++)
                rows[i] = first + i;
            Gather(entry, rows, destination);
            return;
        }
        ReadStored(entry, first, count, destination);
        Subtract(entry, destination);
    }

    private void Gather(Entry entry, ReadOnlySpan<long> rows, Span<byte> destination)
    {
        var size = entry.InterleavedHead;
        if (size == 0)
        {
            ReadStored(entry, rows, destination);
        }
        else
        {
            var stored = new long[rows.Length];
            for (var i = 0; i < stored.Length; i++)
            {
                var (head, within) = Math.DivRem(rows[i], size);
                stored[i] = head * size + within % (size / 2) * 2 + within / (size / 2);
            }
            ReadStored(entry, stored, destination);
        }
        Subtract(entry, destination);
    }

    private static void Subtract(Entry entry, Span<byte> bytes)
    {
        if (entry.Less == 0)
            return;
        foreach (ref var value in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes))
            value -= entry.Less;
    }

    private byte[] Allocate(string name, Entry entry, long rows)
    {
        var bytes = (Int128)rows * RowBytes(entry);
        return bytes <= Array.MaxLength
            ? GC.AllocateUninitializedArray<byte>((int)bytes)
            : throw new BadInputException($"{Where(name)} takes {bytes} bytes as {entry.Type}; at most {Array.MaxLength} can be read at once.");
    }
}
