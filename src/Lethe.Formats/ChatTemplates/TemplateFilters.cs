using System.Globalization;

namespace Lethe.Formats.ChatTemplates;

/// <summary>The filters of Jinja2 that chat templates use; the first argument is what stands before the bar.</summary>
/// <remarks>pallets/jinja, src/jinja2/filters.py; tojson as transformers redefines it.</remarks>
internal static class TemplateFilters
{
    private static readonly Dictionary<string, TemplateFunction> Known = new(StringComparer.Ordinal)
    {
        ["trim"] = (frame, given, _) => TemplateTexts.Strip(TemplateValues.Text(frame, given[0]), given.ElementAtOrDefault(1) as string, true, true),
        ["length"] = (frame, given, _) => TemplateValues.Length(frame, given[0]),
        ["upper"] = (frame, given, _) => TemplateTexts.Upper(frame, TemplateValues.Text(frame, given[0])),
        ["lower"] = (frame, given, _) => TemplateTexts.Lower(frame, TemplateValues.Text(frame, given[0])),
        ["capitalize"] = (frame, given, _) => TemplateTexts.Capitalize(frame, TemplateValues.Text(frame, given[0])),
        ["title"] = (frame, given, _) => TemplateTexts.Title(frame, TemplateValues.Text(frame, given[0])),
        ["string"] = (frame, given, _) => TemplateValues.Text(frame, given[0]),
        ["safe"] = (frame, given, _) => TemplateValues.Text(frame, given[0]),
        ["replace"] = (frame, given, _) => TemplateTexts.Replace(frame, TemplateValues.Text(frame, given[0]), [.. given.Skip(1)]),
        ["default"] = Default,
        ["join"] = (frame, given, named) => TemplateTexts.Join(frame, Argument(given, named, 1, "d") as string ?? "", Attribute(frame, given[0], Argument(given, named, 2, "attribute"))),
        ["list"] = (frame, given, _) => TemplateValues.Items(frame, given[0]).ToList(),
        ["first"] = (frame, given, _) => TemplateValues.Items(frame, given[0]) is { Count: > 0 } list ? list[0] : new Undefined("the first item of nothing"),
        ["last"] = (frame, given, _) => TemplateValues.Items(frame, given[0]) is { Count: > 0 } list ? list[^1] : new Undefined("the last item of nothing"),
        ["reverse"] = (frame, given, _) => given[0] is string text ? string.Concat(Enumerable.Reverse(TemplateValues.Letters(frame, text))) : Enumerable.Reverse(TemplateValues.Items(frame, given[0])).ToList(),
        ["items"] = (frame, given, _) => given[0] is Undefined ? new List<object?>() : ((TemplateFunction)TemplateMembers.Named(frame, Mapping(frame, given[0]), "items")!)(frame, [], new Dictionary<string, object?>()),
        ["tojson"] = (frame, given, named) => TemplateValues.Json(frame, given[0], Indent(frame, Argument(given, named, 1, "indent"))),
        ["int"] = (frame, given, _) => Whole(given[0], given.Count > 1 ? TemplateValues.Integer(frame, given[1], "the default of int") : 0),
        ["float"] = (_, given, _) => TemplateValues.Numeric(given[0]) ?? (given[0] is string text && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : 0.0),
        ["abs"] = (frame, given, _) => Magnitude(frame, given[0]),
        ["indent"] = Indented,
        ["map"] = Map,
        ["select"] = (frame, given, _) => Chosen(frame, given, 1, item => item, true),
        ["reject"] = (frame, given, _) => Chosen(frame, given, 1, item => item, false),
        ["selectattr"] = (frame, given, _) => Chosen(frame, given, 2, item => Attribute(frame, item, given), true),
        ["rejectattr"] = (frame, given, _) => Chosen(frame, given, 2, item => Attribute(frame, item, given), false),
    };

    /// <summary>The filter of that name, or null.</summary>
    public static TemplateFunction? Find(string name) => Known.GetValueOrDefault(name switch
    {
        "d" => "default",
        "count" => "length",
        _ => name,
    });

