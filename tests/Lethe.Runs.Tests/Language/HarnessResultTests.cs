using System.Text.Json;
using Lethe.Runs.Language.Evaluation;
using Lethe.Runs.Language.Tasks;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Language;

/// <summary>lm-evaluation-harness's own task file, run here, against what it gave (shared fixtures/scores/quiz_mcq_40.*).</summary>
public sealed class HarnessResultTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [SharedTorchFact]
    public void Stories_gives_the_figures_and_log_likelihoods_of_the_harness() => Compare("stories260K");

    [SharedTorchFact]
    public void SmolLM2_gives_the_figures_and_log_likelihoods_of_the_harness() => Compare("smollm2-135m-instruct");

    [SharedTorchFact]
    public void A_divided_task_has_figures_for_each_subtask_and_a_pooled_error()
    {
        var task = LanguageTask.Open(Path.Combine(Repository.Root, "tasks", "quiz.yaml"), SharedData.Path("data"));

        var result = LanguageEvaluation.Run(SharedData.Path("models", "stories260K"), [task], new LanguageEvaluationOptions { Limit = 5 }, new RunContext()).Tasks[0];

        Assert.Equal(8, result.Subtasks!.Count);
        Assert.Equal((40, 552), (result.N, result.Available));
        var acc = result.Figures.Single(figure => figure.Metric == "acc").Value!;
        var parts = result.Subtasks.Select(subtask => subtask.Figures.Single(figure => figure.Metric == "acc").Value!).ToArray();
        Assert.Equal(parts.Average(part => part.Value), acc.Value, 12);
        // Equal sizes: the pooled variance is the mean of the variances, 5 s^2 each, over 40 items.
        Assert.Equal(Math.Sqrt(parts.Average(part => 5 * part.StandardError!.Value * part.StandardError.Value) / 40), acc.StandardError!.Value, 12);
    }

    [SharedTorchFact]
    public void Every_output_type_runs_and_is_written()
    {
        File.WriteAllText(folder["rows.jsonl"], "{\"question\": \"Once upon a time, there was\", \"answer\": \"a little girl named Lily\"}\n{\"question\": \"Lily was\", \"answer\": \"sad\"}\n");
        const string Rows = "\ndataset_kwargs: {data_files: {test: rows.jsonl}}\ntest_split: test\n";
        File.WriteAllText(folder["cloze.yaml"], $"task: cloze{Rows}output_type: loglikelihood\ndoc_to_text: question\ndoc_to_target: answer\n");
        File.WriteAllText(folder["rolling.yaml"], $"task: rolling{Rows}output_type: loglikelihood_rolling\ndoc_to_target: \"{{{{question}}}} {{{{answer}}}}\"\n");
        File.WriteAllText(folder["answer.yaml"], $"task: answer{Rows}output_type: generate_until\ndoc_to_text: question\ndoc_to_target: answer\ngeneration_kwargs: {{until: [\".\"], max_gen_toks: 24}}\n"
            + "filter_list:\n- {name: word, filter: [{function: regex, regex_pattern: '[a-z]+'}, {function: take_first}]}\n- {name: whole, filter: [{function: take_first}]}\n");
        LanguageTask[] tasks = [.. ((string[])["cloze", "rolling", "answer"]).Select(name => LanguageTask.Open(folder[name + ".yaml"], null))];

        var result = LanguageEvaluation.Run(SharedData.Path("models", "stories260K"), tasks, new LanguageEvaluationOptions { Output = folder["out"] }, new RunContext());

        // golden.json of the model: it goes on with "a little girl named Lily."
        Assert.Equal(0.5, Value(result.Tasks[0], "acc", "none"));
        Assert.Equal(0.5, Value(result.Tasks[2], "exact_match", "whole"));
        Assert.Equal(0, Value(result.Tasks[2], "exact_match", "word"));
        Assert.Equal(["word_perplexity", "byte_perplexity", "bits_per_byte", "token_perplexity"], result.Tasks[1].Figures.Select(figure => figure.Metric));
        Assert.Equal(4, result.Files!.Count);
        var samples = File.ReadAllLines(folder["out", result.Files.Single(file => file.StartsWith("samples_answer_", StringComparison.Ordinal))]);
        Assert.Equal(["word", "whole", "word", "whole"], samples.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("filter").GetString()));
        Assert.Equal("a", JsonDocument.Parse(samples[0]).RootElement.GetProperty("filtered_resps")[0].GetString());
    }

    private static double? Value(TaskResult task, string metric, string filter) => task.Figures.Single(figure => figure.Metric == metric && figure.Filter == filter).Value?.Value;

    private void Compare(string model)
    {
        var golden = JsonDocument.Parse(File.ReadAllText(SharedData.Path("fixtures", "scores", $"quiz_mcq_40.{model}.json"))).RootElement;
        var task = LanguageTask.Open(SharedData.Path("fixtures", "scores", "quiz_mcq_40.yaml"), null);

        var result = LanguageEvaluation.Run(SharedData.Path("models", model), [task], new LanguageEvaluationOptions { Limit = 40, Output = folder.Path }, new RunContext());

        var written = JsonDocument.Parse(File.ReadAllText(folder[result.Files![0]])).RootElement;
        foreach (var key in (string[])["acc,none", "acc_stderr,none", "acc_norm,none", "acc_norm_stderr,none", "sample_len"])
            Assert.Equal(At(golden, "results").GetProperty(key).GetDouble(), At(written, "results").GetProperty(key).GetDouble(), 12);
        foreach (var key in (string[])["alias", "name"])
            Assert.Equal(At(golden, "results").GetProperty(key).GetString(), At(written, "results").GetProperty(key).GetString());
        foreach (var key in (string[])["n-shot", "n-samples", "higher_is_better", "versions"])
            Assert.True(JsonElement.DeepEquals(At(golden, key), At(written, key)), $"{key}: {At(written, key)}");
        // Not a setting of Lethe, or spelled out there with keys that say the same again.
        foreach (var setting in At(golden, "configs").EnumerateObject().Where(setting => setting.Name is not ("unsafe_code" or "fewshot_config")))
            Assert.True(JsonElement.DeepEquals(setting.Value, At(written, "configs").GetProperty(setting.Name)), setting.Name);
        foreach (var key in (string[])["results", "groups", "group_subtasks", "configs", "versions", "n-shot", "higher_is_better", "n-samples", "config", "git_hash", "date", "lm_eval_version", "chat_template_sha",
            "system_instruction_sha", "task_hashes", "total_evaluation_time_seconds"])
            Assert.True(written.TryGetProperty(key, out _), key);

        var samples = File.ReadAllLines(folder[result.Files[1]]).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.StartsWith("samples_quiz_mcq_40_", result.Files[1], StringComparison.Ordinal);
        Assert.Equal(40, samples.Length);
        foreach (var (expected, sample) in golden.GetProperty("samples").EnumerateArray().Zip(samples))
        {
            Assert.Equal(expected.GetProperty("doc_id").GetInt32(), sample.GetProperty("doc_id").GetInt32());
            Assert.Equal(expected.GetProperty("question").GetString(), sample.GetProperty("doc").GetProperty("question").GetString());
            Assert.Equal(expected.GetProperty("target").GetInt32().ToString(), sample.GetProperty("target").GetString());
            Assert.Equal(expected.GetProperty("acc").GetDouble(), sample.GetProperty("acc").GetDouble());
            Assert.Equal(expected.GetProperty("acc_norm").GetDouble(), sample.GetProperty("acc_norm").GetDouble());
            var responses = sample.GetProperty("resps");
            foreach (var (at, likelihood) in expected.GetProperty("loglikelihoods").EnumerateArray().Index())
            {
                // 1e-4 + 2e-5 a token (fixtures/README.md); answers of the quiz have at most 12.
                Assert.Equal(likelihood.GetDouble(), double.Parse(responses[at][0][0].GetString()!, System.Globalization.CultureInfo.InvariantCulture), 3.4e-4);
                Assert.Equal(expected.GetProperty("greedy")[at].GetBoolean() ? "True" : "False", responses[at][0][1].GetString());
            }
            Assert.Equal(expected.GetProperty("choices").GetArrayLength(), sample.GetProperty("arguments").EnumerateObject().Count());
        }

        static JsonElement At(JsonElement document, string key) => document.GetProperty(key).GetProperty("quiz_mcq_40");
    }
}
