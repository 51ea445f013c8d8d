using System.Text.Json;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>
/// An object of a JSON file that others wrote, read key by key; whatever is wrong is refused with the file's name and the key. A key that
/// is null counts as absent, as in the reference libraries.
/// </summary>
public sealed class JsonFields
{
    private readonly JsonElement element;
    private readonly string prefix;

    private JsonFields(string file, JsonElement element, string prefix) => (File, this.element, this.prefix) = (file, element, prefix);

    /// <summary>The file, for errors.</summary>
    public string File { get; }

    /// <summary>Reads a file that holds one JSON object.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">Longer files are refused.</param>
    /// <exception cref="BadInputException">It is missing, too long, no valid JSON, nested beyond 64, names a key twice, or holds no object.</exception>
    public static JsonFields Read(string path, long maxBytes = 16 << 20)
    {
        var bytes = InputFile.ReadAll(path, maxBytes);
        try
        {
            // A byte order mark is what some editors leave.
            var text = bytes.AsMemory(bytes.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0);
            var root = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false }).RootElement;
            return root.ValueKind == JsonValueKind.Object
                ? new JsonFields(path, root, "")
                : throw InputFile.Refuse(path, $"must hold a JSON object and holds {Kind(root)}.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw InputFile.Refuse(path, $"is not valid JSON: {e.Message}", e);
        }
    }

    /// <summary>Whether a key is there and not null.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>Whether a key is there and null.</summary>
    public bool IsNull(string key) => element.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Null;

    /// <summary>The value itself; null where the key is absent or null.</summary>
    public JsonElement? Find(string key) => element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A whole number within bounds; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public int? Int(string key, int min, int max)
    {
        if (Find(key) is not { } value)
            return null;
        // Python writes 1.0 where somebody divided.
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number == Math.Floor(number) && number >= min && number <= max
            ? (int)number
            : throw Refuse(key, value, $"a whole number from {min} to {max}");
    }

    /// <summary>A number that is finite and at least min (or more than it where <paramref name="above"/>); null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public double? Number(string key, double min, double max, bool above = false)
    {
        if (Find(key) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) && (above ? number > min : number >= min) && number <= max
            ? number
            : throw Refuse(key, value, FormattableString.Invariant($"a number {(above ? "above" : "from")} {min} {(above ? "up " : "")}to {max}"));
    }

    /// <summary>A truth value; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public bool? Flag(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Refuse(key, value, "true or false"),
    };

    /// <summary>A text; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public string? Text(string key) => Find(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? TextOf(key, value)
        : throw Refuse(key, value, "a text");

    /// <summary>A list of texts; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public IReadOnlyList<string>? Texts(string key) => Find(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) ? [.. value.EnumerateArray().Select(item => TextOf(key, item))]
        : throw Refuse(key, value, "a list of texts");

    /// <summary>A whole number or a list of them, within bounds; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public IReadOnlyList<int>? Ints(string key, int min, int max)
    {
        if (Find(key) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            return [Int(key, min, max)!.Value];
        return [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var number) && number >= min && number <= max
            ? number
            : throw Refuse(key, value, $"a whole number from {min} to {max}, or a list of such numbers"))];
    }

    /// <summary>An object inside; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public JsonFields? Object(string key) => Find(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Object ? new JsonFields(File, value, $"{prefix}{key}.")
        : throw Refuse(key, value, "an object");

    /// <summary>A list of objects; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public IReadOnlyList<JsonFields>? Objects(string key) => Find(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object) ? [.. value.EnumerateArray().Select((item, i) => new JsonFields(File, item, $"{prefix}{key}[{i}]."))]
        : throw Refuse(key, value, "a list of objects");

    /// <summary>An error about a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="why">What is wrong, and what was allowed; the sentence goes on after the key's name.</param>
    public BadInputException Refuse(string key, string why) => InputFile.Refuse(File, $"{prefix}{key} {why}");

    private BadInputException Refuse(string key, JsonElement value, string allowed) => Refuse(key, $"is {Show(value)}; it must be {allowed}.");

    private string TextOf(string key, JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // Half of a surrogate pair, escaped.
            throw InputFile.Refuse(File, $"{prefix}{key} is no valid Unicode text.", e);
        }
    }

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a truth value",
    };

    private static string Show(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 60 ? text : text[..60] + " …";
    }
}
