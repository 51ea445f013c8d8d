using System.Collections;
using System.Globalization;
using System.Text.Json;

namespace Lethe.Reports.Sections;

/// <summary>The value of an option as text: what the plan says, whether it comes from memory or from result.json.</summary>
internal static class OptionText
{
    public static string Of(object? value) => value switch
    {
        null => Numbers.None,
        string text => text,
        bool flag => flag ? "true" : "false",
        JsonElement json => OfJson(json),
        IDictionary map => string.Join(", ", map.Cast<DictionaryEntry>().Select(entry => $"{entry.Key}: {Of(entry.Value)}")),
        IEnumerable list => string.Join(", ", list.Cast<object?>().Select(Of)),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string OfJson(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => json.GetString()!,
        JsonValueKind.Null or JsonValueKind.Undefined => Numbers.None,
        JsonValueKind.Array => string.Join(", ", json.EnumerateArray().Select(OfJson)),
        JsonValueKind.Object => string.Join(", ", json.EnumerateObject().Select(entry => $"{entry.Name}: {OfJson(entry.Value)}")),
        _ => json.GetRawText(),
    };
}
