using System.Globalization;
using System.Reflection;

namespace Lethe.Runs.Plans;

/// <summary>
/// Gives nodes the types of plan records. What a plan leaves out keeps the value that the record around it starts with, so a default
/// stands in one place only: the record.
/// </summary>
internal static class PlanBinder
{
    /// <summary>Reads a record.</summary>
    /// <param name="node">The plan.</param>
    /// <param name="type">The record, or the abstract record of its kinds.</param>
    /// <exception cref="Torch.UsageException">The plan does not fit; the message says where and what is allowed.</exception>
    public static object Bind(PlanNode node, Type type) => Value(node, PlanType.Of(type), "", null, null)!;

    private static object? Value(PlanNode node, PlanType type, string path, PlanKey? key, object? start) => (type, node) switch
    {
        (PlanRawType, _) => node,
        (_, PlanScalar { IsNothing: true }) => throw node.Place.Refuse($"{Shown(path)} has no value; it must be {type.Words}."),
        (PlanScalarType scalar, PlanScalar written) => Scalar(written, scalar, path, key),
        (PlanListType list, PlanList written) => List(written, list, path, key),
        (PlanTableType table, PlanMap written) => Table(written, table, path, key),
        (PlanSectionType section, PlanMap written) => Section(written, section.Section, path, start, kinds: null),
        (PlanChoiceType choice, PlanMap written) => Choice(written, choice, path, start),
        _ => throw node.Place.Refuse($"{Shown(path)} must be {type.Words}; {Kind(node)} was given."),
    };

    private static object Scalar(PlanScalar node, PlanScalarType type, string path, PlanKey? key)
    {
        var value = PlanText.Read(node, type, out var problem) ?? throw node.Place.Refuse($"{Shown(path)}: {problem}.");
        if (key is null)
            return value;
        if (!key.Limits.Contains(value))
            throw node.Place.Refuse($"'{path}' is {PlanText.Of(value)}; it must be {key.Limits.Words}.");
        if (value is string text && key.Type is PlanScalarType && (text.Length < key.Limits.Least || text.Length > key.Limits.Most))
            throw node.Place.Refuse($"'{path}' has {text.Length} characters; it must have {key.Limits.LengthWords}.");
        return value;
    }

    private static Array List(PlanList node, PlanListType type, string path, PlanKey? key)
    {
        CheckLength(node, node.Items.Count, path, key);
        var items = Array.CreateInstance(type.Item, node.Items.Count);
        for (var i = 0; i < items.Length; i++)
            items.SetValue(Value(node.Items[i], type.ItemType, Join(path, i.ToString(CultureInfo.InvariantCulture)), key, null), i);
        return items;
    }

    private static object Table(PlanMap node, PlanTableType type, string path, PlanKey? key)
    {
        CheckLength(node, node.Entries.Count, path, key);
        // SortedDictionary, so that the order in which a user wrote names changes no digest.
        var table = Activator.CreateInstance(typeof(SortedDictionary<,>).MakeGenericType(typeof(string), type.Item), StringComparer.Ordinal)!;
        foreach (var entry in node.Entries)
            ((System.Collections.IDictionary)table).Add(entry.Key, Value(entry.Value, type.ItemType, Join(path, entry.Key), key, null));
        return table;
    }

    private static void CheckLength(PlanNode node, int count, string path, PlanKey? key)
    {
        if (key is not null && (count < key.Limits.Least || count > key.Limits.Most))
            throw node.Place.Refuse($"'{path}' has {count} items; it must have {key.Limits.LengthWords}.");
    }

    private static object Choice(PlanMap node, PlanChoiceType type, string path, object? start)
    {
        var names = type.Kinds.Select(kind => kind.Name).ToList();
        var started = start is null ? null : type.KindOf(start);
        var assumed = started ?? type.Kinds.FirstOrDefault(kind => kind.Default);
        var written = node.Find("kind");
        if (written is null && assumed is null)
            throw node.Place.Refuse($"{Shown(path)} has no 'kind'; it must be one of: {string.Join(", ", names)}.");
        if (written is { Value: not PlanScalar })
            throw written.Value.Place.Refuse($"'{Join(path, "kind")}' must be one of: {string.Join(", ", names)}.");
        var name = (written?.Value as PlanScalar)?.Text ?? assumed!.Name;
        var kind = type.Kinds.FirstOrDefault(kind => kind.Name == name)
            ?? throw written!.Value.Place.Refuse($"'{Join(path, "kind")}' is '{name}', which is not known{NearestWord.Hint(name, names)} (one of: {string.Join(", ", names)}).");
        return Section(node, PlanSection.Of(kind.Type), path, kind == started || kind.Type == started?.Type ? start : null, kind.Name);
    }

    private static object Section(PlanMap node, PlanSection section, string path, object? start, string? kinds)
    {
        foreach (var entry in node.Entries)
        {
            if (section.Keys.Any(key => key.Name == entry.Key) || kinds is not null && entry.Key == "kind")
                continue;
            var known = kinds is null ? section.Names : section.Names.Prepend("kind");
            throw entry.Place.Refuse($"unknown key '{entry.Key}' in {Shown(path)}{(kinds is null ? "" : $" of kind '{kinds}'")}{NearestWord.Hint(entry.Key, known)} (known keys: {string.Join(", ", known)}).");
        }

        var value = start is null ? Activator.CreateInstance(section.Type)! : Clone(start);
        foreach (var key in section.Keys)
        {
            var entry = node.Find(key.Name);
            var keyPath = Join(path, key.Name);
            if (entry is null && key.Required && start is null)
                throw node.Place.Refuse($"'{keyPath}' is missing: {key.Description}. It must be {key.Limits.Words ?? key.Type.Words}.");
            if (entry is null)
                continue;
            key.Property.SetValue(value, entry.Value is PlanScalar { IsNothing: true } && key.Nullable && key.Type is not PlanRawType
                ? null
                : Value(entry.Value, key.Type, keyPath, key, key.Property.GetValue(value)));
        }

        if (value is IPlanRules rules && rules.Problems().FirstOrDefault() is { } problem)
            throw PlaceOf(node, problem.Key).Refuse(problem.Key.Length == 0 ? problem.Sentence : $"'{Join(path, problem.Key)}': {problem.Sentence}");
        return value;
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Shown(string path) => path.Length == 0 ? "the plan" : $"'{path}'";

    /// <summary>The place of a key below a section; of the nearest section around it where the plan left the key out.</summary>
    private static PlanPlace PlaceOf(PlanNode node, string key)
    {
        var place = node.Place;
        foreach (var name in key.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            var next = node switch
            {
                PlanMap map => map.Find(name)?.Value,
                PlanList list when int.TryParse(name, out var index) && index < list.Items.Count => list.Items[index],
                _ => null,
            };
            if (next is null)
                return place;
            node = next;
            place = node.Place;
        }
        return place;
    }

    /// <summary>A copy of a record, by the method that the compiler gives every record.</summary>
    private static object Clone(object record) =>
        record.GetType().GetMethod("<Clone>$", BindingFlags.Instance | BindingFlags.Public)?.Invoke(record, null)
        ?? throw new NotSupportedException($"{record.GetType()} must be a record, so that a plan can change some of its keys.");

    private static string Kind(PlanNode node) => node switch
    {
        PlanScalar scalar => $"the single value {PlanText.Shown(scalar)}",
        PlanList => "a list",
        _ => "a section",
    };
}
