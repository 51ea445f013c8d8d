using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>
/// Reads and checks the header of a safetensors file: 8 bytes little-endian N, N bytes of JSON, data.
/// </summary>
/// <remarks>Checks are those of the reference reader (huggingface/safetensors, tensor.rs at 24b0b28: read_metadata, validate) and of its README: the JSON begins with '{'.</remarks>
internal sealed class SafetensorsHeader
{
    /// <summary>The reference reader's limit on N.</summary>
    public const long MaxHeaderBytes = 100_000_000;

    /// <summary>serde_json's limit; only fields that readers skip can nest at all.</summary>
    private const int MaxDepth = 128;

    private readonly string file;
    private readonly Dictionary<string, Raw> tensors = new(StringComparer.Ordinal);
    private OrderedDictionary<string, string>? metadata;

    private SafetensorsHeader(string file) => this.file = file;

    /// <summary>Where the data begin.</summary>
    public long DataStart { get; private init; }

    /// <summary>Text by key, in the file's order.</summary>
    public OrderedDictionary<string, string> Metadata { get; private set; } = [];

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; private set; } = [];

    private readonly record struct Raw(SafetensorsTypes.Entry Type, long[] Shape, ulong Begin, ulong End);

    /// <param name="file">Name for errors.</param>
    /// <param name="start">The file's beginning: all of it, or at least 8 + <see cref="MaxHeaderBytes"/> bytes.</param>
    /// <param name="fileLength">Length of the whole file.</param>
    public static SafetensorsHeader Parse(string file, ReadOnlySpan<byte> start, long fileLength)
    {
        if (start.Length < 8)
            throw InputFile.Refuse(file, $"is no safetensors file: it has {start.Length} bytes and the header's length alone takes 8.");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (length > MaxHeaderBytes)
            throw InputFile.Refuse(file, $"is no safetensors file: bytes 0 to 7 give a header of {length} bytes; at most {MaxHeaderBytes} are allowed.");
        if (length > (ulong)(fileLength - 8))
            throw InputFile.Refuse(file, $"bytes 0 to 7 give a header of {length} bytes, but only {fileLength - 8} bytes follow; the file is truncated.");
        var json = start.Slice(8, (int)length);
        if (json.IsEmpty || json[0] != '{')
            throw InputFile.Refuse(file, $"the header at byte 8 must begin with '{{'{(json.IsEmpty ? " and is empty" : $" and begins with byte 0x{json[0]:x2}")}.");
        if (!Utf8.IsValid(json))
            throw InputFile.Refuse(file, "the header is not valid UTF-8.");
        var header = new SafetensorsHeader(file) { DataStart = 8 + (long)length };
        header.ParseJson(json);
        header.Validate(fileLength);
        return header;
    }

    private void ParseJson(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                if (name == "__metadata__")
                    ParseMetadata(ref reader);
                else if (!tensors.TryAdd(name, ParseTensor(name, ref reader)))
                    throw InputFile.Refuse(file, $"the header names the tensor '{name}' twice.");
            }
            // The reader itself refuses anything but white space behind the closing brace.
            reader.Read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw InputFile.Refuse(file, $"the header is not valid JSON near byte {8 + reader.BytesConsumed}: {e.Message}", e);
        }
        Metadata = metadata ?? [];
    }

    private void ParseMetadata(ref Utf8JsonReader reader)
    {
        if (metadata is not null)
            throw InputFile.Refuse(file, "the header has __metadata__ twice.");
        metadata = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        if (reader.TokenType == JsonTokenType.Null)
            return;
        if (reader.TokenType != JsonTokenType.StartObject)
            throw InputFile.Refuse(file, "__metadata__ must be an object of texts.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw InputFile.Refuse(file, $"__metadata__ '{key}' must be a text and is {Describe(reader.TokenType)}.");
            if (!metadata.TryAdd(key, reader.GetString()!))
                throw InputFile.Refuse(file, $"__metadata__ has the key '{key}' twice.");
        }
    }

    private Raw ParseTensor(string name, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw InputFile.Refuse(file, $"tensor '{name}' must be an object with dtype, shape and data_offsets and is {Describe(reader.TokenType)}.");
        SafetensorsTypes.Entry? type = null;
        List<ulong>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString()!;
            reader.Read();
            switch (field)
            {
                case "dtype" when type is null:
                    type = ParseType(name, ref reader);
                    break;
                case "shape" when shape is null:
                    shape = ParseNumbers(name, field, ref reader);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ParseNumbers(name, field, ref reader);
                    break;
                case "dtype" or "shape" or "data_offsets":
                    throw InputFile.Refuse(file, $"tensor '{name}' has {field} twice.");
                default:
                    // The reference reader skips fields that it does not know.
                    reader.Skip();
                    break;
            }
        }
        if (type is null || shape is null || offsets is null)
            throw InputFile.Refuse(file, $"tensor '{name}' lacks {(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}.");
        if (offsets.Count != 2)
            throw InputFile.Refuse(file, $"tensor '{name}' has {offsets.Count} data_offsets; two are needed, begin and end.");
        if (shape.Find(size => size > long.MaxValue) is > 0 and var large)
            throw InputFile.Refuse(file, $"tensor '{name}' has a dimension of {large}; its size overflows 64 bits.");
        return new Raw(type, [.. shape.Select(size => (long)size)], offsets[0], offsets[1]);
    }

    private SafetensorsTypes.Entry ParseType(string name, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
            throw InputFile.Refuse(file, $"tensor '{name}': dtype must be a text and is {Describe(reader.TokenType)}.");
        var text = reader.GetString()!;
        return SafetensorsTypes.Find(text)
            ?? throw InputFile.Refuse(file, $"tensor '{name}' has the unknown dtype '{text}'; Lethe reads {SafetensorsTypes.Readable}.");
    }

    private List<ulong> ParseNumbers(string name, string field, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw InputFile.Refuse(file, $"tensor '{name}': {field} must be a list of whole numbers and is {Describe(reader.TokenType)}.");
        var numbers = new List<ulong>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetUInt64(out var number))
                throw InputFile.Refuse(file, $"tensor '{name}': {field}[{numbers.Count}] must be a whole number from 0 to 2^64-1.");
            numbers.Add(number);
        }
        return numbers;
    }

    private static string Describe(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.String => "a text",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        _ => "a truth value",
    };

    /// <summary>Contiguous from 0 in the order of offsets, each as long as its shape says, and exactly to the end of the file.</summary>
    private void Validate(long fileLength)
    {
        var entries = new List<SafetensorsEntry>(tensors.Count);
        var previous = "the start of the data";
        var position = 0UL;
        foreach (var (name, raw) in tensors.OrderBy(tensor => tensor.Value.Begin).ThenBy(tensor => tensor.Value.End).ThenBy(tensor => tensor.Key, StringComparer.Ordinal))
        {
            if (raw.Begin != position)
                throw InputFile.Refuse(file, $"tensor '{name}' begins at data byte {raw.Begin}, but {previous} ends at {position}; holes and overlaps are not allowed.");
            if (raw.End < raw.Begin)
                throw InputFile.Refuse(file, $"tensor '{name}' has data_offsets [{raw.Begin}, {raw.End}], whose end lies before its begin.");
            var length = LengthOf(name, raw);
            if (raw.End - raw.Begin != (ulong)length)
                throw InputFile.Refuse(file, $"tensor '{name}' is {raw.Type.Name} {ElementChecks.Show(raw.Shape)}, which takes {length} bytes, but its data_offsets [{raw.Begin}, {raw.End}] give {raw.End - raw.Begin}.");
            entries.Add(new SafetensorsEntry(name, raw.Type.Name, raw.Type.Type, raw.Shape, DataStart + (long)raw.Begin, length));
            position = raw.End;
            previous = $"'{name}' before it";
        }
        if (position != (ulong)(fileLength - DataStart))
            throw InputFile.Refuse(file, $"the tensors take {position} bytes after the header, but the file has {fileLength - DataStart}; it is truncated or has bytes that belong to no tensor.");
        Entries = entries;
    }

    private long LengthOf(string name, Raw raw)
    {
        var elements = 1UL;
        foreach (var size in raw.Shape)
        {
            var product = Math.BigMul(elements, (ulong)size);
            if (product > long.MaxValue)
                throw Overflow();
            elements = (ulong)product;
        }
        var bits = Math.BigMul(elements, (ulong)raw.Type.Bits);
        if (bits > long.MaxValue)
            throw Overflow();
        if (bits % 8 != 0)
            throw InputFile.Refuse(file, $"tensor '{name}' is {raw.Type.Name} {ElementChecks.Show(raw.Shape)}, which does not fill whole bytes.");
        return (long)(bits / 8);

        BadInputException Overflow() => InputFile.Refuse(file, $"tensor '{name}' is {raw.Type.Name} {ElementChecks.Show(raw.Shape)}; its size overflows 64 bits.");
    }
}
