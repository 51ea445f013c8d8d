using System.Text.Json;
using Lethe.Reports.Tests.Example;
using Lethe.Runs.Generative;
using Lethe.Runs.Results;

namespace Lethe.Cli.Tests;

public sealed class ReportTests
{
    [Theory]
    [InlineData("en", "report.html", "<html lang=\"en\"")]
    [InlineData("ja", "report.ja.html", "<html lang=\"ja\"")]
    public async Task A_report_is_written_into_the_run_and_its_summary_is_printed(string language, string file, string begins)
    {
        using var run = new ScratchFolder();
        WriteRun(run.Path);

        var result = await CommandLine.Run("report", run.Path, "--language", language);

        Assert.Equal(0, result.ExitCode);
        var html = await File.ReadAllTextAsync(Path.Combine(run.Path, file));
        Assert.Contains(begins, html, StringComparison.Ordinal);
        Assert.Equal(20, html.Split("data:image/png;base64,").Length - 1);
        Assert.StartsWith(ExampleRun.Result.Request.Title + "\n", result.Output, StringComparison.Ordinal);
        Assert.EndsWith($"\n{Path.Combine(run.Path, file)}\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_json_the_file_is_named_and_nothing_else_is_printed()
    {
        using var run = new ScratchFolder();
        WriteRun(run.Path);
        var output = Path.Combine(run.Path, "elsewhere.html");

        var result = await CommandLine.Run("report", run.Path, "--json", "--output", output);

        Assert.Equal(output, result.Json.GetProperty("report").GetString());
        Assert.Equal("en", result.Json.GetProperty("language").GetString());
        Assert.Empty(result.Error);
        Assert.True(File.Exists(output));
    }

    [Theory]
    [InlineData(null, "there is no result.json; it is no run, or one that is not finished. Run its plan again to finish it.")]
    [InlineData("{", "result.json: the result cannot be read: ")]
    [InlineData("{\"schema\": \"lethe.result/1\"}", "result.json: the result cannot be read: ")]
    public async Task A_folder_without_a_result_ends_with_3(string? json, string sentence)
    {
        using var run = new ScratchFolder();
        if (json is not null)
            await File.WriteAllTextAsync(Path.Combine(run.Path, "result.json"), json);

        var result = await CommandLine.Run("report", run.Path);

        Assert.Equal(3, result.ExitCode);
        Assert.StartsWith($"error: {run.Path}", result.Error, StringComparison.Ordinal);
        Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_language_that_reports_are_not_written_in_ends_with_2()
    {
        var result = await CommandLine.Run("report", "nowhere", "--language", "fr");

        Assert.Equal(2, result.ExitCode);
        Assert.Equal("error: A report cannot be written in \"fr\"; choose en (English) or ja (Japanese).\n", result.Error);
    }

    /// <summary>A run's folder as the pipeline leaves it, with the example's result and pictures.</summary>
    private static void WriteRun(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "result.json"), JsonSerializer.Serialize(ExampleRun.Result, ResultJson.Options));
        File.WriteAllText(Path.Combine(folder, "plan.yaml"), "title: example\n");
        foreach (var when in new[] { ImageUnlearner.BeforePictures, ImageUnlearner.AfterPictures })
        {
            var samples = Directory.CreateDirectory(Path.Combine(folder, when)).FullName;
            for (var label = 0; label < 10; label++)
                File.WriteAllBytes(Path.Combine(samples, $"{label}.png"), ExampleImages.Strip(label, label));
        }
    }
}
