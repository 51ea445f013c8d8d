using System.Text;

namespace Lethe.Formats.ChatTemplates;

/// <summary>Members, items, slices and methods of values. A member that is not there is undefined; a method that Lethe lacks is refused by name.</summary>
internal static class TemplateMembers
{
    public static object? Named(TemplateFrame frame, object? owner, string name) => owner switch
    {
        Undefined undefined => throw frame.Error($"'.{name}' is taken of '{undefined.Name}', which is undefined"),
        TemplateNamespace space => space.Members.TryGetValue(name, out var value) ? value : new Undefined(name),
        OrderedDictionary<string, object?> mapping => MethodOf(mapping, name) ?? (mapping.TryGetValue(name, out var value) ? value : new Undefined(name)),
        string text => (object?)TemplateTexts.Method(text, name) ?? throw frame.Errors.Unsupported(frame.Line, $"the member '{name}' of a text"),
        List<object?> list when long.TryParse(name, out var index) => Item(list, index),
        List<object?> => throw frame.Errors.Unsupported(frame.Line, $"the member '{name}' of a list"),
        _ => new Undefined(name),
    };

    public static object? Indexed(TemplateFrame frame, object? owner, object? index) => (owner, index) switch
    {
        (Undefined undefined, _) => throw frame.Error($"an item is taken of '{undefined.Name}', which is undefined"),
        (OrderedDictionary<string, object?> mapping, string key) => mapping.TryGetValue(key, out var value) ? value : new Undefined(key),
        (List<object?> list, long number) => Item(list, number),
        (string text, long number) => Item(TemplateValues.Letters(frame, text), number),
        (TemplateNamespace space, string key) => space.Members.TryGetValue(key, out var value) ? value : new Undefined(key),
        _ => new Undefined(TemplateValues.Kind(index)),
    };

    private static object? Item(List<object?> list, long index)
    {
        var place = index < 0 ? index + list.Count : index;
        return place >= 0 && place < list.Count ? list[(int)place] : new Undefined($"item {index}");
    }

    /// <summary>owner[from:to:step] with Python's rules.</summary>
    public static object? Slice(TemplateFrame frame, object? owner, object? from, object? to, object? step)
    {
        var items = owner switch
        {
            string text => TemplateValues.Letters(frame, text),
            List<object?> list => list,
            _ => throw frame.Error($"a slice is taken of {TemplateValues.Kind(owner)}"),
        };
        var stride = step is null ? 1 : TemplateValues.Integer(frame, step, "the step of a slice");
        if (stride == 0)
            throw frame.Error("the step of a slice is zero");
        var count = items.Count;
        var (least, most) = stride > 0 ? (0L, (long)count) : (-1L, count - 1L);
        var begin = Bound(from, stride > 0 ? least : most);
        var end = Bound(to, stride > 0 ? most : least);
        // A step longer than the list takes one item either way, and cannot overflow.
        stride = Math.Clamp(stride, -count - 1L, count + 1L);
        frame.Charge(count);
        var taken = new List<object?>();
        for (var i = begin; stride > 0 ? i < end : i > end; i += stride)
            taken.Add(items[(int)i]);
        return owner is string ? string.Concat(taken) : taken;

        long Bound(object? value, long otherwise)
        {
            if (value is null)
                return otherwise;
            var number = TemplateValues.Integer(frame, value, "the bound of a slice");
            return Math.Clamp(number < 0 ? Math.Max(number, -count - 1L) + count : number, least, most);
        }
    }

    private static TemplateFunction? MethodOf(OrderedDictionary<string, object?> mapping, string name) => name switch
    {
        "items" => (frame, _, _) =>
        {
            frame.Charge(mapping.Count);
            return mapping.Select(pair => (object?)new List<object?> { pair.Key, pair.Value }).ToList();
        },
        "keys" => (_, _, _) => mapping.Keys.Cast<object?>().ToList(),
        "values" => (_, _, _) => mapping.Values.ToList(),
        "get" => (frame, arguments, _) => arguments.Count is 1 or 2
            ? mapping.TryGetValue(TemplateValues.String(frame, arguments[0], "the key of get()"), out var value) ? value : arguments.ElementAtOrDefault(1)
            : throw frame.Error("get() takes a key and perhaps a value to stand in"),
        _ => null,
    };
}

