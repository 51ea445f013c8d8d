using System.Globalization;
using System.Text;

namespace Lethe.Formats.ChatTemplates;

/// <summary>A name or member that is not there. Prints as nothing, is false, and cannot be looked into.</summary>
internal sealed record Undefined(string Name);

/// <summary>What namespace() makes: the one value that a template may change.</summary>
internal sealed class TemplateNamespace
{
    public Dictionary<string, object?> Members { get; } = new(StringComparer.Ordinal);
}

/// <summary>Something that can be called with arguments, some by name.</summary>
internal delegate object? TemplateFunction(TemplateFrame frame, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named);

/// <summary>
/// Python's rules for the values of templates: null is None; bool, long, double, string, List (lists and tuples), OrderedDictionary (mappings).
/// </summary>
internal static class TemplateValues
{
    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool truth => truth,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        List<object?> list => list.Count > 0,
        OrderedDictionary<string, object?> mapping => mapping.Count > 0,
        _ => true,
    };

    /// <summary>str(value).</summary>
    public static string Text(TemplateFrame frame, object? value) => value switch
    {
        string text => text,
        Undefined => "",
        _ => frame.Made(Written(frame, value)),
    };

    private static string Written(TemplateFrame frame, object? value)
    {
        frame.Charge(1);
        return value switch
        {
            null => "None",
            bool truth => truth ? "True" : "False",
            long number => number.ToString(CultureInfo.InvariantCulture),
            double number => Number(number),
            string text => Quoted(text),
            Undefined => "Undefined",
            List<object?> list => $"[{string.Join(", ", frame.Nested(() => list.Select(item => Written(frame, item)).ToArray()))}]",
            OrderedDictionary<string, object?> mapping => $"{{{string.Join(", ", frame.Nested(() => mapping.Select(pair => $"{Quoted(pair.Key)}: {Written(frame, pair.Value)}").ToArray()))}}}",
            _ => throw frame.Error("a function or namespace is printed"),
        };
    }

    /// <summary>Python's repr of a float.</summary>
    public static string Number(double value)
    {
        if (!double.IsFinite(value))
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny('.', 'E') < 0 ? text + ".0" : text.Replace("E", "e", StringComparison.Ordinal);
    }

    private static string Quoted(string text)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        var quoted = new StringBuilder().Append(quote);
        foreach (var letter in text)
            _ = letter switch
            {
                '\n' => quoted.Append(@"\n"),
                '\r' => quoted.Append(@"\r"),
                '\t' => quoted.Append(@"\t"),
                '\\' => quoted.Append(@"\\"),
                _ when letter == quote => quoted.Append('\\').Append(letter),
                _ when letter < ' ' || letter == '\u007F' => quoted.Append(CultureInfo.InvariantCulture, $"\\x{(int)letter:x2}"),
                _ => quoted.Append(letter),
            };
        return quoted.Append(quote).ToString();
    }

    /// <summary>json.dumps(value, ensure_ascii=False, indent=indent), as transformers defines the filter tojson.</summary>
    public static string Json(TemplateFrame frame, object? value, int? indent, int level = 0)
    {
        frame.Charge(1);
        return frame.Made(value switch
        {
            null => "null",
            bool truth => truth ? "true" : "false",
            long number => number.ToString(CultureInfo.InvariantCulture),
            double number => double.IsFinite(number) ? Number(number) : throw frame.Error("tojson is given a number that is not finite"),
            string text => JsonText(text),
            List<object?> list => Enclosed('[', ']', frame.Nested(() => list.Select(item => Json(frame, item, indent, level + 1)).ToArray()), indent, level),
            OrderedDictionary<string, object?> mapping =>
                Enclosed('{', '}', frame.Nested(() => mapping.Select(pair => $"{JsonText(pair.Key)}: {Json(frame, pair.Value, indent, level + 1)}").ToArray()), indent, level),
            _ => throw frame.Error(value is Undefined name ? $"tojson is given '{name.Name}', which is undefined" : "tojson is given a function or namespace"),
        });
    }

    private static string Enclosed(char open, char close, string[] items, int? indent, int level)
    {
        if (items.Length == 0 || indent is not { } width)
            return $"{open}{string.Join(", ", items)}{close}";
        var inner = "\n" + new string(' ', width * (level + 1));
        return $"{open}{inner}{string.Join("," + inner, items)}\n{new string(' ', width * level)}{close}";
    }

    private static string JsonText(string text)
    {
        var json = new StringBuilder("\"");
        foreach (var letter in text)
            _ = letter switch
            {
                '"' => json.Append("\\\""),
                '\\' => json.Append(@"\\"),
                '\n' => json.Append(@"\n"),
                '\r' => json.Append(@"\r"),
                '\t' => json.Append(@"\t"),
                '\b' => json.Append(@"\b"),
                '\f' => json.Append(@"\f"),
                < ' ' => json.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}"),
                _ => json.Append(letter),
            };
        return json.Append('"').ToString();
    }

    /// <summary>The items that a for loop runs over; a mapping gives its keys, a text its characters.</summary>
    public static List<object?> Items(TemplateFrame frame, object? value) => value switch
    {
        List<object?> list => list,
        Undefined => [],
        OrderedDictionary<string, object?> mapping => [.. mapping.Keys],
        string text => Letters(frame, text),
        _ => throw frame.Error($"{Kind(value)} cannot be iterated over"),
    };

    public static List<object?> Letters(TemplateFrame frame, string text)
    {
        frame.Charge(text.Length);
        return [.. text.EnumerateRunes().Select(rune => rune.ToString())];
    }

    /// <summary>Python counts code points.</summary>
    public static long Length(TemplateFrame frame, object? value) => value switch
    {
        string text => text.Length - text.Count(char.IsLowSurrogate),
        List<object?> list => list.Count,
        OrderedDictionary<string, object?> mapping => mapping.Count,
        Undefined => 0,
        _ => throw frame.Error($"{Kind(value)} has no length"),
    };

    public static bool Same(TemplateFrame frame, object? left, object? right)
    {
        frame.Charge(1);
        return (left, right) switch
        {
            (null, null) => true,
            (Undefined, Undefined) => true,
            (string a, string b) => a == b,
            (List<object?> a, List<object?> b) => a.Count == b.Count && frame.Nested(() => a.Zip(b).All(pair => Same(frame, pair.First, pair.Second))),
            (OrderedDictionary<string, object?> a, OrderedDictionary<string, object?> b) =>
                a.Count == b.Count && frame.Nested(() => a.All(pair => b.TryGetValue(pair.Key, out var other) && Same(frame, pair.Value, other))),
            _ => Numeric(left) is { } x && Numeric(right) is { } y ? x.Equals(y) : left is not null && ReferenceEquals(left, right),
        };
    }

    /// <summary>Less than, equal or greater, of two numbers or two texts.</summary>
    public static int Compare(TemplateFrame frame, object? left, object? right) => (left, right) switch
    {
        (string a, string b) => string.CompareOrdinal(a, b),
        _ when Numeric(left) is { } x && Numeric(right) is { } y => x.CompareTo(y),
        _ => throw frame.Error($"{Kind(left)} and {Kind(right)} have no order"),
    };

    public static bool Contains(TemplateFrame frame, object? container, object? item) => container switch
    {
        string text => item is string part ? text.Contains(part, StringComparison.Ordinal) : throw frame.Error($"'in' looks for {Kind(item)} in a text"),
        OrderedDictionary<string, object?> mapping => item is string key && mapping.ContainsKey(key),
        Undefined => false,
        List<object?> list => list.Exists(other => Same(frame, other, item)),
        _ => throw frame.Error($"'in' looks into {Kind(container)}"),
    };

    public static double? Numeric(object? value) => value switch
    {
        long number => number,
        double number => number,
        bool truth => truth ? 1 : 0,
        _ => null,
    };

    public static long Integer(TemplateFrame frame, object? value, string what) => value switch
    {
        long number => number,
        bool truth => truth ? 1 : 0,
        _ => throw frame.Error($"{what} must be a whole number and is {Kind(value)}"),
    };

    public static string String(TemplateFrame frame, object? value, string what) => value as string ?? throw frame.Error($"{what} must be a text and is {Kind(value)}");

    public static string Kind(object? value) => value switch
    {
        null => "None",
        Undefined undefined => $"'{undefined.Name}', which is undefined",
        bool => "a truth value",
        long or double => "a number",
        string => "a text",
        List<object?> => "a list",
        OrderedDictionary<string, object?> => "a mapping",
        TemplateNamespace => "a namespace",
        _ => "a function",
    };
}
