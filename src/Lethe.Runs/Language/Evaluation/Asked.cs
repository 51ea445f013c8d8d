using System.Text.Json;
using System.Text.Json.Nodes;
using Lethe.Evaluation.Language;
using Lethe.Runs.Language.Tasks;

namespace Lethe.Runs.Language.Evaluation;

/// <summary>What the model is asked at once: the continuations of a context.</summary>
/// <param name="Context">The context.</param>
/// <param name="Continuations">What is scored after it.</param>
internal sealed record Prompt(string Context, IReadOnlyList<string> Continuations);

/// <summary>An item of a task: one question, or for a swap two of them.</summary>
/// <param name="Id">Number within its subtask.</param>
/// <param name="Place">File and line, for errors.</param>
/// <param name="Row">What results show of it.</param>
/// <param name="TargetText">The right answer as results show it.</param>
/// <param name="Prompts">What is asked.</param>
/// <param name="Question">The question; the first one of a swap.</param>
internal sealed record Item(int Id, string Place, JsonElement Row, string TargetText, IReadOnlyList<Prompt> Prompts, Question Question)
{
    /// <summary>The items of a subtask's questions.</summary>
    public static IReadOnlyList<Item> Of(TaskOutput output, IReadOnlyList<Question> questions) => output == TaskOutput.Swap
        ? Swaps(questions)
        : [.. questions.Select(question => new Item(question.Id, question.Place, question.Row, question.TargetText, [new Prompt(question.Context, question.Continuations)], question))];

    // By the order of the rows, so that the pairs depend on nothing but them.
    private static List<Item> Swaps(IReadOnlyList<Question> questions)
    {
        var items = new List<Item>();
        foreach (var (other, question) in SwapPairs.InOrder(questions, (other, question) => Answer(other) != Answer(question)))
        {
            IReadOnlyList<string> continuations = [other.Continuations[other.Target], question.Continuations[question.Target]];
            var row = new JsonObject { ["a"] = JsonNode.Parse(other.Row.GetRawText()), ["b"] = JsonNode.Parse(question.Row.GetRawText()) };
            items.Add(new Item(items.Count, $"{other.Place} and {question.Place}", JsonSerializer.SerializeToElement(row), $"{Answer(other)} / {Answer(question)}",
                [new Prompt(other.Context, continuations), new Prompt(question.Context, continuations)], question));
        }
        return items;
    }

    private static string Answer(Question question) => question.Choices[question.Target];
}
