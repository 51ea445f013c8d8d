using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace Lethe.Cli.Tests.Language;

/// <summary>A tiny language model that forgets, through the command line: from a plan to a model, figures and a page.</summary>
public sealed class LanguageUnlearningTests(LanguageUnlearningTests.World world) : IClassFixture<LanguageUnlearningTests.World>
{
    /// <summary>The made-up words and a model trained on them.</summary>
    public sealed class World : IAsyncLifetime
    {
        private readonly ScratchFolder folder = new();

        public string this[params string[] parts] => Path.Combine([folder.Path, .. parts]);

        public string Plan { get; private set; } = "";

        public async Task InitializeAsync()
        {
            TinyKnowledge.Write(folder.Path);
            var trained = await CommandLine.Run("train", this["model.yaml"], "--output", this["runs", "base"], "--quiet", "--threads", "1");
            Assert.True(trained.ExitCode == 0, trained.Error);
            Plan = this["plan.yaml"];
            await File.WriteAllTextAsync(Plan, TinyKnowledge.Plan("runs/base"));
        }

        public Task DisposeAsync()
        {
            folder.Dispose();
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_plan_gives_a_model_its_figures_and_a_page_and_computes_nothing_twice()
    {
        var run = world["runs", "first"];
        var first = await CommandLine.Run("unlearn", world.Plan, "--output", run, "--json", "--threads", "1");

        Assert.True(first.ExitCode == 0, first.Error);
        var result = first.Json;
        Assert.Equal("language", result.GetProperty("kind").GetString());
        double At(params string[] path) => path.Aggregate(result, (element, name) => element.GetProperty(name)).GetDouble();
        foreach (var share in new[] { At("forget", "swap_before"), At("forget", "swap_after"), At("forget", "floor"), At("retain", "swap_before", "value"), At("retain", "swap_after", "value") })
            Assert.InRange(share, 0, 1);
        Assert.InRange(At("retain", "worst_change"), -1, 1);
        Assert.True(At("perplexity", "before") > 1 && At("perplexity", "after") > 1);
        Assert.Equal(2, result.GetProperty("retain").GetProperty("topics").GetArrayLength());
        Assert.Equal(4, result.GetProperty("answers").GetArrayLength());
        foreach (var stage in new[] { "load", "before", "forget", "export", "after" })
            Assert.True(result.GetProperty("cost").GetProperty("seconds").GetProperty(stage).GetDouble() >= 0);
        Assert.Equal(["model.layers.0.mlp.down_proj.weight", "model.layers.1.mlp.down_proj.weight"], result.GetProperty("moved").EnumerateArray().Select(tensor => tensor.GetProperty("name").GetString()!));
        Assert.All(result.GetProperty("moved").EnumerateArray(), tensor => Assert.True(tensor.GetProperty("norm").GetDouble() > 0));
        Assert.Equal(6, File.ReadLines(Path.Combine(run, "metrics.jsonl")).Count(line => line.Contains("\"forget\"", StringComparison.Ordinal)));
        Assert.Contains("What had to stay", await File.ReadAllTextAsync(Path.Combine(run, "report.html")), StringComparison.Ordinal);

        // Only the edited tensors differ, and every other file is the same.
        foreach (var file in Directory.EnumerateFiles(world["runs", "base", "model"]).Where(file => !file.EndsWith(".safetensors", StringComparison.Ordinal)))
            Assert.Equal(await File.ReadAllBytesAsync(file), await File.ReadAllBytesAsync(Path.Combine(run, "model", Path.GetFileName(file))));
        using var before = Formats.SafetensorsFile.Open(world["runs", "base", "model", "model.safetensors"]);
        using var after = Formats.SafetensorsFile.Open(Path.Combine(run, "model", "model.safetensors"));
        Assert.Equal(before.Entries.Select(entry => entry.Name), after.Entries.Select(entry => entry.Name));
        foreach (var entry in before.Entries)
            Assert.Equal(!entry.Name.Contains("mlp.down_proj", StringComparison.Ordinal) || entry.Name.Contains("layers.2", StringComparison.Ordinal), before.Read(entry.Name).Bytes.Span.SequenceEqual(after.Read(entry.Name).Bytes.Span));

        var again = await CommandLine.Run("unlearn", world.Plan, "--output", run, "--threads", "1");
        Assert.True(again.ExitCode == 0, again.Error);
        Assert.DoesNotContain(": started", again.Error, StringComparison.Ordinal);
        Assert.StartsWith("Forget the stones\n", again.Output, StringComparison.Ordinal);
        Assert.Contains("Swap accuracy", again.Output, StringComparison.Ordinal);

        var japanese = await CommandLine.Run("report", run, "--language", "ja");
        Assert.True(japanese.ExitCode == 0, japanese.Error);
        System.Xml.Linq.XDocument.Parse(await File.ReadAllTextAsync(Path.Combine(run, "report.ja.html")));
        Assert.Contains("維持対象の測定結果", await File.ReadAllTextAsync(Path.Combine(run, "report.ja.html")), StringComparison.Ordinal);

        // Half the way is half the change, and without a guard nothing is forgotten anew for it.
        var open = await CommandLine.Run("unlearn", world.Plan, "--output", world["runs", "open"], "--json", "--threads", "1", "--set", "guard=null");
        var half = await CommandLine.Run("unlearn", world.Plan, "--output", world["runs", "half"], "--json", "--threads", "1", "--set", "guard=null", "--set", "method.strength=0.5");
        Assert.True(open.ExitCode == 0 && half.ExitCode == 0, open.Error + half.Error);
        Assert.DoesNotContain("forget: started", half.Error, StringComparison.Ordinal);
        static double Norm(JsonElement of) => of.GetProperty("moved")[0].GetProperty("norm").GetDouble();
        Assert.Equal(Norm(open.Json) / 2, Norm(half.Json), Norm(open.Json) * 1e-5);
    }

    [Fact]
    public async Task Evaluate_asks_again_the_run_s_own_model_or_another_and_inspect_shows_what_moved()
    {
        var run = world["runs", "asked"];
        var ran = await CommandLine.Run("unlearn", world.Plan, "--output", run, "--json", "--quiet", "--threads", "1");
        Assert.True(ran.ExitCode == 0, ran.Error);

        var own = await CommandLine.Run("evaluate", run, "--plan-folder", world["."], "--json", "--quiet", "--threads", "1");
        Assert.True(own.ExitCode == 0, own.Error);
        foreach (var part in new[] { "forget", "retain", "perplexity", "answers", "moved", "method" })
            Assert.Equal(ran.Json.GetProperty(part).GetRawText(), own.Json.GetProperty(part).GetRawText());
        Assert.True(own.Json.GetProperty("evaluation").GetProperty("own_model").GetBoolean());

        var other = (await CommandLine.Run("evaluate", run, "--model", world["runs", "base"], "--plan-folder", world["."], "--json", "--quiet", "--threads", "1")).Json;
        Assert.Equal(other.GetProperty("forget").GetProperty("swap_before").GetDouble(), other.GetProperty("forget").GetProperty("swap_after").GetDouble());
        Assert.Equal(0, other.GetProperty("retain").GetProperty("worst_change").GetDouble());
        Assert.Equal("unknown", other.GetProperty("method").GetProperty("name").GetString());
        Assert.Equal(0, other.GetProperty("moved").GetArrayLength());

        var lost = await CommandLine.Run("evaluate", run);
        Assert.Equal(2, lost.ExitCode);
        Assert.Contains("name that folder with --plan-folder", lost.Error, StringComparison.Ordinal);

        var inspected = await CommandLine.Run("inspect", run);
        Assert.Contains("model.layers.1.mlp.down_proj.weight", inspected.Output, StringComparison.Ordinal);
        Assert.EndsWith("rmu: 6 of 6 steps\n", inspected.Output, StringComparison.Ordinal);

        // As in a study, which keeps figures and no models.
        if (File.GetAttributes(Path.Combine(run, "model")).HasFlag(FileAttributes.ReparsePoint))
            File.Delete(Path.Combine(run, "model"));
        else
            Directory.Delete(Path.Combine(run, "model"), recursive: true);
        var gone = await CommandLine.Run("evaluate", run, "--plan-folder", world["."]);
        Assert.Equal(3, gone.ExitCode);
        Assert.Contains("keeps no model to measure; name one with --model", gone.Error, StringComparison.Ordinal);
        var named = await CommandLine.Run("evaluate", run, "--model", world["runs", "base"], "--plan-folder", world["."], "--json", "--quiet", "--threads", "1");
        Assert.True(named.ExitCode == 0, named.Error);
        Assert.Equal(other.GetProperty("forget").GetRawText(), named.Json.GetProperty("forget").GetRawText());
    }

    [Fact]
    public async Task A_sweep_over_methods_and_strengths_is_shared_by_shards_and_forgets_once_for_all_strengths()
    {
        await File.WriteAllTextAsync(world["sweep.yaml"], """
            title: Methods and strengths
            plan: plan.yaml
            set: {guard: null}
            grid:
              method: [{kind: rmu, steps: 4, learning_rate: 0.01, layer: 1}, {kind: gradient_difference, steps: 3, learning_rate: 0.001}]
              method.strength: [0.5, 1]
            """);
        var folder = world["runs", "sweep"];

        var first = await CommandLine.Run("sweep", world["sweep.yaml"], "--output", folder, "--shard", "0/2", "--threads", "1", "--json", "--quiet");
        Assert.True(first.ExitCode == 0, first.Error);
        Assert.Equal(2, first.Json.GetProperty("pending").GetArrayLength());
        var second = await CommandLine.Run("sweep", world["sweep.yaml"], "--output", folder, "--shard", "1/2", "--threads", "1");
        Assert.True(second.ExitCode == 0, second.Error);

        // The other strength of each method had been found by the first shard.
        Assert.DoesNotContain("forget: started", second.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("before: started", second.Error, StringComparison.Ordinal);
        Assert.Contains("gap closed", second.Output, StringComparison.Ordinal);
        using var sweep = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder, "sweep.json")));
        var points = sweep.RootElement.GetProperty("points");
        Assert.Equal(4, points.GetArrayLength());
        Assert.All(points.EnumerateArray(), point => Assert.Equal("language", point.GetProperty("kind").GetString()));
        Assert.Contains(points.EnumerateArray(), point => point.GetProperty("on_front").GetBoolean());
        Assert.Contains("rmu, 0.5", await File.ReadAllTextAsync(Path.Combine(folder, "trade-off.svg")), StringComparison.Ordinal);

