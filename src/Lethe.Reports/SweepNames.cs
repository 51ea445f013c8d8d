using System.Text.Json;
using System.Text.Json.Nodes;
using Lethe.Reports.Sections;
using Lethe.Runs.Results;

namespace Lethe.Reports;

/// <summary>What tells the points of a sweep apart, in words.</summary>
public static class SweepNames
{
    /// <summary>The options that differ between points; all of them where none does.</summary>
    public static IReadOnlyList<string> Varied(SweepResult sweep)
    {
        string[] keys = [.. sweep.Points.SelectMany(point => point.Options.Keys).Distinct()];
        string[] varied = [.. keys.Where(key => sweep.Points.Select(point => OptionText.Of(point.Options.GetValueOrDefault(key))).Distinct().Count() > 1)];
        return varied.Length > 0 ? varied : keys;
    }

    /// <summary>A point's value of an option; of a whole section, such as a method, its kind, and where several have the same kind the keys by which they differ.</summary>
    public static string Value(SweepResult sweep, SweepPoint point, string key)
    {
        var text = OptionText.Of(point.Options.GetValueOrDefault(key));
        if (Section(text) is not { } section || KindOf(section) is not { } kind)
            return text;
        JsonObject[] alike = [.. sweep.Points.Select(other => OptionText.Of(other.Options.GetValueOrDefault(key))).Distinct().Select(Section).OfType<JsonObject>().Where(other => KindOf(other) == kind)];
        var differing = section.Where(entry => alike.Any(other => !JsonNode.DeepEquals(other[entry.Key], entry.Value))).Select(entry => $"{entry.Key} {(entry.Value is JsonArray list ? list.ToJsonString() : OptionText.Of(JsonSerializer.SerializeToElement(entry.Value)))}");
        return string.Join(", ", differing.Prepend(kind));
    }

    /// <summary>A point's values of the options that differ.</summary>
    public static string Name(SweepResult sweep, SweepPoint point) => string.Join(", ", Varied(sweep).Select(key => Value(sweep, point, key)));

    private static string? KindOf(JsonObject section) => section["kind"] is JsonValue kind && kind.TryGetValue<string>(out var name) ? name : null;

    private static JsonObject? Section(string text)
    {
        if (!text.StartsWith('{'))
            return null;
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
