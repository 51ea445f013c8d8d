using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Lethe.Torch;

namespace Lethe.Formats.Llama2C;

/// <summary>The seven numbers that a llama2.c model file begins with.</summary>
/// <param name="Dimension">Width of the residual stream.</param>
/// <param name="HiddenDimension">Width inside the MLP.</param>
/// <param name="Layers">Number of layers.</param>
/// <param name="Heads">Number of query heads.</param>
/// <param name="KeyValueHeads">Number of key and value heads.</param>
/// <param name="VocabularySize">Number of tokens.</param>
/// <param name="SequenceLength">The longest context.</param>
/// <param name="SharedClassifier">The head uses the embedding's matrix; the file says otherwise by a negative vocabulary.</param>
public sealed record Llama2CHeader(int Dimension, int HiddenDimension, int Layers, int Heads, int KeyValueHeads, int VocabularySize, int SequenceLength, bool SharedClassifier)
{
    /// <summary>Width of one head.</summary>
    public int HeadSize => Dimension / Heads;
}

/// <summary>One matrix or vector of a llama2.c file; stacked arrays count as one a layer.</summary>
/// <param name="Name">run.c's name, with the layer where there is one: layers.0.wq, token_embedding_table.</param>
/// <param name="Shape">Sizes, rows first.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
public sealed record Llama2CTensor(string Name, IReadOnlyList<long> Shape, long Offset)
{
    /// <summary>Bytes; all elements are float32.</summary>
    public long Length { get; } = Shape.Aggregate(4L, (product, size) => product * size);
}

/// <summary>
/// A model file of karpathy/llama2.c (the headerless float32 .bin that run.c reads), mapped into memory. The file has no magic; header, length
/// and the rotary tables, which must be those of base 10000, tell it from other files.
/// </summary>
/// <remarks>
/// Source: llama2.c, run.c: Config, memory_map_weights. A copy whose matrices were transposed has the same header and length and cannot be
/// told from a good one by what is in the file; it gives nonsense, which perplexity shows.
/// </remarks>
public sealed unsafe class Llama2CFile : IDisposable
{
    private const int HeaderBytes = 28;

    /// <summary>Far from what float32 leaves of a cosine (3e-6 at position 512, 1e-3 at 32768), far from other tables.</summary>
    private const double TableTolerance = 5e-3;

