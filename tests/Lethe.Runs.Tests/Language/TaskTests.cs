using Lethe.Runs.Language.Tasks;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Language;

public sealed class TaskTests : IDisposable
{
    private const string Choice = """
        task: mine
        dataset_path: json
        dataset_kwargs:
          data_files:
            test: rows.jsonl
        test_split: test
        output_type: multiple_choice
        doc_to_text: "Question: {{question}}\nAnswer:"
        doc_to_choice: choices
        doc_to_target: answer
        """;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_multiple_choice_question_has_the_prompt_and_continuations_of_the_harness()
    {
        Rows("""{"question": "Two?", "choices": ["one", "two"], "answer": 1}""", """{"question": "One?", "choices": ["one", "two"], "answer": "one"}""");

        var subtask = Assert.Single(Open(Choice).Subtasks());

        Assert.Equal(("mine", 2), (subtask.Name, subtask.Available));
        Assert.Equal("Question: Two?\nAnswer:", subtask.Questions[0].Context);
        Assert.Equal([" one", " two"], subtask.Questions[0].Continuations);
        Assert.Equal([1, 0], subtask.Questions.Select(question => question.Target));
    }

    [Fact]
    public void Examples_are_the_first_rows_of_the_same_subtask_and_never_the_question_itself()
    {
        Rows("""{"question": "a1", "choices": ["x", "y"], "answer": 0, "topic": "a b"}""", """{"question": "b1", "choices": ["x", "y"], "answer": 1, "topic": "b"}""",
            """{"question": "a2", "choices": ["x", "y"], "answer": 1, "topic": "a b"}""", """{"question": "b2", "choices": ["x", "y"], "answer": 0, "topic": "b"}""");

        var subtasks = Open(Choice + "\ngroup_by: [topic]\ndescription: \"About {{topic}}.\\n\\n\"").Subtasks(shots: 1);

        Assert.Equal(["mine_a_b", "mine_b"], subtasks.Select(subtask => subtask.Name));
        Assert.Equal("About a b.\n\nQuestion: a2\nAnswer: y\n\nQuestion: a1\nAnswer:", subtasks[0].Questions[0].Context);
        Assert.Equal("About a b.\n\nQuestion: a1\nAnswer: x\n\nQuestion: a2\nAnswer:", subtasks[0].Questions[1].Context);
        Assert.Single(Open(Choice + "\ngroup_by: [topic]").Subtasks(limit: 1)[1].Questions);
        var error = Assert.Throws<UsageException>(() => Open(Choice + "\ngroup_by: [topic]").Subtasks(shots: 2));
        Assert.Equal("Task 'mine_a_b' is to show 2 examples, and part 'test' has 1 of them.", error.Message);
    }

    [Fact]
    public void Rows_are_taken_by_their_values_and_one_without_the_key_is_refused()
    {
        Rows("""{"question": "a", "choices": ["x", "y"], "answer": 0, "kind": "no"}""", """{"question": "b", "choices": ["x", "y"], "answer": 1, "kind": "yes"}""");
        var task = Open(Choice + "\nwhere: {kind: [yes, maybe]}");

        Assert.Equal("Question: b\nAnswer:", Assert.Single(Assert.Single(task.Subtasks()).Questions).Context);
        Assert.Empty(task.Check());
        Rows("""{"question": "a", "choices": ["x", "y"], "answer": 0}""");
        Assert.Equal("the key 'kind' is missing or no text; the task takes rows by it.", Assert.Single(task.Check()).Sentence);
    }

