using System.Text.Json;
using System.Text.Unicode;
using Lethe.Torch;

namespace Lethe.Models.SparseAutoencoders.Files;

/// <summary>A JSON object of a file that others wrote: every value is asked for with its type, and errors name file and key.</summary>
internal sealed class JsonObject
{
    // Configurations of autoencoders have some kilobytes.
    private const long MaxBytes = 1 << 20;

    private readonly string source;
    private readonly Dictionary<string, JsonElement> values;

    private JsonObject(string source, JsonElement element)
    {
        this.source = source;
        values = [];
        foreach (var property in element.EnumerateObject())
            values[property.Name] = property.Value;
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="BadInputException">It cannot be read, or is no JSON object.</exception>
    public static JsonObject Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length is var length && length > MaxBytes)
                throw new BadInputException($"{path}: has {length} bytes; at most {MaxBytes} are allowed for a configuration.");
            var bytes = File.ReadAllBytes(path);
            if (!Utf8.IsValid(bytes))
                throw new BadInputException($"{path}: is no JSON: it is not UTF-8.");
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new JsonObject(path, document.RootElement.Clone())
                : throw new BadInputException($"{path}: is {Kind(document.RootElement)}; an object is needed.");
        }
        catch (JsonException e)
        {
            throw new BadInputException($"{path}: is no JSON (line {e.LineNumber + 1}).", e);
        }
        catch (InvalidOperationException e)
        {
            // A name written with half of a surrogate pair.
            throw new BadInputException($"{path}: holds a name that is no text.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>An object inside; an empty one where there is none.</summary>
    public JsonObject Object(string key) => !Has(key)
        ? new JsonObject(source, JsonDocument.Parse("{}").RootElement)
        : values[key].ValueKind == JsonValueKind.Object ? new JsonObject(source, values[key]) : throw Wrong(key, "an object");

    /// <summary>Whether there is a value other than null.</summary>
    public bool Has(string key) => values.TryGetValue(key, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>A text; null where there is none.</summary>
    public string? Text(string key) => !Has(key) ? null : values[key].ValueKind == JsonValueKind.String ? Decode(key) : throw Wrong(key, "a text");

    /// <summary>A whole number; null where there is none.</summary>
    public long? Whole(string key) => !Has(key) ? null : values[key].ValueKind == JsonValueKind.Number && values[key].TryGetInt64(out var value) ? value : throw Wrong(key, "a whole number");

    /// <summary>A number; null where there is none.</summary>
    public double? Real(string key) => !Has(key) ? null : values[key].ValueKind == JsonValueKind.Number && values[key].TryGetDouble(out var value) && double.IsFinite(value) ? value : throw Wrong(key, "a number");

    /// <summary>A truth value; null where there is none.</summary>
    public bool? Truth(string key) => !Has(key) ? null : values[key].ValueKind is JsonValueKind.True or JsonValueKind.False ? values[key].GetBoolean() : throw Wrong(key, "true or false");

    /// <summary>Whether a value is true or false rather than something else.</summary>
    public bool IsTruth(string key) => Has(key) && values[key].ValueKind is JsonValueKind.True or JsonValueKind.False;

    /// <summary>A whole number that must be there, 1 or more.</summary>
    public long Size(string key) => Whole(key) is not { } value
        ? throw new BadInputException($"{source}: lacks '{key}', a whole number of 1 or more.")
        : value >= 1 ? value : throw new BadInputException($"{source}: '{key}' is {value}; it must be 1 or more.");

    /// <summary>An error about a value.</summary>
    public BadInputException Wrong(string key, string allowed)
    {
        var shown = values.TryGetValue(key, out var value) ? value.GetRawText() : "missing";
        return new BadInputException($"{source}: '{key}' is {(shown.Length > 60 ? shown[..60] + "…" : shown)}; {allowed} is needed.");
    }

    private string Decode(string key)
    {
        try
        {
            return values[key].GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong(key, "a text without half surrogate pairs");
        }
    }

    private static string Kind(JsonElement element) => element.ValueKind.ToString().ToLowerInvariant();
}
