using System.Globalization;
using System.Text;
using System.Text.Json;
using Lethe.Evaluation.Language;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Language.Tasks;

/// <summary>
/// Text with places for a row's values: the part of Jinja that tasks use. <c>{{key}}</c>, <c>{{choices[0]}}</c>, <c>{{choices[answer]}}</c>, <c>{{a.b}}</c> or
/// <c>{{a['b']}}</c>, and after any of them .strip(), .lower(), .upper(), .replace('a', 'b') as Python has them. Everything else is text.
/// </summary>
public sealed class Template
{
    private readonly IReadOnlyList<object> parts;

    private Template(IReadOnlyList<object> parts) => this.parts = parts;

    /// <summary>Whether the template has no places and so says the same for each row.</summary>
    public bool IsText => parts.All(part => part is string);

    /// <summary>Whether the template is one place and nothing else; its value then need not be text.</summary>
    public bool IsValue => parts is [Expression];

    /// <summary>Reads a template.</summary>
    /// <param name="text">The text.</param>
    /// <param name="place">Where it was written, for errors.</param>
    /// <exception cref="UsageException">A place is not closed, or holds something that templates do not have.</exception>
    public static Template Parse(string text, PlanPlace place)
    {
        var parts = new List<object>();
        var at = 0;
        while (true)
        {
            var open = text.IndexOf("{{", at, StringComparison.Ordinal);
            var plain = open < 0 ? text[at..] : text[at..open];
            foreach (var other in (ReadOnlySpan<string>)["{%", "{#"])
                if (plain.Contains(other, StringComparison.Ordinal))
                    throw place.Refuse($"'{other}' begins a part of Jinja that templates here do not have; they have {{{{key}}}}, {{{{key[0]}}}}, {{{{key.name}}}} and .strip(), .lower(), .upper(), .replace('a', 'b').");
            if (plain.Length > 0)
                parts.Add(plain);
            if (open < 0)
                return new Template(parts);
            var close = text.IndexOf("}}", open, StringComparison.Ordinal);
            if (close < 0)
                throw place.Refuse("'{{' is never closed; close it with '}}'.");
            parts.Add(new TemplateParser(text[(open + 2)..close], place).Parse());
            at = close + 2;
        }
    }

    /// <summary>The text for a row.</summary>
    /// <exception cref="RowProblemException">The row lacks a key or has a value of another type.</exception>
    internal string Render(JsonElement row)
    {
        if (parts is [string only])
            return only;
        var text = new StringBuilder();
        foreach (var part in parts)
            text.Append(part is Expression expression ? Text(expression.Value(row), expression.Source) : (string)part);
        return text.ToString();
    }

    /// <summary>The value of a template that <see cref="IsValue"/>: a JSON value, or text where something was done to it.</summary>
    internal JsonElement Value(JsonElement row) => ((Expression)parts[0]).Value(row) is var value && value is JsonElement element ? element : JsonSerializer.SerializeToElement((string)value);

    /// <summary>A place whose value in this row is text with nothing but white space; null if there is none.</summary>
    internal string? EmptyPlace(JsonElement row) => parts.OfType<Expression>().FirstOrDefault(expression => expression.Value(row) switch
    {
        string text => WhiteSpace.Tail(text) == 0,
        JsonElement { ValueKind: JsonValueKind.String } element => WhiteSpace.Tail(element.GetString()!) == 0,
        _ => false,
    })?.Source;