/// <summary>Python's methods of str that templates use.</summary>
internal static class TemplateTexts
{
    public static TemplateFunction? Method(string text, string name) => name switch
    {
        "strip" => (frame, arguments, _) => Strip(text, Letters(frame, arguments), true, true),
        "lstrip" => (frame, arguments, _) => Strip(text, Letters(frame, arguments), true, false),
        "rstrip" => (frame, arguments, _) => Strip(text, Letters(frame, arguments), false, true),
        "startswith" => (frame, arguments, _) => Any(frame, arguments, part => text.StartsWith(part, StringComparison.Ordinal)),
        "endswith" => (frame, arguments, _) => Any(frame, arguments, part => text.EndsWith(part, StringComparison.Ordinal)),
        "split" => (frame, arguments, named) => Split(frame, text, arguments, named, fromRight: false),
        "rsplit" => (frame, arguments, named) => Split(frame, text, arguments, named, fromRight: true),
        "splitlines" => (frame, _, _) => Lines(frame, text),
        "replace" => (frame, arguments, _) => Replace(frame, text, arguments),
        "upper" => (frame, _, _) => Upper(frame, text),
        "lower" => (frame, _, _) => Lower(frame, text),
        "capitalize" => (frame, _, _) => Capitalize(frame, text),
        "title" => (frame, _, _) => Title(frame, text),
        "find" => (frame, arguments, _) => Find(frame, text, TemplateValues.String(frame, arguments.ElementAtOrDefault(0), "what find() looks for")),
        "count" => (frame, arguments, _) => Count(frame, text, TemplateValues.String(frame, arguments.ElementAtOrDefault(0), "what count() looks for")),
        "join" => (frame, arguments, _) => Join(frame, text, arguments.ElementAtOrDefault(0)),
        "removeprefix" => (frame, arguments, _) => TemplateValues.String(frame, arguments.ElementAtOrDefault(0), "the prefix") is var part && text.StartsWith(part, StringComparison.Ordinal) ? text[part.Length..] : text,
        "removesuffix" => (frame, arguments, _) => TemplateValues.String(frame, arguments.ElementAtOrDefault(0), "the suffix") is var part && text.EndsWith(part, StringComparison.Ordinal) ? text[..^part.Length] : text,
        _ => null,
    };

    private static string? Letters(TemplateFrame frame, IReadOnlyList<object?> arguments) => arguments.Count == 0 || arguments[0] is null ? null : TemplateValues.String(frame, arguments[0], "what strip() removes");

    /// <summary>Without these characters, or white space where none are given, at the ends.</summary>
    public static string Strip(string text, string? letters, bool left, bool right)
    {
        var (from, to) = (0, text.Length);
        while (left && from < to && Goes(text[from]))
            from++;
        while (right && to > from && Goes(text[to - 1]))
            to--;
        return text[from..to];

        bool Goes(char letter) => letters is null ? TemplateLexer.IsSpace(letter) : letters.Contains(letter, StringComparison.Ordinal);
    }

    private static object Any(TemplateFrame frame, IReadOnlyList<object?> arguments, Func<string, bool> holds) => arguments.ElementAtOrDefault(0) is List<object?> several
        ? several.Exists(part => holds(TemplateValues.String(frame, part, "the beginning or end")))
        : holds(TemplateValues.String(frame, arguments.ElementAtOrDefault(0), "the beginning or end"));