    [Theory]
    [InlineData("doc_to_txt: x", "unknown key 'doc_to_txt' in the plan; did you mean 'doc_to_text'")]
    [InlineData("metric_list: [{metric: f1}]", "'f1' is no figure of this output type (it has: acc, acc_norm)")]
    [InlineData("fewshot_split: dev", "'dev' is no part of dataset_kwargs.data_files (it has: test)")]
    [InlineData("process_docs: mine", "it must be one of: truthfulqa_csv")]
    [InlineData("repeats: 2", "'repeats' is 2; it must be from 1 to 1")]
    [InlineData("filter_list: [{name: x, filter: [{function: regex, regex_pattern: '('}]}]", "is not a regular expression")]
    public void A_task_file_that_is_not_right_is_a_usage_error_that_names_the_place(string line, string part)
    {
        Rows();
        var error = Assert.Throws<UsageException>(() => Open(Choice + "\n" + line));
        Assert.Contains("mine.yaml:", error.Message, StringComparison.Ordinal);
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("doc_to_choice: choices", "doc_to_choice: null", "'doc_to_choice' is missing")]
    [InlineData("doc_to_target: answer", "", "'doc_to_target' is missing")]
    [InlineData("test_split: test", "", "'test_split' is missing")]
    [InlineData("task: mine", "task: a/b", "is not a name of letters")]
    [InlineData("test: rows.jsonl", "test: none.jsonl", "none.jsonl: task 'mine' reads its part 'test' from this file, and it is not there.")]
    [InlineData("test: rows.jsonl", "test: \"${data}/none.jsonl\"", "there is no data folder: name it with --data FOLDER")]
    public void What_a_task_needs_is_asked_for(string old, string replacement, string part)
    {
        Rows();
        Assert.Contains(part, Assert.ThrowsAny<LetheException>(() => Open(Choice.Replace(old, replacement, StringComparison.Ordinal))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{not json", "the line is not JSON: ")]
    [InlineData("[1, 2]", "the line is not a JSON object; write one object {\"key\": value, …} a line.")]
    [InlineData("""{"question": "a", "question": "b"}""", "the line is not JSON: ")]
    [InlineData("""{"question": "a", "choices": ["x", "y"]}""", "the key 'answer' is missing")]
    [InlineData("""{"question": "a", "choices": ["x", "y"], "answer": 2}""", "'answer' is 2, and the answers are numbered 0 to 1.")]
    [InlineData("""{"question": "a", "choices": ["x", "y"], "answer": -1}""", "'answer' is -1, and the answers are numbered 0 to 1.")]
    [InlineData("""{"question": "a", "choices": ["x", "y"], "answer": 0.5}""", "'answer' is the number 0.5, where the index of an answer, a whole number, is needed.")]
    [InlineData("""{"question": "a", "choices": ["x", "y"], "answer": true}""", "'answer' is the word true, where the index or the text of an answer is needed.")]
    [InlineData("""{"question": "a", "choices": ["x", "y"], "answer": "z"}""", "'answer' is 'z', which is none of the answers.")]
    [InlineData("""{"question": "a", "choices": "xy", "answer": 0}""", "'choices' is text, where a list of answers is needed.")]
    [InlineData("""{"question": "a", "choices": ["x", 3], "answer": 0}""", "answer 1 of 'choices' is the number 3, where text is needed.")]
    [InlineData("""{"question": "a", "choices": [], "answer": 0}""", "'choices' is an empty list; a question needs answers.")]
    [InlineData("""{"question": ["a"], "choices": ["x", "y"], "answer": 0}""", "'question' is a list, where text is needed; pick an item by [0].")]
    public void A_bad_row_is_named_by_file_and_line(string row, string sentence)
    {
        Rows("""{"question": "good", "choices": ["x", "y"], "answer": 1}""", "", row);
        var task = Open(Choice);

        var finding = Assert.Single(task.Check());
        var refusal = Assert.Throws<BadInputException>(() => task.Subtasks());

        Assert.Equal(3, finding.Line);
        Assert.True(finding.Fatal);
        Assert.StartsWith(sentence, finding.Sentence, StringComparison.Ordinal);
        Assert.Equal(finding.ToString(), refusal.Message);
        Assert.StartsWith(Path.Combine(folder.Path, "rows.jsonl") + ":3: ", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"question": " ", "choices": ["x", "y"], "answer": 0}""", "'question' is empty; give it text.")]
    [InlineData("""{"question": "a", "choices": ["x", ""], "answer": 0}""", "answer 1 is empty; give it text.")]
    [InlineData("""{"question": "a", "choices": ["x", "y", "x"], "answer": 0}""", "answers 0 and 2 are the same ('x').")]
    [InlineData("""{"question": "good", "choices": ["x", "y"], "answer": 0}""", "the row asks the same as line 1; remove one of the two.")]
    public void An_odd_row_is_found_by_a_check_but_can_be_asked(string row, string sentence)
    {
        Rows("""{"question": "good", "choices": ["x", "y"], "answer": 1}""", row);
        var task = Open(Choice);

        var finding = Assert.Single(task.Check());

        Assert.Equal((2, sentence, false), (finding.Line, finding.Sentence, finding.Fatal));
        Assert.Equal(2, task.Subtasks()[0].Questions.Count);
    }

    [Theory]
    [InlineData("""{"question": "a", "answer": "b"}""", "question_answer")]
    [InlineData("""{"question": "a", "choices": ["b"], "answer": 0}""", "multiple_choice")]
    [InlineData("""{"text": "a"}""", "text")]
    [InlineData("""{"prompt": "a", "completion": "b"}""", "prompt_completion")]
    public void Rows_of_a_file_speak_for_themselves(string row, string kind)
    {
        Rows(row, row);

        var result = RowCheck.File(Path.Combine(folder.Path, "rows.jsonl"));

        Assert.Equal((kind, 1L, 2L), (result.Kind, result.Total, result.Parts[0].Rows));
        Assert.EndsWith("rows.jsonl:2: the row asks the same as line 1; remove one of the two.", result.Findings[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_no_known_shape_or_without_rows_is_refused()
    {
        Rows("""{"a": 1}""");
        Assert.Contains("the row has the keys a; rows that can be checked have question, choices, answer; or", Assert.Throws<BadInputException>(() => RowCheck.File(Path.Combine(folder.Path, "rows.jsonl"))).Message, StringComparison.Ordinal);
        Rows();
        Assert.Contains("the file has no rows", Assert.Throws<BadInputException>(() => RowCheck.File(Path.Combine(folder.Path, "rows.jsonl"))).Message, StringComparison.Ordinal);
        Rows("x", "y");
        Assert.Equal(2, RowCheck.File(Path.Combine(folder.Path, "rows.jsonl")).Total);
    }

    [SharedFact]
    public void Every_task_that_comes_with_Lethe_reads_and_those_with_data_ask_sound_questions()
    {
        var tasks = Path.Combine(Repository.Root, "tasks");
        var catalog = new TaskCatalog(tasks, SharedData.Path("data"));
        Assert.Contains("mmlu", catalog.Names);
        foreach (var name in catalog.Names.Where(name => !name.StartsWith("wmdp", StringComparison.Ordinal)))
            Assert.NotEmpty(catalog.Open(name).Subtasks(limit: 1));
        // WMDP is not at hand; its files say where to get it.
        Assert.Contains("cais/wmdp", Assert.Throws<BadInputException>(() => catalog.Open("wmdp_bio")).Message, StringComparison.Ordinal);
        Assert.Equal("astronomy", catalog.Open("mmlu_astronomy").Only);
        Assert.Equal("The following are multiple choice questions (with answers) about abstract algebra.\n\n", catalog.Open("mmlu_abstract_algebra").Subtasks(1)[0].Questions[0].Context[.."The following are multiple choice questions (with answers) about abstract algebra.\n\n".Length]);
        Assert.Contains("did you mean 'mmlu'", Assert.Throws<UsageException>(() => catalog.Open("mmul")).Message, StringComparison.Ordinal);
        Assert.Contains("has no subtask 'astrology'; did you mean 'astronomy'", Assert.Throws<UsageException>(() => catalog.Open("mmlu_astrology").Subtasks()).Message, StringComparison.Ordinal);
    }

    private void Rows(params string[] rows) => File.WriteAllText(Path.Combine(folder.Path, "rows.jsonl"), string.Concat(rows.Select(row => row + "\n")));

    private LanguageTask Open(string yaml)
    {
        var file = Path.Combine(folder.Path, "mine.yaml");
        File.WriteAllText(file, yaml);
        return LanguageTask.Open(file, null);
    }
}
