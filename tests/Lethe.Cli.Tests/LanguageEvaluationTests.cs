using System.Text.Json;

namespace Lethe.Cli.Tests;

public sealed class LanguageEvaluationTests : IDisposable
{
    private readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    [SharedFact]
    public async Task Evaluate_with_tasks_prints_figures_and_writes_the_files_of_the_harness()
    {
        var model = SharedData.Path("models", "stories260K");

        var json = await CommandLine.Run("evaluate", model, "--tasks", "quiz,mmlu_astronomy", "--limit", "2", "--data", SharedData.Path("data"), "--output", folder.Path, "--json", "--quiet");
        var text = await CommandLine.Run("evaluate", model, "--tasks", "quiz,mmlu_astronomy", "--limit", "2", "--data", SharedData.Path("data"), "--dtype", "bfloat16");

        Assert.True(json.ExitCode == 0, json.Error);
        Assert.Empty(json.Error);
        Assert.Equal("lethe.language-evaluation/1", json.Json.GetProperty("schema").GetString());
        Assert.Equal((16, 552), (json.Json.GetProperty("tasks")[0].GetProperty("n").GetInt32(), json.Json.GetProperty("tasks")[0].GetProperty("available").GetInt32()));
        Assert.Equal(2, json.Json.GetProperty("tasks")[1].GetProperty("n").GetInt32());
        var files = json.Json.GetProperty("files").EnumerateArray().Select(file => file.GetString()!).ToArray();
        Assert.Equal(1 + 8 + 1, files.Length);
        Assert.All(files, file => Assert.True(File.Exists(Path.Combine(folder.Path, file)), file));
        var results = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder.Path, files[0]))).RootElement;
        Assert.Equal(2, results.GetProperty("n-samples").GetProperty("mmlu_astronomy").GetProperty("effective").GetInt32());
        Assert.True(text.ExitCode == 0, text.Error);
        Assert.Contains("capitals_africa", text.Output, StringComparison.Ordinal);
        Assert.Contains("mmlu: finished", text.Error, StringComparison.Ordinal);
    }

    [SharedFact]
    public async Task What_does_not_go_together_is_refused_with_what_does()
    {
        var model = SharedData.Path("models", "stories260K");

        Assert.Contains("is a language model; name what to ask it with --tasks", await Refused(2, "evaluate", model), StringComparison.Ordinal);
        Assert.Contains("--samples belongs to the evaluation of a run on images", await Refused(2, "evaluate", model, "--tasks", "quiz", "--samples", "10"), StringComparison.Ordinal);
        Assert.Contains("--limit belongs to the evaluation of a language model", await Refused(2, "evaluate", "runs/none", "--limit", "10"), StringComparison.Ordinal);
        Assert.Contains("'quizz' is not a task; did you mean 'quiz'", await Refused(2, "evaluate", model, "--tasks", "quizz"), StringComparison.Ordinal);
        Assert.Contains("--tasks is empty", await Refused(2, "evaluate", model, "--tasks", ","), StringComparison.Ordinal);
        Assert.Contains("names 'quiz' twice", await Refused(2, "evaluate", model, "--tasks", "quiz,quiz", "--data", SharedData.Path("data")), StringComparison.Ordinal);
        Assert.Contains("--dtype is 'int8'; it must be float32 or bfloat16", await Refused(2, "evaluate", model, "--tasks", "quiz", "--dtype", "int8"), StringComparison.Ordinal);
        Assert.Contains("there is no such folder", await Refused(2, "evaluate", model, "--tasks", "quiz", "--data", Path.Combine(folder.Path, "none")), StringComparison.Ordinal);
        Assert.Contains("there is no such file or folder", await Refused(3, "evaluate", Path.Combine(folder.Path, "none"), "--tasks", "quiz", "--data", SharedData.Path("data")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_check_names_every_bad_row_of_a_file_and_ends_with_3()
    {
        var file = Path.Combine(folder.Path, "rows.jsonl");
        await File.WriteAllTextAsync(file, "{\"question\": \"a\", \"choices\": [\"x\", \"y\"], \"answer\": 1}\n{\"question\": \"b\", \"choices\": [\"x\", \"y\"], \"answer\": 7}\nnothing\n");

        var text = await CommandLine.Run("data", "check", file);
        var json = await CommandLine.Run("data", "check", file, "--json");
        await File.WriteAllTextAsync(file, "{\"question\": \"a\", \"choices\": [\"x\", \"y\"], \"answer\": 1}\n");
        var good = await CommandLine.Run("data", "check", file);

        Assert.Equal(3, text.ExitCode);
        Assert.StartsWith($"{file}:2: 'answer' is 7, and the answers are numbered 0 to 1.\n{file}:3: the line is not JSON: ", text.Output, StringComparison.Ordinal);
        Assert.Equal(3, json.ExitCode);
        Assert.Equal([2, 3], json.Json.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("line").GetInt32()));
        Assert.Equal((0, $"{file}: 1 rows of multiple_choice\nEvery row is right.\n"), (good.ExitCode, good.Output));
        Assert.Contains("there is no such file", await Refused(3, "data", "check", file + "x.jsonl"), StringComparison.Ordinal);
    }

    [SharedFact]
    public async Task Data_check_reads_the_rows_of_a_task()
    {
        var result = await CommandLine.Run("data", "check", "quiz", "--data", SharedData.Path("data"));

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.EndsWith("552 rows, part test of quiz\nEvery row is right.\n", result.Output, StringComparison.Ordinal);
    }

    private static async Task<string> Refused(int code, params string[] words)
    {
        var result = await CommandLine.Run(words);
        Assert.Equal(code, result.ExitCode);
        return result.Error;
    }
}
