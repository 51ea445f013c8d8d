using Lethe.Torch;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using Scalar = YamlDotNet.Core.Events.Scalar;

namespace Lethe.Runs.Plans;

/// <summary>
/// Reads the YAML of a plan into nodes that know their place. Only what a plan needs is let in: one document of sections, lists and
/// values. Anchors, aliases, tags and a key given twice are refused, since each of them makes a plan say something else than it shows.
/// </summary>
public static class PlanParser
{
    /// <summary>The largest plan, bytes; a real one has a few thousand.</summary>
    public const int LargestPlan = 1 << 20;

    /// <summary>How deep sections and lists may be nested; a real plan has five levels.</summary>
    public const int DeepestNesting = 32;

    /// <summary>Reads a plan's text.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="source">Name that errors give it, such as the file's name.</param>
    /// <exception cref="UsageException">The text is not YAML, or uses a part of YAML that plans do not have.</exception>
    public static PlanNode Parse(string yaml, string source)
    {
        if (yaml.Length > LargestPlan)
            throw new UsageException($"{source} has {yaml.Length} characters; a plan has at most {LargestPlan}. Is it a plan?");
        return Parse(yaml, mark => new PlanPlace(source, mark.Line, mark.Column));
    }

    /// <summary>Reads the value of an override: a value, or a list or section in YAML's flow form such as "[1, 2]" or "{kind: noise}".</summary>
    /// <param name="text">What follows the "=".</param>
    /// <param name="override">The whole override, which errors name.</param>
    /// <exception cref="UsageException">The text is not one YAML value.</exception>
    public static PlanNode ParseValue(string text, string @override)
    {
        var place = new PlanPlace(@override, 0, 0);
        // A bare value may hold ": " or " #" (a title, say), which YAML would read as a section or a comment.
        return text.TrimStart() is ['[' or '{' or '"' or '\'', ..]
            ? Parse(text, _ => place)
            : new PlanScalar(place, text.Trim(), Quoted: false);
    }

    private static PlanNode Parse(string yaml, Func<Mark, PlanPlace> place)
    {
        var parser = new Parser(new StringReader(yaml));
        try
        {
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out var end))
                return new PlanMap(place(end.Start), []);
            parser.Consume<DocumentStart>();
            var root = Read(parser, place, DeepestNesting);
            parser.Consume<DocumentEnd>();
            if (parser.Accept<DocumentStart>(out var second))
                throw place(second.Start).Refuse("a second document begins here; a plan file holds one.");
            return root;
        }
        catch (YamlException e)
        {
            throw place(e.Start).Refuse($"this is not valid YAML: {e.Message.TrimEnd('.')}.");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // YamlDotNet 16.3 throws these for some malformed plain values instead of a YamlException.
            throw place(parser.Current?.End ?? Mark.Empty).Refuse($"this is not valid YAML after here: {e.Message.TrimEnd('.')}.");
        }
    }

    private static PlanNode Read(Parser parser, Func<Mark, PlanPlace> placeOf, int depth)
    {
        var start = parser.Current!;
        var place = placeOf(start.Start);
        if (start is AnchorAlias alias)
            throw place.Refuse($"'*{alias.Value}' refers to another part of the plan; write the value out instead.");
        if (start is NodeEvent { Anchor.IsEmpty: false } anchored)
            throw place.Refuse($"'&{anchored.Anchor}' is an anchor, which plans do not have; write each value where it is used.");
        if (start is NodeEvent { Tag.IsEmpty: false } tagged && !tagged.Tag.IsNonSpecific)
            throw place.Refuse($"'{tagged.Tag}' is a YAML tag, which plans do not have; remove it.");
        if (depth == 0)
            throw place.Refuse($"the plan is nested more than {DeepestNesting} levels deep.");
        return start switch
        {
            Scalar => ReadScalar(parser.Consume<Scalar>(), place),
            SequenceStart => ReadList(parser, placeOf, place, depth),
            MappingStart => ReadMap(parser, placeOf, place, depth),
            _ => throw place.Refuse("a value was expected here."),
        };
    }

    private static PlanScalar ReadScalar(Scalar scalar, PlanPlace place) => new(place, scalar.Value, scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any));

    private static PlanList ReadList(Parser parser, Func<Mark, PlanPlace> placeOf, PlanPlace place, int depth)
    {
        parser.Consume<SequenceStart>();
        var items = new List<PlanNode>();
        while (!parser.TryConsume<SequenceEnd>(out _))
            items.Add(Read(parser, placeOf, depth - 1));
        return new PlanList(place, items);
    }

    private static PlanMap ReadMap(Parser parser, Func<Mark, PlanPlace> placeOf, PlanPlace place, int depth)
    {
        parser.Consume<MappingStart>();
        var entries = new List<PlanEntry>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (Read(parser, placeOf, depth - 1) is not PlanScalar key)
                throw place.Refuse("a key must be a single word.");
            if (entries.Find(entry => entry.Key == key.Text) is { } earlier)
                throw key.Place.Refuse($"'{key.Text}' was already given at line {earlier.Place.Line}; remove one of the two.");
            entries.Add(new PlanEntry(key.Text, key.Place, Read(parser, placeOf, depth - 1)));
        }
        return new PlanMap(place, entries);
    }
}