    private static string Text(object value, string source) => value switch
    {
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } element => element.GetString()!,
        JsonElement { ValueKind: JsonValueKind.Number } element => element.GetRawText(),
        JsonElement { ValueKind: JsonValueKind.True } => "True",
        JsonElement { ValueKind: JsonValueKind.False } => "False",
        JsonElement element => throw new RowProblemException($"'{source}' is {JsonWords.Of(element)}, where text is needed{(element.ValueKind == JsonValueKind.Array ? "; pick an item by [0]" : "")}."),
        _ => throw new InvalidOperationException(),
    };

    /// <summary>A place: a key, steps into its value, and what is done to the text.</summary>
    internal sealed record Expression(string Source, string Key, IReadOnlyList<object> Steps, IReadOnlyList<Func<string, string>> Changes)
    {
        public object Value(JsonElement row)
        {
            var value = Walk(row);
            if (Changes.Count == 0)
                return value;
            return Changes.Aggregate(Text(value, Source), (text, change) => change(text));
        }

        private JsonElement Walk(JsonElement row)
        {
            var value = Member(row, Key, Key);
            foreach (var step in Steps)
            {
                value = step switch
                {
                    string name => Member(value, name, Source),
                    int index => Item(value, index),
                    Expression inner => Item(value, Index(inner.Walk(row), inner.Source)),
                    _ => throw new InvalidOperationException(),
                };
            }
            return value;
        }

        private JsonElement Item(JsonElement list, int index)
        {
            if (list.ValueKind != JsonValueKind.Array)
                throw new RowProblemException($"'{Source}' picks from {JsonWords.Of(list)}; a list is needed.");
            var length = list.GetArrayLength();
            var at = index < 0 ? length + index : index;
            return at >= 0 && at < length ? list[at] : throw new RowProblemException(string.Create(CultureInfo.InvariantCulture, $"'{Source}' picks item {index} of a list of {length}."));
        }

        private static int Index(JsonElement value, string source) =>
            value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var index) ? index : throw new RowProblemException($"'{source}' is {JsonWords.Of(value)}, where a whole number is needed.");

        private static JsonElement Member(JsonElement value, string name, string source)
        {
            if (value.ValueKind != JsonValueKind.Object)
                throw new RowProblemException($"'{source}' looks for '{name}' in {JsonWords.Of(value)}.");
            return value.TryGetProperty(name, out var member)
                ? member
                : throw new RowProblemException($"the key '{name}' is missing{NearestWord.Hint(name, value.EnumerateObject().Select(known => known.Name))} (the row has: {string.Join(", ", value.EnumerateObject().Select(known => known.Name))}).");
        }
    }

    /// <summary>Reads what stands between {{ and }}.</summary>
    private sealed class TemplateParser(string source, PlanPlace place)
    {
        private int at;

        public Expression Parse()
        {
            var expression = Path();
            return at == source.Length ? expression : throw Refuse();
        }

        private Expression Path()
        {
            Space();
            var begin = at;
            var key = Name();
            var steps = new List<object>();
            var changes = new List<Func<string, string>>();
            while (at < source.Length)
            {
                Space();
                if (Take('['))
                {
                    Space();
                    if (changes.Count > 0)
                        throw Refuse();
                    steps.Add(Quote() is { } name ? name : Number() is { } index ? index : Path());
                    Space();
                    if (!Take(']'))
                        throw Refuse();
                }
                else if (Take('.'))
                {
                    var name = Name();
                    Space();
                    if (Take('('))
                        changes.Add(Change(name));
                    else if (changes.Count == 0)
                        steps.Add(name);
                    else
                        throw Refuse();
                }
                else
                {
                    break;
                }
            }
            return new Expression(source[begin..at].Trim(), key, steps, changes);
        }

        private Func<string, string> Change(string name)
        {
            Space();
            Func<string, string> change;
            switch (name)
            {
                case "strip":
                    change = WhiteSpace.Strip;
                    break;
                case "lower":
                    change = text => text.ToLowerInvariant();
                    break;
                case "upper":
                    change = text => text.ToUpperInvariant();
                    break;
                case "replace":
                    var old = Quote() ?? throw Refuse();
                    Space();
                    if (old.Length == 0 || !Take(','))
                        throw Refuse();
                    Space();
                    var replacement = Quote() ?? throw Refuse();
                    Space();
                    change = text => text.Replace(old, replacement, StringComparison.Ordinal);
                    break;
                default:
                    throw place.Refuse($"'{{{{{source}}}}}' calls '{name}', which templates do not have{NearestWord.Hint(name, ["strip", "lower", "upper", "replace"])} (known: strip, lower, upper, replace).");
            }
            return Take(')') ? change : throw Refuse();
        }

        private string Name()
        {
            Space();
            var begin = at;
            while (at < source.Length && (char.IsLetterOrDigit(source[at]) || source[at] == '_') && !(at == begin && char.IsDigit(source[at])))
                at++;
            return at > begin ? source[begin..at] : throw Refuse();
        }

        private int? Number()
        {
            var begin = at;
            if (at < source.Length && source[at] == '-')
                at++;
            while (at < source.Length && char.IsAsciiDigit(source[at]))
                at++;
            if (int.TryParse(source.AsSpan(begin, at - begin), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
                return number;
            at = begin;
            return null;
        }

        private string? Quote()
        {
            if (at >= source.Length || source[at] is not ('\'' or '"'))
                return null;
            var end = source.IndexOf(source[at], at + 1);
            if (end < 0)
                throw Refuse();
            var text = source[(at + 1)..end];
            at = end + 1;
            return text;
        }

        private bool Take(char letter)
        {
            if (at >= source.Length || source[at] != letter)
                return false;
            at++;
            return true;
        }

        private void Space()
        {
            while (at < source.Length && char.IsWhiteSpace(source[at]))
                at++;
        }

        private UsageException Refuse() => place.Refuse(
            $"'{{{{{source}}}}}' cannot be read at character {at + 1}; templates have {{{{key}}}}, {{{{key[0]}}}}, {{{{key.name}}}} and .strip(), .lower(), .upper(), .replace('a', 'b').");
    }
}
