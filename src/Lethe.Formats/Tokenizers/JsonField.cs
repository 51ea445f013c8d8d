using System.Globalization;
using System.Text.Json;
using Lethe.Torch;

namespace Lethe.Formats.Tokenizers;

/// <summary>A value inside a JSON file that knows the file and the path to it, so that whatever is wrong can be said in one sentence.</summary>
internal readonly struct JsonField(string file, string path, JsonElement element)
{
    /// <summary>The file, for errors.</summary>
    public string File => file;

    /// <summary>The way to this value, such as "model.merges[3]".</summary>
    public string Path => path;

    /// <summary>The value.</summary>
    public JsonElement Element => element;

    /// <summary>Parses a whole file. A key given twice is refused, as serde does for the fields that count.</summary>
    public static JsonDocument Parse(string file, ReadOnlyMemory<byte> json)
    {
        try
        {
            // A byte order mark is no part of JSON; some editors write one.
            var body = json.Span.StartsWith("\uFEFF"u8) ? json[3..] : json;
            return JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 64, AllowDuplicateProperties = false });
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw InputFile.Refuse(file, $"is not valid JSON: {e.Message}", e);
        }
    }

    public BadInputException Refuse(string why) => InputFile.Refuse(file, $"{(path.Length == 0 ? "the document" : path)} {why}");

    /// <summary>The member, or null where it is absent or null.</summary>
    public JsonField? Find(string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Refuse($"must be an object and is {Describe(element.ValueKind)}.");
        return element.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? At(name, member) : null;
    }

    /// <summary>The member, which must be there and not null.</summary>
    public JsonField Get(string name) => Find(name) ?? throw Refuse($"lacks '{name}'.");

    /// <summary>The members of an object in the file's order.</summary>
    public IEnumerable<(string Name, JsonField Value)> Members()
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Refuse($"must be an object and is {Describe(element.ValueKind)}.");
        return Walk(this);

        static IEnumerable<(string, JsonField)> Walk(JsonField self)
        {
            foreach (var member in self.Element.EnumerateObject())
            {
                var name = self.Guard(() => member.Name);
                yield return (name, self.At(name, member.Value));
            }
        }
    }

    /// <summary>The items of a list.</summary>
    public IEnumerable<JsonField> Items()
    {
        if (element.ValueKind != JsonValueKind.Array)
            throw Refuse($"must be a list and is {Describe(element.ValueKind)}.");
        return Walk(this);

        static IEnumerable<JsonField> Walk(JsonField self)
        {
            var index = 0;
            foreach (var item in self.Element.EnumerateArray())
                yield return new JsonField(self.File, string.Create(CultureInfo.InvariantCulture, $"{self.Path}[{index++}]"), item);
        }
    }

    public string Text()
    {
        if (element.ValueKind != JsonValueKind.String)
            throw Refuse($"must be a text and is {Describe(element.ValueKind)}.");
        var value = element;
        return Guard(() => value.GetString()!);
    }

    public bool Truth() => element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Refuse($"must be true or false and is {Describe(element.ValueKind)}."),
    };

    /// <summary>A whole number from 0 to <paramref name="most"/>.</summary>
    public int Count(int most = int.MaxValue) => element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out var value) && value >= 0 && value <= most
        ? value
        : throw Refuse(string.Create(CultureInfo.InvariantCulture, $"must be a whole number from 0 to {most} and is {Show()}."));

    public string TextOr(string name, string otherwise) => Find(name)?.Text() ?? otherwise;

    public bool TruthOr(string name, bool otherwise) => Find(name)?.Truth() ?? otherwise;

    /// <summary>What kind of stage this is: its member "type".</summary>
    public string Kind() => Get("type").Text();

    private JsonField At(string name, JsonElement member) => new(file, path.Length == 0 ? name : $"{path}.{(name.Length > 60 ? name[..60] + "…" : name)}", member);

    private string Show()
    {
        var text = element.ValueKind is JsonValueKind.Number or JsonValueKind.String ? element.GetRawText() : Describe(element.ValueKind);
        return text.Length > 60 ? text[..60] + "…" : text;
    }

    /// <summary>An escaped half of a surrogate pair shows only when the text is taken out.</summary>
    private string Guard(Func<string> take)
    {
        try
        {
            return take();
        }
        catch (InvalidOperationException e)
        {
            throw Refuse($"is no well-formed text: {e.Message}");
        }
    }

    private static string Describe(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a truth value",
    };
}