    private static object? Argument(IReadOnlyList<object?> given, IReadOnlyDictionary<string, object?> named, int place, string name) => given.Count > place ? given[place] : named.GetValueOrDefault(name);

    private static object? Default(TemplateFrame frame, IReadOnlyList<object?> given, IReadOnlyDictionary<string, object?> named)
    {
        var otherwise = given.Count > 1 || named.ContainsKey("default_value") ? Argument(given, named, 1, "default_value") : "";
        var alsoFalse = TemplateValues.IsTrue(Argument(given, named, 2, "boolean"));
        return given[0] is Undefined || alsoFalse && !TemplateValues.IsTrue(given[0]) ? otherwise : given[0];
    }

    private static object? Mapping(TemplateFrame frame, object? value) => value as OrderedDictionary<string, object?> ?? throw frame.Error($"items is applied to {TemplateValues.Kind(value)}");

    private static int? Indent(TemplateFrame frame, object? value)
    {
        if (value is null)
            return null;
        var width = TemplateValues.Integer(frame, value, "indent");
        return width is >= 0 and <= 100 ? (int)width : throw frame.Error($"indent is {width}; 0 to 100 are allowed");
    }

    private static long Whole(object? value, long otherwise) => value switch
    {
        string text => long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && Math.Abs(real) < 9e18 ? (long)real : otherwise,
        double real => Math.Abs(real) < 9e18 ? (long)real : otherwise,
        long number => number,
        bool truth => truth ? 1 : 0,
        _ => otherwise,
    };

    private static object Magnitude(TemplateFrame frame, object? value)
    {
        if (value is double real)
            return Math.Abs(real);
        var number = TemplateValues.Integer(frame, value, "what abs is given");
        return number == long.MinValue ? throw frame.Error("abs exceeds 64 bits") : Math.Abs(number);
    }

    private static object? Indented(TemplateFrame frame, IReadOnlyList<object?> given, IReadOnlyDictionary<string, object?> named)
    {
        var margin = new string(' ', Indent(frame, Argument(given, named, 1, "width") ?? 4L)!.Value);
        var (first, blank) = (TemplateValues.IsTrue(Argument(given, named, 2, "first")), TemplateValues.IsTrue(Argument(given, named, 3, "blank")));
        var lines = TemplateValues.Text(frame, given[0]).Split('\n');
        frame.Charge(lines.Length * (1L + margin.Length / 8));
        return frame.Made(string.Join('\n', lines.Select((line, i) => i == 0 ? first ? margin + line : line : line.Length > 0 || blank ? margin + line : line)));
    }

    /// <summary>A member by a dotted path.</summary>
    private static object? Member(TemplateFrame frame, object? item, string path)
    {
        foreach (var name in path.Split('.'))
            item = item is Undefined ? item : TemplateMembers.Indexed(frame, item, long.TryParse(name, out var index) && item is List<object?> ? index : name);
        return item;
    }

    private static object? Attribute(TemplateFrame frame, object? list, object? attribute) =>
        attribute is string path ? TemplateValues.Items(frame, list).Select(item => Member(frame, item, path)).ToList() : list;

    private static object? Attribute(TemplateFrame frame, object? item, IReadOnlyList<object?> given) => Member(frame, item, TemplateValues.String(frame, given.ElementAtOrDefault(1), "the attribute"));

    private static object? Map(TemplateFrame frame, IReadOnlyList<object?> given, IReadOnlyDictionary<string, object?> named)
    {
        var items = TemplateValues.Items(frame, given[0]);
        frame.Charge(items.Count);
        if (named.TryGetValue("attribute", out var attribute))
            return items.Select(item => Member(frame, item, TemplateValues.String(frame, attribute, "the attribute")) is var value && value is Undefined && named.TryGetValue("default", out var otherwise) ? otherwise : value).ToList();
        var name = TemplateValues.String(frame, given.ElementAtOrDefault(1), "the filter that map applies");
        var filter = Find(name) ?? throw frame.Errors.Unsupported(frame.Line, $"the filter '{name}'");
        return frame.Nested(() => items.Select(item => filter(frame, [item, .. given.Skip(2)], named)).ToList());
    }