    private static readonly string[] Fields = ["dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "seq_len"];

    private readonly MappedFile mapping;
    private readonly Dictionary<string, Llama2CTensor> byName;

    private Llama2CFile(MappedFile mapping, Llama2CHeader header, List<Llama2CTensor> tensors)
    {
        this.mapping = mapping;
        (Header, Tensors) = (header, tensors);
        byName = tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    }

    /// <summary>The name under which the file was opened.</summary>
    public string Path => mapping.Path;

    /// <summary>The model's shape.</summary>
    public Llama2CHeader Header { get; }

    /// <summary>The tensors, in the file's order: per layer rms_att_weight, wq, wk, wv, wo, rms_ffn_weight, w1, w2, w3; token_embedding_table, rms_final_weight, and wcls where the head is its own.</summary>
    public IReadOnlyList<Llama2CTensor> Tensors { get; }

    /// <summary>Opens and checks a file.</summary>
    /// <exception cref="BadInputException">The file is missing, or breaks a rule of the format; the message names the field or the byte.</exception>
    public static Llama2CFile Open(string path)
    {
        var mapping = MappedFile.Open(path);
        try
        {
            var header = ReadHeader(mapping);
            var (tensors, tables) = Layout(path, header, mapping.Length);
            CheckTables(mapping, header, tables);
            mapping.ReleasePages(0, mapping.Length);
            return new Llama2CFile(mapping, header, tensors);
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    /// <summary>A tensor's place.</summary>
    /// <exception cref="BadInputException">There is none of that name.</exception>
    public Llama2CTensor Tensor(string name) => byName.GetValueOrDefault(name) ?? throw InputFile.Refuse(Path, $"has no tensor '{name}'.");

    /// <summary>A tensor's elements.</summary>
    /// <exception cref="BadInputException">There is none of that name, an element is not finite, or it takes more than 2 GiB: read it by rows.</exception>
    public HostArray Read(string name)
    {
        var tensor = Tensor(name);
        if (tensor.Length > ElementChecks.MaxArrayBytes)
            throw InputFile.Refuse(Path, $"tensor '{name}' has {tensor.Length} bytes; at most {ElementChecks.MaxArrayBytes} can be read at once.");
        var bytes = GC.AllocateUninitializedArray<byte>((int)tensor.Length);
        ReadRows(name, 0, tensor.Shape.Count == 1 ? 1 : tensor.Shape[0], bytes);
        return new HostArray(DType.Float32, tensor.Shape, bytes);
    }

    /// <summary>Consecutive rows into memory of the caller's, as float32; a vector is one row.</summary>
    /// <param name="name">A tensor.</param>
    /// <param name="first">The first row, from 0.</param>
    /// <param name="count">How many.</param>
    /// <param name="destination">Exactly the bytes of these rows.</param>
    /// <exception cref="BadInputException">There is none of that name, or an element is not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The rows lie outside the tensor.</exception>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public void ReadRows(string name, long first, long count, Span<byte> destination)
    {
        var tensor = Tensor(name);
        var rowBytes = tensor.Shape[^1] * 4;
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, tensor.Length / rowBytes - first);
        if (destination.Length != count * rowBytes)
            throw new ArgumentException($"{destination.Length} bytes do not hold {count} rows of {rowBytes} bytes.", nameof(destination));
        using var lease = mapping.Acquire();
        new ReadOnlySpan<byte>(lease.Pointer + tensor.Offset + first * rowBytes, destination.Length).CopyTo(destination);
        mapping.ReleasePages(tensor.Offset + first * rowBytes, count * rowBytes);
        var values = MemoryMarshal.Cast<byte, float>(destination);
        for (var i = 0; i < values.Length; i++)
            if (!float.IsFinite(values[i]))
                throw InputFile.Refuse(Path, FormattableString.Invariant($"tensor '{name}' has the value {values[i]} at byte {tensor.Offset + first * rowBytes + 4L * i}; weights are finite."));
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => mapping.Dispose();

    private static Llama2CHeader ReadHeader(MappedFile mapping)
    {
        if (mapping.Length < HeaderBytes)
            throw InputFile.Refuse(mapping.Path, $"is no llama2.c model: it has {mapping.Length} bytes and the header alone takes {HeaderBytes}.");
        var bytes = new ReadOnlySpan<byte>(mapping.Pointer, HeaderBytes);
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) == 0x616b3432)
            throw InputFile.Refuse(mapping.Path, "is a llama2.c file of the newer exports ('ak42'); Lethe reads the legacy export, version 0.");
        var numbers = new int[7];
        for (var i = 0; i < 7; i++)
        {
            numbers[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(4 * i)..]);
            var (value, limit) = (i == 5 ? Math.Abs((long)numbers[i]) : numbers[i], i == 2 ? 4096 : 1 << 24);
            if (value < 1 || value > limit)
                throw InputFile.Refuse(mapping.Path, $"is no llama2.c model: {Fields[i]} at byte {4 * i} is {numbers[i]}; 1 to {limit} are allowed{(i == 5 ? ", negative where the classifier is its own" : "")}.");
        }
        var header = new Llama2CHeader(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], Math.Abs(numbers[5]), numbers[6], numbers[5] > 0);
        if (header.Dimension % header.Heads != 0 || header.HeadSize % 2 != 0)
            throw InputFile.Refuse(mapping.Path, $"is no llama2.c model: dim {header.Dimension} and n_heads {header.Heads} must give heads of an even whole width.");
        if (header.Heads % header.KeyValueHeads != 0)
            throw InputFile.Refuse(mapping.Path, $"is no llama2.c model: n_kv_heads {header.KeyValueHeads} must divide n_heads {header.Heads}.");
        return header;
    }

    private static (List<Llama2CTensor> Tensors, long Tables) Layout(string path, Llama2CHeader header, long length)
    {
        long d = header.Dimension, hidden = header.HiddenDimension, kv = (long)header.HeadSize * header.KeyValueHeads, v = header.VocabularySize;
        (string Name, long[] Shape)[] layer =
        [
            ("rms_att_weight", [d]), ("wq", [d, d]), ("wk", [kv, d]), ("wv", [kv, d]), ("wo", [d, d]), ("rms_ffn_weight", [d]), ("w1", [hidden, d]), ("w2", [d, hidden]), ("w3", [hidden, d]),
        ];
        var elements = (Int128)v * d * (header.SharedClassifier ? 1 : 2) + d + (Int128)header.SequenceLength * header.HeadSize
            + (Int128)header.Layers * layer.Aggregate((Int128)0, (sum, part) => sum + part.Shape.Aggregate((Int128)1, (product, size) => product * size));
        var expected = HeaderBytes + 4 * elements;
        if (expected != length)
            throw InputFile.Refuse(path, $"is no llama2.c model, or is truncated: its header (bytes 0 to 27) describes a file of {expected} bytes, and it has {length}.");
        var tensors = new List<Llama2CTensor>();
        var offset = (long)HeaderBytes;
        void Add(string name, long[] shape)
        {
            tensors.Add(new Llama2CTensor(name, shape, offset));
            offset += tensors[^1].Length;
        }
        Add("token_embedding_table", [v, d]);
        foreach (var (name, shape) in layer)
            for (var l = 0; l < header.Layers; l++)
                Add($"layers.{l}.{name}", shape);
        Add("rms_final_weight", [d]);
        var tables = offset;
        offset += 4L * header.SequenceLength * header.HeadSize;
        if (!header.SharedClassifier)
            Add("wcls", [v, d]);
        return (tensors, tables);
    }

    /// <summary>Cosines, then sines, (positions, half a head) each. run.c skips them and computes base 10000 itself, so zeros are allowed.</summary>
    private static void CheckTables(MappedFile mapping, Llama2CHeader header, long offset)
    {
        var half = header.HeadSize / 2;
        var count = (long)header.SequenceLength * half;
        var zeros = new ReadOnlySpan<byte>(mapping.Pointer + offset, (int)Math.Min(64, 4 * count)).IndexOfAnyExcept((byte)0) < 0;
        for (var i = 0L; i < 2 * count; i++)
        {
            var stored = BinaryPrimitives.ReadSingleLittleEndian(new ReadOnlySpan<byte>(mapping.Pointer + offset + 4 * i, 4));
            var angle = i % count / half * Math.Pow(10000, -2.0 * (i % half) / header.HeadSize);
            var expected = zeros ? 0 : i < count ? Math.Cos(angle) : Math.Sin(angle);
            // Also true for NaN.
            if (!(Math.Abs(stored - expected) <= TableTolerance))
                throw InputFile.Refuse(mapping.Path, FormattableString.Invariant($"is no llama2.c model: the rotary table {(i < count ? "freq_cis_real" : "freq_cis_imag")} has {stored} at byte {offset + 4 * i}, where base 10000 gives {expected:g6}."));
        }
    }
}
