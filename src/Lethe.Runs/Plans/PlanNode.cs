using Lethe.Torch;

namespace Lethe.Runs.Plans;

/// <summary>Where something in a plan was written, so that an error can point at it.</summary>
/// <param name="Source">Name of the file, or the override as it was typed.</param>
/// <param name="Line">Line, from 1; 0 for an override.</param>
/// <param name="Column">Column, from 1; 0 for an override.</param>
public sealed record PlanPlace(string Source, long Line, long Column)
{
    /// <summary>"plan.yaml:3:5", or the override.</summary>
    public override string ToString() => Line == 0 ? Source : $"{Source}:{Line}:{Column}";

    /// <summary>An error that begins with this place.</summary>
    /// <param name="problem">One sentence: the value, what is allowed, what to do.</param>
    public UsageException Refuse(string problem) => new($"{this}: {problem}");
}

/// <summary>A piece of a plan as it was written, before it is given a type.</summary>
/// <param name="Place">Where it begins.</param>
public abstract record PlanNode(PlanPlace Place);

/// <summary>A single value.</summary>
/// <param name="Place">Where it begins.</param>
/// <param name="Text">The value without quotes.</param>
/// <param name="Quoted">Whether it was quoted or a block of text: then it is text and nothing else.</param>
public sealed record PlanScalar(PlanPlace Place, string Text, bool Quoted) : PlanNode(Place)
{
    /// <summary>Whether nothing was written, or one of YAML's words for it.</summary>
    public bool IsNothing => !Quoted && Text is "" or "~" or "null" or "Null" or "NULL";
}

/// <summary>A list.</summary>
/// <param name="Place">Where it begins.</param>
/// <param name="Items">Its items in order.</param>
public sealed record PlanList(PlanPlace Place, IReadOnlyList<PlanNode> Items) : PlanNode(Place);

/// <summary>A section: keys with values, each key once.</summary>
/// <param name="Place">Where it begins.</param>
/// <param name="Entries">Its entries in the order in which they were written.</param>
public sealed record PlanMap(PlanPlace Place, IReadOnlyList<PlanEntry> Entries) : PlanNode(Place)
{
    /// <summary>The entry of a key; null if there is none.</summary>
    public PlanEntry? Find(string key) => Entries.FirstOrDefault(entry => entry.Key == key);
}

/// <summary>One key of a section.</summary>
/// <param name="Key">The key.</param>
/// <param name="Place">Where the key was written.</param>
/// <param name="Value">Its value.</param>
public sealed record PlanEntry(string Key, PlanPlace Place, PlanNode Value);
