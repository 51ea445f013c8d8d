using System.Reflection;
using System.Text.RegularExpressions;

namespace Lethe.Torch;

/// <summary>
/// operators.txt: each ATen operator that Lethe uses, with the schema that it relies on. Lines that start with '?' are operators of newer
/// versions, asked for with <see cref="Operator.Exists"/> before they are used.
/// </summary>
internal static partial class OperatorManifest
{
    /// <summary>One line: the operator, its schema and whether code does without it.</summary>
    public sealed record Entry(string Name, string Schema, bool Optional);

    public static IReadOnlyList<Entry> Entries { get; } = Read();

    /// <summary>All operators that the code refers to.</summary>
    public static IEnumerable<Operator> Used() =>
        typeof(Ops).GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static).Where(field => field.FieldType == typeof(Operator)).Select(field => (Operator)field.GetValue(null)!);

    /// <summary>What the libtorch at hand lacks, a sentence each.</summary>
    public static IReadOnlyList<string> Problems()
    {
        var used = Used().ToDictionary(op => op.FullName);
        var problems = new List<string>();
        foreach (var entry in Entries)
        {
            if (!used[entry.Name].Exists)
            {
                if (!entry.Optional)
                    problems.Add($"{entry.Name} is missing");
            }
            else if (!Fits(entry.Schema, used[entry.Name].Schema()))
                problems.Add($"{entry.Name} has another schema: {used[entry.Name].Schema()}");
        }
        return problems;
    }

    /// <summary>
    /// Whether calls written for one schema work with another: the same leading arguments by name and type, later ones with defaults, and as
    /// many results. Newer versions rename symbolic integers, mark aliases and add arguments; none of that matters to a call.
    /// </summary>
    public static bool Fits(string expected, string actual)
    {
        var (wanted, wantedResults) = Parse(expected);
        var (found, foundResults) = Parse(actual);
        return wantedResults == foundResults && found.Count >= wanted.Count
            && wanted.Zip(found).All(pair => pair.First.Type == pair.Second.Type && pair.First.Name == pair.Second.Name)
            && found.Skip(wanted.Count).All(argument => argument.HasDefault);
    }

    private static (List<(string Type, string Name, bool HasDefault)> Arguments, string Results) Parse(string schema)
    {
        var text = Alias().Replace(schema, "").Replace("SymInt", "int", StringComparison.Ordinal);
        var arrow = text.LastIndexOf(" -> ", StringComparison.Ordinal);
        var open = text.IndexOf('(', StringComparison.Ordinal);
        var arguments = new List<(string, string, bool)>();
        foreach (var part in Split(text[(open + 1)..text.LastIndexOf(')', arrow)]))
        {
            if (part == "*")
                continue;
            var named = part.Split('=', 2);
            var words = named[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            arguments.Add((words[0], words[1], named.Length == 2));
        }
        // Results may have names in one version and none in another.
        return (arguments, string.Join(",", Split(text[(arrow + 4)..].Trim('(', ')')).Select(result => result.Split(' ')[0])));
    }

    // At commas outside of brackets: "int[2] stride=[1, 1], str mode" is two arguments.
    private static IEnumerable<string> Split(string text)
    {
        var (depth, start) = (0, 0);
        for (var k = 0; k <= text.Length; k++)
            if (k == text.Length || (text[k] == ',' && depth == 0))
            {
                if (text[start..k].Trim() is { Length: > 0 } part)
                    yield return part;
                start = k + 1;
            }
            else
                depth += text[k] is '[' or '(' ? 1 : text[k] is ']' or ')' ? -1 : 0;
    }

    private static List<Entry> Read()
    {
        using var stream = typeof(OperatorManifest).Assembly.GetManifestResourceStream("operators.txt")!;
        using var reader = new StreamReader(stream);
        var entries = new List<Entry>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            var schema = line.TrimStart('?', ' ');
            entries.Add(new Entry(schema[..schema.IndexOf('(', StringComparison.Ordinal)], schema, line[0] == '?'));
        }
        return entries;
    }

    // "(a!)", "(a -> *)": how results share memory with arguments.
    [GeneratedRegex(@"\([a-z]((!| ->|\|)[^()]*)?\)")]
    private static partial Regex Alias();
}
