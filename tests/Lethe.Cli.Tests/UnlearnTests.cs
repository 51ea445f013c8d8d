using System.Diagnostics;
using System.Globalization;

namespace Lethe.Cli.Tests;

/// <summary>Training and unlearning through the command line, on a data set and models small enough for seconds.</summary>
public sealed class UnlearnTests : IDisposable
{
    private readonly ScratchFolder folder = new();
    private readonly string plan;
    private readonly string run;

    public UnlearnTests()
    {
        TinyData.WriteBars(folder.Path, train: 400, test: 200);
        plan = Path.Combine(folder.Path, "tiny.yaml");
        run = Path.Combine(folder.Path, "runs", "tiny");
        File.WriteAllText(plan, TinyData.UnlearnPlan(folder.Path));
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Unlearn_runs_from_plan_to_report_and_computes_nothing_twice()
    {
        var first = await CommandLine.Run("unlearn", plan, "--output", run, "--json", "--threads", "1");

        Assert.True(first.ExitCode == 0, first.Error);
        var result = first.Json;
        Assert.Equal("lethe.result/1", result.GetProperty("schema").GetString());
        foreach (var measure in new[] { result.GetProperty("forget").GetProperty("probability"), result.GetProperty("forget").GetProperty("share"), result.GetProperty("retain").GetProperty("accuracy_before"), result.GetProperty("retain").GetProperty("accuracy_after") })
        {
            Assert.InRange(measure.GetProperty("value").GetDouble(), 0, 1);
            Assert.True(measure.GetProperty("n").GetInt64() >= 50);
            Assert.True(measure.TryGetProperty("interval", out _));
        }
        Assert.True(result.GetProperty("forget").GetProperty("entropy").GetProperty("value").GetDouble() >= 0);
        Assert.True(result.GetProperty("cost").GetProperty("seconds").EnumerateObject().Count() >= 6);
        Assert.Contains("forget: started", first.Error, StringComparison.Ordinal);
        Assert.Contains("data:image/png;base64,", await File.ReadAllTextAsync(Path.Combine(run, "report.html")), StringComparison.Ordinal);

        var second = await CommandLine.Run("unlearn", plan, "--output", run, "--threads", "1");

        Assert.Equal(0, second.ExitCode);
        Assert.StartsWith("Forget the fourth bar\n", second.Output, StringComparison.Ordinal);
        Assert.EndsWith($"\nmodel   {Path.Combine(run, "model")}\nreport  {Path.Combine(run, "report.html")}\n", second.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(": started", second.Error, StringComparison.Ordinal);

        // Sums depend on the number of threads, so that another number gives other artefacts.
        var third = await CommandLine.Run("unlearn", plan, "--output", run, "--threads", "2");

        Assert.Contains("base: started", third.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quiet_says_nothing_but_the_result_and_a_seed_makes_another_run()
    {
        var result = await CommandLine.Run("unlearn", plan, "--output", run, "--quiet", "--seed", "7", "--set", "relearn.enabled=false");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Empty(result.Error);
        var resolved = await File.ReadAllTextAsync(Path.Combine(run, "plan.yaml"));
        Assert.Matches(@"(?m)^seed: 7\b", resolved);

        var other = await CommandLine.Run("unlearn", plan, "--output", run);

        Assert.Equal(2, other.ExitCode);
        Assert.Contains("holds a run of another plan", other.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_trains_a_judge_and_says_how_good_it_is()
    {
        var judge = Path.Combine(folder.Path, "judge.yaml");
        await File.WriteAllTextAsync(judge, $"kind: judge\ntitle: A judge\ndata: {{dataset: mnist, folder: '{folder.Path}'}}\ntraining: {{epochs: 3, batch: 16}}\n");

        var text = await CommandLine.Run("train", judge, "--output", run);
        var document = (await CommandLine.Run("train", judge, "--output", run, "--json")).Json;

        Assert.True(text.ExitCode == 0, text.Error);
        Assert.Matches(@"\Ajudged right  \d+\.\d\d ?% of 200 test images\nmodel  .*\n\z", text.Output);
        Assert.Equal("lethe.train/1", document.GetProperty("schema").GetString());
        Assert.True(File.Exists(Path.Combine(run, "model", "model.safetensors")));
    }

    [Theory]
    [InlineData(2, "there is no such plan", "unlearn", "nowhere.yaml")]
    [InlineData(2, "did you mean 'steps'", "unlearn", "PLAN", "--set", "method.stepps=3")]
    [InlineData(2, "--set steps: write it as --set path.to.key=value.", "unlearn", "PLAN", "--set", "steps")]
    [InlineData(2, "--device is cuda:0", "unlearn", "PLAN", "--device", "cuda")]
    [InlineData(3, "was not found in", "unlearn", "PLAN", "--set", "data.folder=/nonexistent")]
    public async Task Bad_input_is_one_sentence_and_its_exit_code(int exitCode, string sentence, params string[] args)
    {
        var result = await CommandLine.Run([.. args.Select(arg => arg == "PLAN" ? plan : arg), "--output", run]);

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(run));
    }

    [Fact]
    public async Task Ctrl_C_saves_and_says_how_to_go_on_and_that_goes_on()
    {
        string[] args = ["unlearn", plan, "--output", run, "--set", "base.training.steps=6000", "--set", "relearn.enabled=false"];
        // A shell starts what runs in its background with SIGINT ignored, and so would be all that the test host starts.
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/env", ["--default-signal=INT", Path.Combine(Repository.Root, "lethe"), .. args]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var lines = new List<string>();
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            lines.Add(line);
            if (line == "base: started")
            {
                // A few steps have to be done by then, and 6,000 of them not.
                await Task.Delay(1500);
                // The shell's own kill: the program of that name is not on every machine.
                using var kill = Process.Start("/bin/sh", ["-c", $"kill -INT {process.Id.ToString(CultureInfo.InvariantCulture)}"]);
            }
        }
        await process.WaitForExitAsync();

        Assert.True(process.ExitCode == 130, string.Join('\n', lines));
        Assert.Contains("stopping at the next step; once more to stop at once", lines);
        Assert.Matches($@"^error: Stopped at step \d+ of 6000 of stage 'base'\. The work so far is saved; go on with './lethe unlearn .*base\.training\.steps=6000", lines[^1]);

        var second = await CommandLine.Run(args);

        Assert.True(second.ExitCode == 0, second.Error);
        Assert.Matches(@"base: resumed .* at step \d+ of 6000", second.Error);
    }
}
