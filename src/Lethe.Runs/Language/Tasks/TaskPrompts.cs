using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Lethe.Evaluation.Language;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Language.Tasks;

/// <summary>The templates of a task, read once, and what they make of a row.</summary>
internal sealed partial class TaskPrompts
{
    private readonly TaskFile task;
    private readonly Template description;
    private readonly Field text;
    private readonly Field target;
    private readonly Field? choices;
    private readonly IReadOnlyList<Template>? choiceList;

    /// <summary>Reads the templates.</summary>
    /// <exception cref="UsageException">One of them is not right.</exception>
    public TaskPrompts(TaskFile task, string source)
    {
        this.task = task;
        var place = (string key) => new PlanPlace($"{source}: '{key}'", 0, 0);
        description = Template.Parse(task.Description, place("description"));
        text = new Field(task.DocToText, place("doc_to_text"));
        target = new Field(task.DocToTarget, place("doc_to_target"));
        choices = task.DocToChoice is PlanScalar scalar ? new Field(scalar.Text, scalar.Place) : null;
        choiceList = task.DocToChoice is PlanList list
            ? [.. list.Items.Select(item => item is PlanScalar choice ? Template.Parse(choice.Text, choice.Place) : throw item.Place.Refuse("an answer must be text."))]
            : null;
    }

    /// <summary>The question alone, without description and examples.</summary>
    public string Text(JsonElement row) => text.Text(row);

    /// <summary>What stands before the examples.</summary>
    public string Description(JsonElement row) => description.Render(row);

