using System.Text.Json;
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

    /// <summary>A point's value of an option; of a whole section, such as a method, its kind where that says which it is.</summary>
    public static string Value(SweepResult sweep, SweepPoint point, string key)
    {
        var text = OptionText.Of(point.Options.GetValueOrDefault(key));
        if (KindOf(text) is not { } kind)
            return text;
        var alike = sweep.Points.Select(other => OptionText.Of(other.Options.GetValueOrDefault(key))).Distinct().Count(other => KindOf(other) == kind);
        return alike == 1 ? kind : text;
    }

    /// <summary>A point's values of the options that differ.</summary>
    public static string Name(SweepResult sweep, SweepPoint point) => string.Join(", ", Varied(sweep).Select(key => Value(sweep, point, key)));

    private static string? KindOf(string text)
    {
        if (!text.StartsWith('{'))
            return null;
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.TryGetProperty("kind", out var kind) && kind.ValueKind == JsonValueKind.String ? kind.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