    private static List<object?> Split(TemplateFrame frame, string text, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named, bool fromRight)
    {
        frame.Charge(text.Length);
        var limit = arguments.Count > 1 ? arguments[1] : named.GetValueOrDefault("maxsplit", -1L);
        var most = TemplateValues.Integer(frame, limit, "maxsplit");
        if (most < 0)
            most = int.MaxValue;
        var mark = arguments.Count > 0 ? arguments[0] : named.GetValueOrDefault("sep");
        var parts = new List<object?>();
        if (mark is null)
        {
            if (most != int.MaxValue)
                throw frame.Errors.Unsupported(frame.Line, "split() at white space with maxsplit");
            for (var at = 0; at < text.Length;)
            {
                var from = at;
                while (at < text.Length && !TemplateLexer.IsSpace(text[at]))
                    at++;
                if (at > from)
                    parts.Add(text[from..at]);
                at++;
            }
            return parts;
        }
        var separator = TemplateValues.String(frame, mark, "the separator of split()");
        if (separator.Length == 0)
            throw frame.Error("split() is given an empty separator");
        var rest = text;
        while (parts.Count < most && (fromRight ? rest.LastIndexOf(separator, StringComparison.Ordinal) : rest.IndexOf(separator, StringComparison.Ordinal)) is >= 0 and var found)
        {
            parts.Add(fromRight ? rest[(found + separator.Length)..] : rest[..found]);
            rest = fromRight ? rest[..found] : rest[(found + separator.Length)..];
            frame.Charge(rest.Length / 8);
        }
        parts.Add(rest);
        if (fromRight)
            parts.Reverse();
        return parts;
    }

    private static List<object?> Lines(TemplateFrame frame, string text)
    {
        frame.Charge(text.Length);
        var lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n', '\r', '\v', '\f', '\u001C', '\u001D', '\u001E', '\u0085', '\u2028', '\u2029').Cast<object?>().ToList();
        if (lines[^1] is "")
            lines.RemoveAt(lines.Count - 1);
        return lines;
    }

    public static string Replace(TemplateFrame frame, string text, IReadOnlyList<object?> arguments)
    {
        if (arguments.Count != 2)
            throw frame.Errors.Unsupported(frame.Line, $"replace() with {arguments.Count} arguments");
        var (old, changed) = (TemplateValues.String(frame, arguments[0], "what replace() replaces"), TemplateValues.String(frame, arguments[1], "what replace() puts in"));
        if (old.Length == 0)
            throw frame.Errors.Unsupported(frame.Line, "replace() of an empty text");
        var times = text.Length / old.Length;
        if ((long)times * changed.Length > 1 << 24)
            times = (int)Count(frame, text, old);
        frame.Charge(text.Length + (long)times * changed.Length / 8);
        return frame.Made(text.Replace(old, changed, StringComparison.Ordinal));
    }

    private static long Count(TemplateFrame frame, string text, string part)
    {
        frame.Charge(text.Length);
        if (part.Length == 0)
            return TemplateValues.Length(frame, text) + 1;
        var count = 0L;
        for (int at = 0; (at = text.IndexOf(part, at, StringComparison.Ordinal)) >= 0; at += part.Length)
            count++;
        return count;
    }

    private static long Find(TemplateFrame frame, string text, string part)
    {
        frame.Charge(text.Length);
        var found = text.IndexOf(part, StringComparison.Ordinal);
        return found < 0 ? -1 : TemplateValues.Length(frame, text[..found]);
    }

    public static string Upper(TemplateFrame frame, string text) => frame.Made(text.ToUpperInvariant());

    public static string Lower(TemplateFrame frame, string text) => frame.Made(text.ToLowerInvariant());

    public static string Capitalize(TemplateFrame frame, string text) => text.Length == 0 ? text : frame.Made(char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant());

    public static string Title(TemplateFrame frame, string text)
    {
        var title = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
            title.Append(i > 0 && char.IsLetter(text[i - 1]) ? char.ToLowerInvariant(text[i]) : char.ToUpperInvariant(text[i]));
        return frame.Made(title.ToString());
    }

    public static string Join(TemplateFrame frame, string separator, object? items)
    {
        var parts = TemplateValues.Items(frame, items).Select(item => TemplateValues.Text(frame, item)).ToArray();
        frame.Charge(parts.Length + parts.Sum(part => (long)part.Length + separator.Length) / 8);
        return frame.Made(string.Join(separator, parts));
    }
}
