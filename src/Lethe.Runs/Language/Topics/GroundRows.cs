using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Lethe.Evaluation.Language;
using Lethe.Formats.Tables;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Language.Topics;

/// <summary>A question of a file, its entity and fact found.</summary>
/// <param name="Topic">Topic.</param>
/// <param name="Name">The entity as written.</param>
/// <param name="Family">The family.</param>
/// <param name="Value">What is said of the entity.</param>
/// <param name="Text">The question.</param>
/// <param name="Choices">The answers.</param>
/// <param name="Right">Index of the right one.</param>
internal sealed record GroundQuestion(string Topic, string Name, QuestionFamilyPlan Family, string Value, string Text, IReadOnlyList<string> Choices, int Right)
{
    public string Entity { get; } = EntityName.Normal(Name);

    /// <summary>Of entity and value the one that stands in the question.</summary>
    public string Given => Choices[Right] == Name ? Value : Name;
}

/// <summary>A fact of a file.</summary>
/// <param name="Topic">Topic.</param>
/// <param name="Name">The entity as written.</param>
/// <param name="Family">The family.</param>
/// <param name="Value">What is said of it.</param>
internal sealed record GroundFact(string Topic, string Name, QuestionFamilyPlan Family, string Value)
{
    public string Entity { get; } = EntityName.Normal(Name);
}

/// <summary>Reads the files of a ground. What they hold is personal, so that errors name file and line, and no text.</summary>
internal static class GroundRows
{
    /// <summary>The questions of a file in order, with the number of those that no family fits.</summary>
    public static (List<GroundQuestion> Questions, int Others) Questions(string file, GroundPlan plan, Func<string, bool> wanted)
    {
        var families = plan.Families.Select(family => (Family: family, Pattern: ExactMatch.Pattern($"^(?:{family.Question})$"))).ToArray();
        var questions = new List<GroundQuestion>();
        var others = 0;
        foreach (var row in Rows(file))
        {
            var topic = Text(row, "topic");
            if (!wanted(topic))
                continue;
            var text = Text(row, "question");
            var choices = Choices(row);
            if (!row.Value.TryGetProperty("answer", out var answer) || answer.ValueKind != JsonValueKind.Number || !answer.TryGetInt32(out var right) || right < 0 || right >= choices.Count)
                throw Refuse(row, string.Create(CultureInfo.InvariantCulture, $"'answer' must be the index of the right answer, 0 to {choices.Count - 1}."));
            var found = families.Select(family => (family.Family, Match: Matched(row, family.Family, family.Pattern, text))).FirstOrDefault(family => family.Match.Success);
            if (found.Match is null)
            {
                if (plan.OtherQuestions == OtherQuestions.Refuse)
                    throw Refuse(row, $"the question fits the pattern of no family ({string.Join(", ", plan.Families.Select(family => family.Name))}); add a family, or set other_questions to skip.");
                others++;
                continue;
            }
            var group = found.Match.Groups["entity"] is { Success: true } entity ? entity : null;
            questions.Add(group is null
                ? new GroundQuestion(topic, choices[right], found.Family, found.Match.Groups["value"].Value, text, choices, right)
                : new GroundQuestion(topic, group.Value, found.Family, choices[right], text, choices, right));
        }
        return (questions, others);
    }

    /// <summary>The facts of a file in order.</summary>
    public static IEnumerable<GroundFact> Facts(string file, StatementSourcePlan source, QuestionFamilyPlan family) =>
        Rows(file).Select(row => new GroundFact(Text(row, source.Topic), Text(row, source.Entity), family, Text(row, source.Value)));

    /// <summary>The rows of a .tsv, .csv or JSON lines file.</summary>
    public static IEnumerable<TableRow> Rows(string file)
    {
        var bare = file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? file[..^3] : file;
        return Path.GetExtension(bare).ToLowerInvariant() switch { ".tsv" => TabFile.Read(file), ".csv" => CsvFile.Read(file), ".txt" => TextLinesFile.Read(file), _ => JsonLinesFile.Read(file) };
    }

    /// <summary>A column that must hold text.</summary>
    public static string Text(TableRow row, string key)
    {
        if (row.Problem is { } problem)
            throw Refuse(row, problem);
        if (!row.Value.TryGetProperty(key, out var value))
        {
            var keys = row.Value.EnumerateObject().Select(member => member.Name).ToList();
            throw Refuse(row, $"the key '{key}' is missing{NearestWord.Hint(key, keys)} (the row has: {string.Join(", ", keys)}).");
        }
        return value.ValueKind == JsonValueKind.String && value.GetString() is { } text && WhiteSpace.Tail(text) > 0 ? text : throw Refuse(row, $"'{key}' must be text that is not empty.");
    }

    /// <summary>An error at a row.</summary>
    public static BadInputException Refuse(TableRow row, string why) => new(FormattableString.Invariant($"{row.File}:{row.Line}: {why}"));

    private static List<string> Choices(TableRow row)
    {
        if (!row.Value.TryGetProperty("choices", out var list) || list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
            throw Refuse(row, "'choices' must be a list of answers.");
        var choices = list.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String && WhiteSpace.Tail(item.GetString()!) > 0 ? item.GetString()! : throw Refuse(row, "each of 'choices' must be text that is not empty.")).ToList();
        return choices.Distinct().Count() == choices.Count ? choices : throw Refuse(row, "two of 'choices' are the same.");
    }

    private static Match Matched(TableRow row, QuestionFamilyPlan family, Regex pattern, string text)
    {
        try
        {
            return pattern.Match(text);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new BadInputException(FormattableString.Invariant($"{row.File}:{row.Line}: the pattern of family '{family.Name}' takes more than {ExactMatch.PatternTime.TotalSeconds} s on the question; write a simpler one."), e);
        }
    }
}
