using System.Globalization;
using Lethe.Torch;

namespace Lethe.Runs.Plans;

/// <summary>Overrides from the command line, <c>--set path.to.key=value</c>: laid over a plan's nodes before they are given types, so that they are checked exactly as if they stood in the file.</summary>
public static class PlanOverride
{
    /// <summary>Lays one override over a plan.</summary>
    /// <param name="root">The plan.</param>
    /// <param name="assignment">"path.to.key=value"; an item of a list is named by its number from 0, as in "concepts.0.label=3".</param>
    /// <returns>A plan with the value in its place; <paramref name="root"/> is not changed.</returns>
    /// <exception cref="UsageException">There is no "=", a name is empty, or the path runs through a single value or past the end of a list.</exception>
    public static PlanNode Apply(PlanNode root, string assignment)
    {
        var parsed = Parse(assignment);
        return Put(root, parsed.Path.Split('.'), parsed.Value, new PlanPlace("--set " + assignment, 0, 0));
    }

    /// <summary>Lays a value over a plan that was written elsewhere.</summary>
    /// <param name="root">The plan.</param>
    /// <param name="assignment">Where it goes, and the value.</param>
    /// <returns>A plan with the value in its place; <paramref name="root"/> is not changed.</returns>
    /// <exception cref="UsageException">A name in the path is empty, or the path runs through a single value or past the end of a list.</exception>
    public static PlanNode Apply(PlanNode root, PlanAssignment assignment)
    {
        var path = assignment.Path.Split('.');
        if (path.Any(name => name.Length == 0))
            throw assignment.Value.Place.Refuse($"a name in the path '{assignment.Path}' is empty; write it as path.to.key.");
        return Put(root, path, assignment.Value, assignment.Value.Place);
    }

    /// <summary>Reads an override as it is typed.</summary>
    /// <exception cref="UsageException">There is no "=", or a name is empty.</exception>
    public static PlanAssignment Parse(string assignment)
    {
        var equals = assignment.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
            throw new UsageException($"--set {assignment}: write it as --set path.to.key=value.");
        var shown = "--set " + assignment;
        var path = assignment[..equals].Trim();
        if (path.Split('.').Any(name => name.Length == 0))
            throw new UsageException($"{shown}: a name in the path '{assignment[..equals]}' is empty; write it as --set path.to.key=value.");
        return new PlanAssignment(path, PlanParser.ParseValue(assignment[(equals + 1)..], shown));
    }

    private static PlanNode Put(PlanNode? node, ReadOnlySpan<string> path, PlanNode value, PlanPlace place)
    {
        if (path.IsEmpty)
            return value;
        var name = path[0];
        switch (node)
        {
            case null or PlanScalar { IsNothing: true }:
                return new PlanMap(place, [new PlanEntry(name, place, Put(null, path[1..], value, place))]);
            case PlanMap map:
                var found = map.Find(name);
                var replaced = new PlanEntry(name, place, Put(found?.Value, path[1..], value, place));
                return map with { Entries = found is null ? [.. map.Entries, replaced] : [.. map.Entries.Select(entry => entry == found ? replaced : entry)] };
            case PlanList list:
                if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index >= list.Items.Count)
                    throw place.Refuse($"'{name}' names no item of this list; it has {list.Items.Count}, numbered from 0.");
                var items = list.Items.ToArray();
                items[index] = Put(items[index], path[1..], value, place);
                return list with { Items = items };
            default:
                throw place.Refuse($"'{name}' cannot be set, since what stands above it is a single value ({node.Place}).");
        }
    }
}

/// <summary>A value and where in a plan it goes.</summary>
/// <param name="Path">The key, such as "method.strength"; an item of a list is named by its number from 0.</param>
/// <param name="Value">The value as it was written.</param>
public sealed record PlanAssignment(string Path, PlanNode Value);