        var page = await CommandLine.Run("report", folder, "--language", "ja");
        Assert.True(page.ExitCode == 0, page.Error);
        System.Xml.Linq.XDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "sweep.ja.html")));
    }

    [Fact]
    public async Task Points_that_share_a_slice_give_what_they_give_alone()
    {
        await File.WriteAllTextAsync(world["slices.yaml"], """
            title: Methods on one slice
            plan: plan.yaml
            set: {guard: null}
            grid:
              method: [{kind: rmu, steps: 7, learning_rate: 0.02, layer: 1}, {kind: sspu, target: random, steps: 7, learning_rate: 0.01, layers: [1], input_order: low_energy, input_texts: 8}, {kind: rmu, steps: 5, learning_rate: 0.01, layer: 1, alpha: 3}]
            """);
        var folder = world["runs", "slices"];
        var swept = await CommandLine.Run("sweep", world["slices.yaml"], "--output", folder, "--threads", "1");
        Assert.True(swept.ExitCode == 0, swept.Error);

        foreach (var (name, method) in new[] { ("sspu", "{kind: sspu, target: random, steps: 7, learning_rate: 0.01, layers: [1], input_order: low_energy, input_texts: 8}"), ("rmu", "{kind: rmu, steps: 5, learning_rate: 0.01, layer: 1, alpha: 3}") })
        {
            // A cache of its own, so that nothing is found.
            var alone = world["alone-" + name, "runs", "run"];
            var run = await CommandLine.Run("unlearn", world.Plan, "--output", alone, "--threads", "1", "--quiet", "--set", $"method={method}", "--set", "guard=null");
            Assert.True(run.ExitCode == 0, run.Error);
            var weights = await File.ReadAllBytesAsync(Path.Combine(alone, "model", "model.safetensors"));
            Assert.Single(Directory.EnumerateDirectories(folder, "method-*"), point => File.ReadAllBytes(Path.Combine(point, "model", "model.safetensors")).AsSpan().SequenceEqual(weights));
        }
    }

    [Fact]
    public async Task A_model_that_never_knew_is_asked_once_and_is_the_floor_of_every_figure()
    {
        var trained = await CommandLine.Run("train", world["never.yaml"], "--output", world["runs", "never"], "--quiet", "--threads", "1");
        Assert.True(trained.ExitCode == 0, trained.Error);
        string[] plan = ["unlearn", world.Plan, "--threads", "1", "--set", "never_knew=runs/never", "--set", "guard=null", "--set", "ground.split.validation=0.5"];
        var run = world["runs", "controlled"];

        var first = await CommandLine.Run([.. plan, "--output", run, "--json"]);

        Assert.True(first.ExitCode == 0, first.Error);
        JsonElement At(params string[] path) => path.Aggregate(first.Json, (element, name) => element.GetProperty(name));
        double Value(params string[] path) => At([.. path, "value"]).GetDouble();
        Assert.Equal("runs/never", At("request", "never_knew").GetString());
        Assert.NotEqual(At("request", "model_digest").GetString(), At("request", "never_knew_digest").GetString());
        var floor = Value("forget", "trained", "swap_never_knew");
        Assert.Equal(floor, At("forget", "floor").GetDouble());
        Assert.Equal(floor, Value("forget", "trained", "floor_before"));
        Assert.False(At("forget", "trained").TryGetProperty("floor_after", out _));
        var (before, after) = (Value("forget", "trained", "swap_before"), Value("forget", "trained", "swap_after"));
        Assert.Equal(before - floor, Value("forget", "trained", "gap"), 1e-9);
        if (before > floor)
            Assert.Equal(1 - Math.Abs(after - floor) / (before - floor), Value("forget", "trained", "gap_closed"), 1e-9);
        Assert.Equal(Value("forget", "unseen", "swap_never_knew"), Value("forget", "unseen", "floor_before"));
        Assert.InRange(Value("forget", "trained", "choice_never_knew"), 0, 1);
        Assert.NotEqual(Value("forget", "trained", "margin_before"), Value("forget", "trained", "margin_never_knew"));
        Assert.InRange(Value("retain", "swap_never_knew"), 0, 1);
        Assert.All(At("retain", "topics").EnumerateArray(), topic => Assert.True(topic.GetProperty("knowledge").TryGetProperty("swap_never_knew", out _)));
        Assert.True(At("perplexity", "never_knew").GetDouble() > 1);
        Assert.All(At("answers").EnumerateArray(), answer => Assert.True(answer.TryGetProperty("never_knew", out _)));
        Assert.DoesNotContain(At("not_tested").EnumerateArray(), code => code.GetString() == "retrained_reference");
        Assert.True(At("cost", "seconds").TryGetProperty("never-knew", out _));
        Assert.Contains("Never knew", await File.ReadAllTextAsync(Path.Combine(run, "report.html")), StringComparison.Ordinal);

        var half = await CommandLine.Run([.. plan, "--output", world["runs", "controlled-half"], "--set", "method.strength=0.5"]);
        Assert.True(half.ExitCode == 0, half.Error);
        Assert.DoesNotContain("never-knew: started", half.Error, StringComparison.Ordinal);
        Assert.Contains("Never knew", half.Output, StringComparison.Ordinal);
        var own = await CommandLine.Run("evaluate", run, "--plan-folder", world["."], "--json", "--quiet", "--threads", "1");
        Assert.True(own.ExitCode == 0, own.Error);
        foreach (var part in new[] { "request", "forget", "retain", "perplexity", "answers", "not_tested" })
            Assert.Equal(At(part).GetRawText(), own.Json.GetProperty(part).GetRawText());
        var japanese = await CommandLine.Run("report", run, "--language", "ja");
        Assert.Contains("未学習モデル", japanese.Output, StringComparison.Ordinal);
        System.Xml.Linq.XDocument.Parse(await File.ReadAllTextAsync(Path.Combine(run, "report.ja.html")));
    }

    [Theory]
    [InlineData(2, "never_knew is the base model itself", "never_knew=runs/base/model")]
    [InlineData(3, "nothing: there is no such file or folder", "never_knew=nothing")]
    [InlineData(2, "'method.strength' is 1.5; it must be from 0 to 1.", "method.strength=1.5")]
    [InlineData(2, "'method.strength' is -0.1; it must be from 0 to 1.", "method.strength=-0.1")]
    [InlineData(2, "'stone' is to be forgotten and to stay", "ground.retain=[stone, bird]")]
    [InlineData(2, "hold no topic 'stones'; did you mean 'stone'", "ground.forget=stones")]
    [InlineData(2, "method.layer is 7", "method.layer=7", "method.edited_layers=[]")]
    [InlineData(2, "the guard has nothing to read", "retain=[]")]
    [InlineData(2, "texts.length is 65; the model has 64 positions", "texts.length=65")]
    [InlineData(3, "perplexity is measured on this document", "retain.0.path=other.txt")]
    [InlineData(3, "no document has 60 tokens", "measure.perplexity_tokens=60")]
    [InlineData(3, "there is no such file", "ground.questions=[nowhere.jsonl]")]
    [InlineData(3, "there is no such file or folder", "model=nowhere")]
    public async Task Bad_input_is_one_sentence_and_its_exit_code(int exitCode, string sentence, params string[] changes)
    {
        var run = world["runs", "refused"];
        var result = await CommandLine.Run(["unlearn", world.Plan, "--output", run, .. changes.SelectMany(change => (string[])["--set", change])]);

        Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(run));
    }

    [Fact]
    public async Task A_topic_without_documents_and_texts_that_are_the_same_end_with_3()
    {
        await File.WriteAllLinesAsync(world["no-stones.tsv"], File.ReadLines(world["words.tsv"]).Where(line => !line.StartsWith("stone", StringComparison.Ordinal)));
        await File.WriteAllLinesAsync(world["same.txt"], File.ReadLines(world["all.txt"]).Take(16));
        foreach (var (sentence, change) in new[] { ("topic 'stone' has no documents", "ground.statements.0.path=no-stones.tsv"), ("forget and retain text are the same", "retain.0.path=same.txt") })
        {
            var result = await CommandLine.Run("unlearn", world.Plan, "--output", world["runs", "refused"], "--set", change);

            Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
            Assert.Equal(3, result.ExitCode);
        }
    }

    [Fact]
    public async Task A_model_that_never_knew_with_another_tokenizer_is_refused()
    {
        var other = await CommandLine.Run("train", world["model.yaml"], "--output", world["runs", "other"], "--quiet", "--threads", "1", "--set", "model.tokenizer.vocabulary=270", "--set", "training.steps=1");
        Assert.True(other.ExitCode == 0, other.Error);

        var refused = await CommandLine.Run("unlearn", world.Plan, "--output", world["runs", "refused"], "--set", "never_knew=runs/other");

        Assert.Contains("the never-knew model's tokenizer is not that of the base model (it has 270 tokens, the base model's", refused.Error, StringComparison.Ordinal);
        Assert.Equal(3, refused.ExitCode);
    }

    [Fact]
    public async Task An_export_in_which_nothing_changed_fails()
    {
        var result = await CommandLine.Run("unlearn", world.Plan, "--output", world["runs", "nothing"], "--threads", "1", "--set", "method.strength=0", "--set", "guard=null");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("equal the original to the last bit", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_guard_ends_forgetting_before_other_text_suffers()
    {
        var result = await CommandLine.Run("unlearn", world.Plan, "--output", world["runs", "guarded"], "--json", "--threads", "1", "--set", "guard.largest_rise=0.0001", "--set", "method.steps=40", "--set", "method.learning_rate=0.3", "--set", "method.check_every=1");

        // Either a first step stayed within the guard, or nothing is left to export; both say why.
        if (result.ExitCode == 0)
            Assert.Contains("the loss of the guard's text rose by", result.Json.GetProperty("method").GetProperty("stop_reason").GetString(), StringComparison.Ordinal);
        else
            Assert.Contains("nothing was forgotten", result.Error, StringComparison.Ordinal);
        Assert.Contains("the loss of the guard's text rose by", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_is_killed_goes_on_to_the_same_model()
    {
        string[] args = ["unlearn", world.Plan, "--threads", "1", "--set", "method.steps=60"];
        // A cache of its own, so that the calm run gives nothing away.
        Process Start(string name)
        {
            var start = new ProcessStartInfo("dotnet", ["exec", typeof(LetheCommandLine).Assembly.Location, .. args, "--output", world[name, "runs", "killed"]]) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment.Remove("LETHE_CACHE");
            return Process.Start(start)!;
        }
        foreach (var until in (string?[])["before: started", "forget: started", "export: started", null])
        {
            using var process = Start("disturbed");
            while (await process.StandardError.ReadLineAsync() is { } line)
                if (line == until)
                    process.Kill();
            await process.WaitForExitAsync();
            Assert.True(until is not null || process.ExitCode == 0);
        }
        using (var calm = Start("calm"))
        {
            var said = await calm.StandardError.ReadToEndAsync();
            await calm.WaitForExitAsync();
            Assert.True(calm.ExitCode == 0, said);
        }

        string Digest(string name, string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(world[name, "runs", "killed", file])));
        foreach (var file in new[] { "model/model.safetensors", "metrics.jsonl", "plan.yaml" })
            Assert.Equal(Digest("calm", file), Digest("disturbed", file));
        Assert.False(Directory.Exists(world["disturbed", "runs", "killed", "work"]));
    }
}
