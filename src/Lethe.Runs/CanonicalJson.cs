using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lethe.Runs.Plans;

namespace Lethe.Runs;

/// <summary>
/// One JSON text for each value, whoever writes it: keys in ordinal order, no spaces, snake_case names, enums as words, every property
/// of a record by its own type and not by the type that it is declared with. Digests are made of it.
/// </summary>
public static class CanonicalJson
{
    /// <summary>The canonical text of a value: null, bool, number, text, enum, list, dictionary, record, JSON node or a plan's nodes.</summary>
    /// <exception cref="NotSupportedException">The value holds something else, or a number that is not finite.</exception>
    public static string Of(object? value)
    {
        var text = new StringBuilder();
        Write(text, value);
        return text.ToString();
    }

    /// <summary>The value as JSON nodes.</summary>
    public static JsonNode? Node(object? value) => JsonNode.Parse(Of(value));

    /// <summary>SHA-256 of the canonical text, lower-case hexadecimal.</summary>
    public static string Digest(object? value) => Sha256(Encoding.UTF8.GetBytes(Of(value)));

    /// <summary>SHA-256 of bytes, lower-case hexadecimal.</summary>
    public static string Sha256(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static void Write(StringBuilder text, object? value)
    {
        switch (value)
        {
            case null or PlanScalar { IsNothing: true }:
                text.Append("null");
                break;
            case bool flag:
                text.Append(flag ? "true" : "false");
                break;
            case string word:
                text.Append(JsonSerializer.Serialize(word));
                break;
            case Enum word:
                text.Append(JsonSerializer.Serialize(JsonNamingPolicy.SnakeCaseLower.ConvertName(word.ToString())));
                break;
            case double or float or Half:
                var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
                if (!double.IsFinite(number))
                    throw new NotSupportedException($"{number} has no place in JSON.");
                text.Append(((IFormattable)value).ToString("R", CultureInfo.InvariantCulture));
                break;
            case sbyte or byte or short or ushort or int or uint or long or ulong or decimal:
                text.Append(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture));
                break;
            case DateTimeOffset time:
                text.Append(JsonSerializer.Serialize(time));
                break;
            case JsonNode node:
                Write(text, node);
                break;
            case PlanScalar scalar:
                Write(text, scalar.Quoted ? scalar.Text : Bare(scalar.Text));
                break;
            case PlanList list:
                Write(text, list.Items);
                break;
            case PlanMap map:
                Object(text, map.Entries.Select(entry => (entry.Key, (object?)entry.Value)));
                break;
            case IDictionary table:
                Object(text, table.Keys.Cast<object>().Select(key => ((string)key, table[key])));
                break;
            case IEnumerable items when IsTable(value):
                Object(text, items.Cast<object>().Select(pair => ((string)Property(pair, "Key")!, Property(pair, "Value"))));
                break;
            case IEnumerable items:
                text.Append('[');
                var first = true;
                foreach (var item in items)
                {
                    if (!first)
                        text.Append(',');
                    first = false;
                    Write(text, item);
                }
                text.Append(']');
                break;
            default:
                Record(text, value);
                break;
        }
    }

    private static void Write(StringBuilder text, JsonNode node)
    {
        switch (node)
        {
            case JsonObject members:
                Object(text, members.Select(member => (member.Key, (object?)member.Value)));
                break;
            case JsonArray items:
                Write(text, (IEnumerable)items.ToList());
                break;
            default:
                text.Append(node.ToJsonString());
                break;
        }
    }

    private static void Record(StringBuilder text, object record)
    {
        var type = record.GetType();
        if (type.Namespace?.StartsWith("System", StringComparison.Ordinal) is true)
            throw new NotSupportedException($"{type} has no canonical JSON.");
        // What is computed from other properties says nothing new; an anonymous type has nothing but values.
        var anonymous = type.IsDefined(typeof(CompilerGeneratedAttribute));
        var members = type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Where(property => property.GetIndexParameters().Length == 0 && (anonymous || property.SetMethod is { IsPublic: true } || property.GetMethod!.IsDefined(typeof(CompilerGeneratedAttribute))))
            .Select(property => (JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name), property.GetValue(record)));
        // Two forms with the same keys are not the same choice.
        if (type.BaseType is { IsAbstract: true })
            members = members.Append(("kind", PlanKindAttribute.Of(type.BaseType).FirstOrDefault(kind => kind.Type == type)?.Name ?? type.Name));
        Object(text, members);
    }

    private static void Object(StringBuilder text, IEnumerable<(string Key, object? Value)> members)
    {
        text.Append('{');
        var first = true;
        foreach (var (key, value) in members.OrderBy(member => member.Key, StringComparer.Ordinal))
        {
            if (!first)
                text.Append(',');
            first = false;
            text.Append(JsonSerializer.Serialize(key)).Append(':');
            Write(text, value);
        }
        text.Append('}');
    }

    private static bool IsTable(object value) => value.GetType().GetInterfaces().Any(type => type.IsGenericType
        && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) && type.GetGenericArguments()[0] == typeof(string));

    private static object? Property(object pair, string name) => pair.GetType().GetProperty(name)!.GetValue(pair);

    /// <summary>What a value without quotes says when no type tells: a flag, a whole number, a number, else text.</summary>
    private static object Bare(string text) => text is "true" or "false" ? text == "true"
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number
        : text;
}
