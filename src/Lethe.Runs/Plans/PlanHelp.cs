using System.Text;

namespace Lethe.Runs.Plans;

/// <summary>What the keys of a plan are, for <c>--help</c> and docs: read from the plan records, so that it cannot fall behind.</summary>
public static class PlanHelp
{
    /// <summary>Every key below a plan record, outermost first.</summary>
    /// <param name="type">The plan record, or the abstract record of its kinds.</param>
    public static IReadOnlyList<PlanHelpEntry> Entries(Type type)
    {
        var entries = new List<PlanHelpEntry>();
        Walk(PlanType.Of(type), "", entries, []);
        return entries;
    }

    /// <summary>The entries as text, one key a line.</summary>
    public static string Text(Type type)
    {
        var text = new StringBuilder();
        foreach (var entry in Entries(type))
            text.Append($"{entry.Path}: {entry.Description}\n");
        return text.ToString();
    }

    private static void Walk(PlanType type, string path, List<PlanHelpEntry> entries, HashSet<Type> around)
    {
        switch (type)
        {
            case PlanSectionType section:
                Section(section.Section, path, entries, around);
                break;
            case PlanChoiceType choice:
                foreach (var kind in choice.Kinds)
                {
                    entries.Add(new PlanHelpEntry($"{path}{(path.Length == 0 ? "" : ".")}kind={kind.Name}", kind.Description + "."));
                    Section(PlanSection.Of(kind.Type), path, entries, around);
                }
                break;
            case PlanListType list:
                Walk(list.ItemType, path + ".0", entries, around);
                break;
            case PlanTableType table:
                Walk(table.ItemType, path + ".<name>", entries, around);
                break;
        }
    }

    private static void Section(PlanSection section, string path, List<PlanHelpEntry> entries, HashSet<Type> around)
    {
        // A form may hold its own kind again (a blend of surrogates); once is enough for the reader.
        if (!around.Add(section.Type))
            return;
        var untouched = Activator.CreateInstance(section.Type)!;
        foreach (var key in section.Keys)
        {
            var name = path.Length == 0 ? key.Name : $"{path}.{key.Name}";
            entries.Add(new PlanHelpEntry(name, PlanWriter.Describe(key, key.Property.GetValue(untouched))));
            Walk(key.Type, name, entries, around);
        }
        around.Remove(section.Type);
    }
}

/// <summary>One key of a plan, explained.</summary>
/// <param name="Path">Path of the key; an item of a list is "0", a name of the user's choice "&lt;name&gt;".</param>
/// <param name="Description">What it means, its bounds, its default and the reason.</param>
public sealed record PlanHelpEntry(string Path, string Description);
