using System.Text.Encodings.Web;
using System.Text.Json;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>
/// The index beside the shards of a model (model.safetensors.index.json): which file holds which tensor.
/// Layout: <c>{"metadata":{"total_size":N},"weight_map":{"tensor":"file"}}</c>, as huggingface_hub writes it.
/// </summary>
/// <param name="WeightMap">File name by tensor name, in the file's order. File names are plain: no folder, no way out of the index's own.</param>
public sealed record SafetensorsIndex(IReadOnlyDictionary<string, string> WeightMap)
{
    /// <summary>An index of a million tensors takes about 100 MB.</summary>
    private const long MaxBytes = 100_000_000;

    /// <summary>The name that the index of a model's weights has.</summary>
    public const string FileName = "model.safetensors.index.json";

    /// <summary>The files, each once, in the order in which they are first named.</summary>
    public IReadOnlyList<string> Files => [.. WeightMap.Values.Distinct(StringComparer.Ordinal)];

    /// <summary>Reads and checks an index.</summary>
    /// <exception cref="BadInputException">It is missing, is no valid JSON, names a tensor twice, or names a file outside its folder.</exception>
    public static SafetensorsIndex Read(string path) => Parse(path, InputFile.ReadAll(path, MaxBytes));

    internal static SafetensorsIndex Parse(string path, ReadOnlySpan<byte> bytes)
    {
        var map = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(bytes);
        var seen = false;
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                throw InputFile.Refuse(path, "must hold a JSON object with weight_map.");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isMap = reader.ValueTextEquals("weight_map");
                reader.Read();
                if (!isMap)
                    reader.Skip();
                else if (seen)
                    throw InputFile.Refuse(path, "has weight_map twice.");
                else
                    ReadMap(path, ref reader, map);
                seen |= isMap;
            }
            reader.Read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw InputFile.Refuse(path, $"is not valid JSON near byte {reader.BytesConsumed}: {e.Message}", e);
        }
        return seen ? new SafetensorsIndex(map) : throw InputFile.Refuse(path, "has no weight_map, which says which file holds which tensor.");
    }

    /// <summary>Writes the index.</summary>
    /// <param name="path">Where it goes.</param>
    /// <param name="totalSize">Bytes of all tensors together, headers not counted.</param>
    /// <exception cref="UsageException">The place cannot be written.</exception>
    public void Write(string path, long totalSize) => AtomicFile.Write(path, stream =>
    {
        // Two spaces and sorted keys, as huggingface_hub writes it.
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteStartObject("metadata");
        json.WriteNumber("total_size", totalSize);
        json.WriteEndObject();
        json.WriteStartObject("weight_map");
        foreach (var (tensor, file) in WeightMap.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            json.WriteString(tensor, file);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        stream.WriteByte((byte)'\n');
    });

    private static void ReadMap(string path, ref Utf8JsonReader reader, OrderedDictionary<string, string> map)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw InputFile.Refuse(path, "weight_map must be an object from tensor names to file names.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var tensor = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw InputFile.Refuse(path, $"weight_map '{tensor}' must be the name of a file.");
            var file = reader.GetString()!;
            if (file is "" or "." or ".." || file.AsSpan().ContainsAny('/', '\\', '\0'))
                throw InputFile.Refuse(path, $"weight_map '{tensor}' names the file '{file}'; it must be the name of a file in the same folder.");
            if (!map.TryAdd(tensor, file))
                throw InputFile.Refuse(path, $"weight_map names the tensor '{tensor}' twice.");
        }
    }
}
