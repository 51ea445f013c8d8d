using System.Collections;
using System.Text;

namespace Lethe.Runs.Plans;

/// <summary>Writes a plan back as YAML with every default spelled out, above each key a line that says what it means, its bounds, its default and the reason.</summary>
public static class PlanWriter
{
    /// <summary>The YAML of a plan record; reading it gives an equal plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="type">Its type, or the abstract record of its kinds.</param>
    /// <param name="comments">Whether to write the comment lines.</param>
    public static string Write(object plan, Type type, bool comments = true)
    {
        var text = new StringBuilder();
        foreach (var line in Lines(plan, PlanType.Of(type), comments))
            text.Append(line).Append('\n');
        return text.ToString();
    }

    /// <summary>What a comment line says of a key.</summary>
    public static string Describe(PlanKey key, object? @default)
    {
        var line = new StringBuilder(key.Description).Append('.');
        // The words of an enum and the names of kinds matter as much as bounds; "text" or "a number" the value itself shows.
        if ((key.Limits.Words ?? Choices(key.Type)) is { } words)
            line.Append(' ').Append(char.ToUpperInvariant(words[0])).Append(words.AsSpan(1)).Append('.');
        if (key.Limits.LengthWords is { } length)
            line.Append($" {char.ToUpperInvariant(length[0])}{length.AsSpan(1)} {(key.Type is PlanScalarType ? "characters" : "items")}.");
        if (key.Required)
            line.Append(" Required.");
        else if (key.Type is PlanScalarType)
            line.Append($" Default {PlanText.Of(@default)}{(key.Why is null ? "" : $": {key.Why}")}.");
        else if (key.Why is not null)
            line.Append($" Default: {key.Why}.");
        return line.ToString().ReplaceLineEndings(" ");
    }

    private static string? Choices(PlanType type) => type switch
    {
        PlanScalarType { Type.IsEnum: true } or PlanChoiceType => type.Words[type.Words.IndexOf("one of", StringComparison.Ordinal)..],
        PlanListType list => Choices(list.ItemType) is { } words ? "each " + words : null,
        _ => null,
    };

    /// <summary>The lines of a section, not indented.</summary>
    private static IEnumerable<string> Lines(object section, PlanType type, bool comments)
    {
        var keys = PlanSection.Of(section.GetType()).Keys;
        if (type is PlanChoiceType choice)
            yield return $"kind: {choice.KindOf(section)?.Name ?? throw new NotSupportedException($"{section.GetType()} is no [PlanKind] of {choice.Type}.")}";
        else if (keys.Count == 0)
            yield return "{}";
        var untouched = Activator.CreateInstance(section.GetType())!;
        foreach (var key in keys)
        {
            if (comments)
                yield return "# " + Describe(key, key.Property.GetValue(untouched));
            foreach (var line in Entry(key.Name, key.Property.GetValue(section), key.Type, comments))
                yield return line;
        }
    }

    private static IEnumerable<string> Entry(string name, object? value, PlanType type, bool comments) => type switch
    {
        PlanSectionType or PlanChoiceType when value is not null => Lines(value, type, comments).Select(line => "  " + line).Prepend(name + ":"),
        PlanListType { ItemType: PlanSectionType or PlanChoiceType } list when value is IList { Count: > 0 } items =>
            items.Cast<object>().SelectMany((item, i) => Item(Lines(item, list.ItemType, comments && i == 0))).Prepend(name + ":"),
        PlanTableType table when value is IDictionary { Count: > 0 } entries =>
            entries.Keys.Cast<string>().SelectMany(key => Entry(PlanText.Of(key), entries[key], table.ItemType, comments)).Select(line => "  " + line).Prepend(name + ":"),
        _ => [$"{name}: {Flow(value)}"],
    };

    /// <summary>The lines of a list's item: the first that is no comment gets the dash.</summary>
    private static IEnumerable<string> Item(IEnumerable<string> lines)
    {
        var begun = false;
        foreach (var line in lines)
        {
            if (begun || line.StartsWith('#'))
            {
                yield return (begun ? "    " : "  ") + line;
                continue;
            }
            yield return "  - " + line;
            begun = true;
        }
    }

    /// <summary>A value on one line.</summary>
    private static string Flow(object? value) => value switch
    {
        PlanScalar scalar => scalar.Quoted ? PlanText.Quote(scalar.Text) : scalar.IsNothing ? "null" : PlanText.Bare(scalar.Text),
        PlanList list => Flow(list.Items),
        PlanMap map => Braces(map.Entries.Select(entry => (entry.Key, (object?)entry.Value))),
        IDictionary table => Braces(table.Keys.Cast<string>().Select(key => (key, table[key]))),
        IEnumerable items and not string => $"[{string.Join(", ", items.Cast<object?>().Select(Flow))}]",
        _ => PlanText.Of(value),
    };

    private static string Braces(IEnumerable<(string Key, object? Value)> entries) => $"{{{string.Join(", ", entries.Select(entry => $"{PlanText.Of(entry.Key)}: {Flow(entry.Value)}"))}}}";
}
