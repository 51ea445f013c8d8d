using System.Text.Json;

namespace Lethe.Runs.Language.Tasks;

/// <summary>What a JSON value is, in words for an error.</summary>
internal static class JsonWords
{
    public static string Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "text",
        JsonValueKind.Number => $"the number {Short(value.GetRawText())}",
        JsonValueKind.True or JsonValueKind.False => $"the word {value.GetRawText()}",
        JsonValueKind.Null => "null",
        JsonValueKind.Array => "a list",
        _ => "an object",
    };

    private static string Short(string text) => text.Length <= 40 ? text : text[..37] + "...";
}