    private static List<object?> Chosen(TemplateFrame frame, IReadOnlyList<object?> given, int place, Func<object?, object?> subject, bool wanted)
    {
        var items = TemplateValues.Items(frame, given[0]);
        frame.Charge(items.Count);
        if (given.Count <= place)
            return items.Where(item => TemplateValues.IsTrue(subject(item)) == wanted).ToList();
        var name = TemplateValues.String(frame, given[place], "the test");
        var test = TemplateTests.Find(name) ?? throw frame.Errors.Unsupported(frame.Line, $"the test '{name}'");
        return items.Where(item => test.Holds(frame, subject(item), given.ElementAtOrDefault(place + 1)) == wanted).ToList();
    }
}

/// <summary>The tests behind 'is'.</summary>
internal static class TemplateTests
{
    /// <summary>A test and whether a value stands behind it.</summary>
    public sealed record Test(Func<TemplateFrame, object?, object?, bool> Holds, bool TakesArgument = false);

    private static readonly Dictionary<string, Test> Known = new(StringComparer.Ordinal)
    {
        ["defined"] = new((_, value, _) => value is not Undefined),
        ["undefined"] = new((_, value, _) => value is Undefined),
        ["none"] = new((_, value, _) => value is null),
        ["string"] = new((_, value, _) => value is string),
        ["number"] = new((_, value, _) => value is long or double or bool),
        ["integer"] = new((_, value, _) => value is long),
        ["float"] = new((_, value, _) => value is double),
        ["boolean"] = new((_, value, _) => value is bool),
        ["true"] = new((_, value, _) => value is true),
        ["false"] = new((_, value, _) => value is false),
        ["mapping"] = new((_, value, _) => value is OrderedDictionary<string, object?>),
        ["sequence"] = new((_, value, _) => value is string or List<object?> or OrderedDictionary<string, object?> or Undefined),
        ["iterable"] = new((_, value, _) => value is string or List<object?> or OrderedDictionary<string, object?> or Undefined),
        ["callable"] = new((_, value, _) => value is TemplateFunction),
        ["odd"] = new((frame, value, _) => TemplateValues.Integer(frame, value, "what is tested for odd") % 2 != 0),
        ["even"] = new((frame, value, _) => TemplateValues.Integer(frame, value, "what is tested for even") % 2 == 0),
        ["divisibleby"] = new((frame, value, other) => TemplateValues.Integer(frame, TemplateArithmetic.Apply(frame, "%", value, other), "what is tested for divisibleby") == 0, true),
        ["in"] = new((frame, value, other) => TemplateValues.Contains(frame, other, value), true),
        ["equalto"] = new((frame, value, other) => TemplateValues.Same(frame, value, other), true),
        ["ne"] = new((frame, value, other) => !TemplateValues.Same(frame, value, other), true),
        ["sameas"] = new((frame, value, other) => value?.GetType() == other?.GetType() && TemplateValues.Same(frame, value, other), true),
        ["gt"] = new((frame, value, other) => TemplateValues.Compare(frame, value, other) > 0, true),
        ["ge"] = new((frame, value, other) => TemplateValues.Compare(frame, value, other) >= 0, true),
        ["lt"] = new((frame, value, other) => TemplateValues.Compare(frame, value, other) < 0, true),
        ["le"] = new((frame, value, other) => TemplateValues.Compare(frame, value, other) <= 0, true),
    };

    /// <summary>The test of that name, or null.</summary>
    public static Test? Find(string name) => Known.GetValueOrDefault(name switch
    {
        "eq" or "==" => "equalto",
        "!=" => "ne",
        "greaterthan" or ">" => "gt",
        "lessthan" or "<" => "lt",
        ">=" => "ge",
        "<=" => "le",
        _ => name,
    });
}
