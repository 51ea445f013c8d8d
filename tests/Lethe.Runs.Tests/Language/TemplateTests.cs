using System.Text.Json;
using Lethe.Runs.Language.Tasks;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Language;

public sealed class TemplateTests
{
    private const string Row = """{"question": "  What? \n", "choices": ["one", "two"], "answer": 1, "deep": {"er": {"list": [true, null, 2.50]}}, "with space": "x"}""";

    [Theory]
    [InlineData("Question: {{question}}\nAnswer:", "Question:   What? \n\nAnswer:")]
    [InlineData("{{question.strip()}}|{{ choices[0] }}|{{choices[-1]}}", "What?|one|two")]
    [InlineData("{{choices[answer]}} {{answer}}", "two 1")]
    [InlineData("{{deep.er.list[2]}} {{deep['er'].list[0]}} {{deep[\"er\"][\"list\"][2]}}", "2.50 True 2.50")]
    [InlineData("{{choices[0].upper().lower().replace('o', 'O')}}", "One")]
    [InlineData("no place, {one} and }} alone", "no place, {one} and }} alone")]
    [InlineData("", "")]
    public void A_place_is_filled_with_the_value_of_the_row(string template, string expected) => Assert.Equal(expected, Rendered(template));

    [Theory]
    [InlineData("{{queston}}", "the key 'queston' is missing; did you mean 'question' (the row has: question, choices, answer, deep, with space).")]
    [InlineData("{{choices}}", "'choices' is a list, where text is needed; pick an item by [0].")]
    [InlineData("{{choices[2]}}", "'choices[2]' picks item 2 of a list of 2.")]
    [InlineData("{{question[0]}}", "'question[0]' picks from text; a list is needed.")]
    [InlineData("{{choices[question]}}", "'question' is text, where a whole number is needed.")]
    [InlineData("{{answer.x}}", "'answer.x' looks for 'x' in the number 1.")]
    [InlineData("{{deep.er.list[1]}}", "'deep.er.list[1]' is null, where text is needed.")]
    public void A_row_that_does_not_fit_is_refused_with_its_reason(string template, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<RowProblemException>(() => Rendered(template)).Message);

    [Theory]
    [InlineData("{{question", "'{{' is never closed")]
    [InlineData("{% if x %}", "'{%' begins a part of Jinja")]
    [InlineData("{# x #}", "'{#' begins a part of Jinja")]
    [InlineData("{{question|upper}}", "cannot be read at character 9")]
    [InlineData("{{question.stirp()}}", "did you mean 'strip'")]
    [InlineData("{{1 + 1}}", "cannot be read at character 1")]
    [InlineData("{{question.replace('', 'x')}}", "cannot be read")]
    [InlineData("{{}}", "cannot be read")]
    [InlineData("{{a.strip()[0]}}", "cannot be read")]
    [InlineData("{{a['b}}", "cannot be read")]
    public void What_templates_do_not_have_is_a_usage_error_that_names_the_place(string template, string part)
    {
        var error = Assert.Throws<UsageException>(() => Rendered(template));
        Assert.StartsWith("task.yaml:7:3: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    private static string Rendered(string template) => Template.Parse(template, new PlanPlace("task.yaml", 7, 3)).Render(JsonDocument.Parse(Row).RootElement);
}