    /// <summary>The answers' texts.</summary>
    public IReadOnlyList<string> Choices(JsonElement row)
    {
        if (choiceList is not null)
            return [.. choiceList.Select(choice => choice.Render(row))];
        var value = choices!.Value(row);
        if (value.ValueKind != JsonValueKind.Array)
            throw new RowProblemException($"'{choices.Source}' is {JsonWords.Of(value)}, where a list of answers is needed.");
        var answers = new List<string>();
        foreach (var item in value.EnumerateArray())
            answers.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : throw new RowProblemException($"answer {answers.Count} of '{choices.Source}' is {JsonWords.Of(item)}, where text is needed."));
        return answers.Count > 0 ? answers : throw new RowProblemException($"'{choices.Source}' is an empty list; a question needs answers.");
    }

    /// <summary>The right answer as text.</summary>
    public string TargetText(JsonElement row) => target.Text(row);

    /// <summary>The right answer of a multiple choice as an index, or which answers are true.</summary>
    public (int Index, IReadOnlyList<bool>? True) Target(JsonElement row, IReadOnlyList<string> answers)
    {
        var value = target.Value(row);
        if (task.ProcessResults == "truthfulqa_mc2")
            return (-1, Labels(value, answers.Count));
        if (value.ValueKind is not (JsonValueKind.Number or JsonValueKind.String))
            throw new RowProblemException($"'{target.Source}' is {JsonWords.Of(value)}, where the index or the text of an answer is needed.");
        var written = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        if (value.ValueKind == JsonValueKind.Number || written.Length > 0 && written.All(char.IsAsciiDigit))
        {
            if (!int.TryParse(written, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
                throw new RowProblemException($"'{target.Source}' is {JsonWords.Of(value)}, where the index of an answer, a whole number, is needed.");
            return index >= 0 && index < answers.Count
                ? (index, null)
                : throw new RowProblemException(string.Create(CultureInfo.InvariantCulture, $"'{target.Source}' is {index}, and the answers are numbered 0 to {answers.Count - 1}."));
        }
        var at = answers.ToList().IndexOf(written);
        return at >= 0 ? (at, null) : throw new RowProblemException($"'{target.Source}' is '{Short(written)}', which is none of the answers.");
    }

    /// <summary>Question and right answer, as an example shows them.</summary>
    public string Example(JsonElement row)
    {
        if (task.OutputType is not (TaskOutput.MultipleChoice or TaskOutput.Swap))
            return Text(row) + task.TargetDelimiter + TargetText(row) + task.FewshotDelimiter;
        var answers = Choices(row);
        var (index, labels) = Target(row, answers);
        return Text(row) + task.TargetDelimiter + answers[labels is null ? index : labels.ToList().IndexOf(true)] + task.FewshotDelimiter;
    }

    /// <summary>The question that a row asks.</summary>
    /// <param name="id">Its number.</param>
    /// <param name="place">File and line.</param>
    /// <param name="row">The row.</param>
    /// <param name="examples">Examples before it, one text.</param>
    /// <exception cref="RowProblemException">The row does not fit the templates.</exception>
    public Question Ask(int id, string place, JsonElement row, string examples)
    {
        if (task.OutputType == TaskOutput.LoglikelihoodRolling)
            return new Question { Id = id, Place = place, Row = row, Context = TargetText(row), TargetText = TargetText(row) };
        var context = Description(row) + examples + Text(row);
        if (task.OutputType is TaskOutput.GenerateUntil)
            return new Question { Id = id, Place = place, Row = row, Context = context, TargetText = TargetText(row) };
        if (task.OutputType is TaskOutput.Loglikelihood)
            return new Question { Id = id, Place = place, Row = row, Context = context, Choices = [TargetText(row)], Continuations = [task.TargetDelimiter + TargetText(row)], TargetText = TargetText(row) };
        var answers = Choices(row);
        var (index, labels) = Target(row, answers);
        return new Question
        {
            Id = id,
            Place = place,
            Row = row,
            Context = context,
            Choices = answers,
            Continuations = [.. answers.Select(answer => task.TargetDelimiter + answer)],
            Target = index,
            True = labels,
            TargetText = labels is null ? index.ToString(CultureInfo.InvariantCulture) : $"[{string.Join(", ", labels.Select(label => label ? "1" : "0"))}]",
        };
    }

    /// <summary>What is odd about a row that can be asked: a text that is empty, two answers that are the same. Null if nothing is.</summary>
    public string? Oddity(JsonElement row, Question question)
    {
        if ((text.EmptyPlace(row) ?? (task.OutputType is TaskOutput.MultipleChoice or TaskOutput.Swap ? null : target.EmptyPlace(row))) is { } empty)
            return $"'{empty}' is empty; give it text.";
        for (var i = 0; i < question.Choices.Count; i++)
        {
            if (WhiteSpace.Tail(question.Choices[i]) == 0)
                return string.Create(CultureInfo.InvariantCulture, $"answer {i} is empty; give it text.");
            for (var j = 0; j < i; j++)
                if (question.Choices[i] == question.Choices[j])
                    return string.Create(CultureInfo.InvariantCulture, $"answers {j} and {i} are the same ('{Short(question.Choices[i])}').");
        }
        return null;
    }

    private bool[] Labels(JsonElement value, int count)
    {
        if (value.ValueKind != JsonValueKind.Array)
            throw new RowProblemException($"'{target.Source}' is {JsonWords.Of(value)}, where a list of 0 and 1 is needed.");
        bool[] labels = [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.GetRawText() is "0" or "1"
            ? item.GetRawText() == "1"
            : throw new RowProblemException($"'{target.Source}' holds {JsonWords.Of(item)}, where only 0 and 1 are allowed."))];
        if (labels.Length != count)
            throw new RowProblemException(string.Create(CultureInfo.InvariantCulture, $"'{target.Source}' has {labels.Length} labels for {count} answers."));
        if (!labels.Contains(true) || !labels.Contains(false))
            throw new RowProblemException($"'{target.Source}' must hold both 0 and 1: answers that are true and answers that are not.");
        return labels;
    }

    private static string Short(string text) => text.Length <= 60 ? text : text[..57] + "...";

    /// <summary>A template, or the name of a key: what lm-evaluation-harness lets doc_to_text, doc_to_target and doc_to_choice be.</summary>
    private sealed partial class Field
    {
        private readonly Template template;

        public Field(string written, PlanPlace place)
        {
            // A word alone is a key, and not a text that would be the same for every row.
            var key = Word().IsMatch(written);
            template = Template.Parse(key ? $"{{{{{written}}}}}" : written, place);
            Source = written.Trim();
        }

        public string Source { get; }

        public string Text(JsonElement row) => template.Render(row);

        public JsonElement Value(JsonElement row) => template.IsValue ? template.Value(row) : JsonSerializer.SerializeToElement(template.Render(row));

        public string? EmptyPlace(JsonElement row) => template.EmptyPlace(row);

        [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$", RegexOptions.CultureInvariant)]
        private static partial Regex Word();
    }
}
