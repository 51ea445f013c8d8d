using System.Text.Json;
using Lethe.Formats;

namespace Lethe.Cli.Tests;

/// <summary>The verbs that work on runs, on one tiny run and one tiny sweep that are made once.</summary>
public sealed class RunVerbsTests(RunVerbsTests.Workplace place) : IClassFixture<RunVerbsTests.Workplace>
{
    [Fact]
    public async Task A_sweep_writes_its_result_chart_and_pages_and_a_second_call_computes_nothing()
    {
        var folder = await place.Sweep();

        var again = await CommandLine.Run("sweep", place.SweepPlan, "--output", folder, "--language", "ja");

        Assert.Equal(0, again.ExitCode);
        Assert.DoesNotContain(": started", again.Error, StringComparison.Ordinal);
        Assert.Contains("sweep: point 2 of 2: method.strength=1, seed 0", again.Error, StringComparison.Ordinal);
        Assert.Contains("method.strength", again.Output, StringComparison.Ordinal);
        var sweep = Read(Path.Combine(folder, "sweep.json"));
        Assert.Equal([0.5, 1], sweep.GetProperty("points").EnumerateArray().Select(point => point.GetProperty("options").GetProperty("method.strength").GetDouble()));
        Assert.Contains(sweep.GetProperty("points").EnumerateArray(), point => point.GetProperty("on_front").GetBoolean());
        Assert.All(sweep.GetProperty("points").EnumerateArray(), point => Assert.True(File.Exists(Path.Combine(folder, point.GetProperty("run").GetString()!, "result.json"))));
        Assert.Contains("<svg", await File.ReadAllTextAsync(Path.Combine(folder, "trade-off.svg")), StringComparison.Ordinal);
        Assert.Contains("<html lang=\"en\"", await File.ReadAllTextAsync(Path.Combine(folder, "sweep.html")), StringComparison.Ordinal);
        Assert.Contains("<html lang=\"ja\"", await File.ReadAllTextAsync(Path.Combine(folder, "sweep.ja.html")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Points_of_a_sweep_share_what_does_not_depend_on_the_grid()
    {
        var folder = await place.Sweep();
        var costs = Directory.GetDirectories(folder).Select(run => Read(Path.Combine(run, "result.json")).GetProperty("cost").GetProperty("cached").EnumerateArray().Select(stage => stage.GetString()!).ToArray()).ToList();

        Assert.Equal(2, costs.Count);
        // The single run made them before; at its own strength, 1, it made everything.
        Assert.Contains(costs, cached => cached is ["base", "judge", "before", "fisher"]);
        Assert.Contains(costs, cached => cached is ["base", "judge", "before", "fisher", "forget", "after"]);
    }

    [Fact]
    public async Task Shards_divide_the_points_and_the_one_that_finds_all_finished_writes_the_result()
    {
        await place.Run();
        var folder = place["runs", "shards"];

        var first = await CommandLine.Run("sweep", place.SweepPlan, "--output", folder, "--shard", "0/2", "--json", "--quiet");
        Assert.Equal(1, first.Json.GetProperty("points").GetArrayLength());
        Assert.Equal(1, first.Json.GetProperty("pending").GetArrayLength());
        Assert.False(File.Exists(Path.Combine(folder, "sweep.json")));

        var second = await CommandLine.Run("sweep", place.SweepPlan, "--output", folder, "--shard", "1/2", "--json", "--quiet");
        Assert.Equal(2, second.Json.GetProperty("points").GetArrayLength());
        Assert.Equal(0, second.Json.GetProperty("pending").GetArrayLength());
        Assert.True(File.Exists(Path.Combine(folder, "sweep.html")));
    }

    [Fact]
    public async Task A_folder_of_another_sweep_is_refused()
    {
        var folder = await place.Sweep();

        var result = await CommandLine.Run("sweep", place.SweepPlan, "--output", folder, "--set", "measure.samples=60");

        Assert.Equal(2, result.ExitCode);
        Assert.Equal($"error: {folder} holds another sweep, or one of a plan that has changed since. Choose another folder, or remove this one.\n", result.Error);
    }

    [Theory]
    [InlineData("2", "--shard is '2'; write it as i/n with i from 0 to n - 1, such as 0/4.")]
    [InlineData("2/2", "--shard is '2/2'; write it as i/n with i from 0 to n - 1, such as 0/4.")]
    public async Task A_shard_that_does_not_exist_ends_with_2(string shard, string sentence)
    {
        var result = await CommandLine.Run("sweep", place.SweepPlan, "--shard", shard);

        Assert.Equal(2, result.ExitCode);
        Assert.Equal($"error: {sentence}\n", result.Error);
    }

    [Fact]
    public async Task A_report_of_a_run_takes_the_sweep_around_it_and_a_sweep_has_a_report_of_its_own()
    {
        var (run, sweep) = (await place.Run(), await place.Sweep());
        var (alone, around, page) = (place["alone.html"], place["around.html"], place["sweep.html"]);

        Assert.Equal(0, (await CommandLine.Run("report", run, "--output", alone)).ExitCode);
        Assert.Equal(0, (await CommandLine.Run("report", run, "--sweep", sweep, "--output", around)).ExitCode);
        Assert.Equal(0, (await CommandLine.Run("report", sweep, "--language", "ja", "--output", page)).ExitCode);

        Assert.DoesNotContain("Sweep of the tiny plan", await File.ReadAllTextAsync(alone), StringComparison.Ordinal);
        Assert.True(new FileInfo(around).Length > new FileInfo(alone).Length + 2000, "the trade-off is not in the report");
        Assert.Contains("Sweep of the tiny plan", await File.ReadAllTextAsync(page), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_without_a_sweep_ends_with_3()
    {
        var run = await place.Run();

        var result = await CommandLine.Run("report", run, "--sweep", run);

        Assert.Equal(3, result.ExitCode);
        Assert.StartsWith($"error: {run} holds no finished sweep: there is no sweep.json in it.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evaluating_with_the_runs_own_seed_gives_the_runs_own_figures_and_writes_nothing()
    {
        var run = await place.Run();
        var files = Files(run);

        var result = await CommandLine.Run("evaluate", run, "--plan-folder", place.Folder, "--seed", "0", "--json", "--quiet");

        Assert.Equal(0, result.ExitCode);
        var own = Read(Path.Combine(run, "result.json"));
        foreach (var section in new[] { "forget", "concepts", "retain", "classes", "confusion", "moved" })
            Assert.Equal(own.GetProperty(section).GetRawText(), result.Json.GetProperty(section).GetRawText());
        Assert.True(result.Json.GetProperty("evaluation").GetProperty("own_model").GetBoolean());
        Assert.Equal(files, Files(run));
    }

    [Fact]
    public async Task Evaluating_without_a_seed_draws_other_noise_and_as_many_samples_as_asked()
    {
        var run = await place.Run();

        var result = await CommandLine.Run("evaluate", run, "--plan-folder", place.Folder, "--samples", "70", "--json", "--quiet");

        var own = Read(Path.Combine(run, "result.json"));
        Assert.Equal(1, result.Json.GetProperty("run").GetProperty("seed").GetInt64());
        Assert.Equal(70, result.Json.GetProperty("forget").GetProperty("probability").GetProperty("n").GetInt64());
        Assert.NotEqual(own.GetProperty("forget").GetProperty("probability").GetProperty("value").GetDouble(), result.Json.GetProperty("forget").GetProperty("probability").GetProperty("value").GetDouble());
    }

    [Fact]
    public async Task Another_model_is_measured_against_the_runs_base_and_nothing_is_claimed_of_how_it_was_made()
    {
        var run = await place.Run();
        var untouched = Path.Combine(run, "stages", "base", "model.safetensors");

        var result = await CommandLine.Run("evaluate", run, "--plan-folder", place.Folder, "--model", untouched, "--json", "--quiet");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal("unknown", result.Json.GetProperty("method").GetProperty("name").GetString());
        Assert.False(result.Json.GetProperty("evaluation").GetProperty("own_model").GetBoolean());
        Assert.All(result.Json.GetProperty("moved").EnumerateArray(), tensor => Assert.Equal(0, tensor.GetProperty("norm").GetDouble()));
        Assert.Equal(0, result.Json.GetProperty("retain").GetProperty("negative_elbo_change").GetProperty("value").GetDouble());
    }

    [Fact]
    public async Task Evaluating_prints_the_summary_of_a_run_and_what_was_measured()
    {
        var run = await place.Run();

        var result = await CommandLine.Run("evaluate", run, "--plan-folder", place.Folder, "--quiet");

        Assert.StartsWith("Forget the 0\n", result.Output, StringComparison.Ordinal);
        Assert.EndsWith($"{Path.Combine(run, "model", "model.safetensors")} with seed 1\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_with_relative_paths_asks_what_they_are_relative_to()
    {
        var result = await CommandLine.Run("evaluate", await place.Run());

        Assert.Equal(2, result.ExitCode);
        Assert.Equal("error: The run's plan names 'data', relative to where the plan was read; name that folder with --plan-folder.\n", result.Error);
    }

    [Fact]
    public async Task A_damaged_artefact_and_other_data_end_with_3()
    {
        var run = await place.Run();
        using var copy = new ScratchFolder();
        Copy(run, copy.Path);
        using var other = new ScratchFolder();
        TinyImages.Write(other.Path);
        var labels = Path.Combine(other.Path, "data", "t10k-labels-idx1-ubyte");
        await File.WriteAllBytesAsync(labels, [.. (await File.ReadAllBytesAsync(labels))[..^1], 3]);
        var judge = Path.Combine(copy.Path, "stages", "judge", "model.safetensors");
        var bytes = await File.ReadAllBytesAsync(judge);
        bytes[^1] ^= 1;
        File.Delete(judge);
        await File.WriteAllBytesAsync(judge, bytes);

        var damaged = await CommandLine.Run("evaluate", copy.Path, "--plan-folder", place.Folder);
        var elsewhere = await CommandLine.Run("evaluate", run, "--plan-folder", other.Path);

        Assert.Equal(3, damaged.ExitCode);
        Assert.Contains("judge is damaged: model.safetensors has changed since it was written. Run the run's plan again to mend it.", damaged.Error, StringComparison.Ordinal);
        Assert.Equal(3, elsewhere.ExitCode);
        Assert.Contains("The MNIST files here are not those that run was measured with", elsewhere.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspecting_lists_the_tensors_that_moved_and_the_readings_on_the_way()
    {
        var run = await place.Run();

        var text = await CommandLine.Run("inspect", run);
        var json = await CommandLine.Run("inspect", run, "--json");

        Assert.Equal(0, text.ExitCode);
        Assert.Contains("fc31.weight", text.Output, StringComparison.Ordinal);
        Assert.Contains("above floor: 0", text.Output, StringComparison.Ordinal);
        Assert.Equal(14, json.Json.GetProperty("moved").GetArrayLength());
        Assert.Contains(json.Json.GetProperty("moved").EnumerateArray(), tensor => tensor.GetProperty("norm").GetDouble() > 0);
        Assert.NotEmpty(json.Json.GetProperty("readings").EnumerateArray());
    }

    [Fact]
    public async Task Generating_draws_a_row_for_each_label_by_number_or_name()
    {
        var run = await place.Run();
        var (named, numbered, other) = (place["named.png"], place["numbered.png"], place["other.png"]);

        var result = await CommandLine.Run("generate", run, "--label", "0", "--label", "7", "--count", "3", "--output", named, "--json");
        await CommandLine.Run("generate", Path.Combine(run, "model", "model.safetensors"), "--label", "0", "--label", "7", "--count", "3", "--output", numbered);
        await CommandLine.Run("generate", run, "--label", "0", "--label", "7", "--count", "3", "--seed", "1", "--output", other);

        Assert.Equal([0, 7], result.Json.GetProperty("labels").EnumerateArray().Select(label => label.GetInt32()));
        var picture = Png.Read(named);
        Assert.Equal((3 * 58 + 2, 2 * 58 + 2), (picture.Width, picture.Height));
        Assert.Equal(await File.ReadAllBytesAsync(named), await File.ReadAllBytesAsync(numbered));
        Assert.NotEqual(await File.ReadAllBytesAsync(named), await File.ReadAllBytesAsync(other));
    }

    [Theory]
    [InlineData(2, "--label is 'ten', which is no label; there are: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9.", "--label", "ten", "--output", "x.png")]
    [InlineData(2, "generate writes a picture: name its file with --output FILE.png.")]
    [InlineData(2, "--output is 'x.jpg'; pictures are written as PNG, so let the name end in .png.", "--output", "x.jpg")]
    [InlineData(2, "--count is '0'; it takes a whole number from 1 to 1000.", "--count", "0")]
    public async Task Wrong_options_of_generate_end_with_one_sentence(int exitCode, string sentence, params string[] options)
    {
        var result = await CommandLine.Run(["generate", await place.Run(), .. options]);

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Equal($"error: {sentence}\n", result.Error);
    }

    [Theory]
    [InlineData("evaluate")]
    [InlineData("inspect")]
    [InlineData("generate")]
    public async Task A_folder_that_is_no_run_ends_with_3(string verb)
    {
        using var empty = new ScratchFolder();
        string[] options = verb == "generate" ? ["--output", "x.png"] : [];

        var result = await CommandLine.Run([verb, empty.Path, .. options]);

        Assert.Equal(3, result.ExitCode);
        Assert.StartsWith($"error: {empty.Path}", result.Error, StringComparison.Ordinal);
    }

    private static JsonElement Read(string file) => JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;

    private static List<string> Files(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => $"{file} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))}")];

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    /// <summary>A folder with data, plans, and the run and the sweep made of them when somebody first asks.</summary>
    public sealed class Workplace : IDisposable
    {
        private readonly ScratchFolder folder = new();
        private readonly Lazy<Task<string>> run, sweep;

        /// <summary>Writes data and plans.</summary>
        public Workplace()
        {
            var plan = TinyImages.Write(Folder);
            File.WriteAllText(SweepPlan, $"title: Sweep of the tiny plan\nplan: {TinyImages.PlanName}\nset:\n  measure.grid_samples: 2\ngrid:\n  method.strength: [0.5, 1]\n");
            run = new(() => Make(this["runs", "run"], "unlearn", plan));
            sweep = new(async () =>
            {
                await Run();
                return await Make(this["runs", "sweep"], "sweep", SweepPlan);
            });
        }

        /// <summary>The folder.</summary>
        public string Folder => folder.Path;

        /// <summary>A plan of sweep, with two points.</summary>
        public string SweepPlan => this["sweep.yaml"];

        /// <summary>A path below the folder.</summary>
        public string this[params string[] parts] => Path.Combine([Folder, .. parts]);

        /// <summary>The run's folder.</summary>
        public Task<string> Run() => run.Value;

        /// <summary>The sweep's folder.</summary>
        public Task<string> Sweep() => sweep.Value;

        /// <inheritdoc/>
        public void Dispose() => folder.Dispose();

        private static async Task<string> Make(string output, string verb, string plan)
        {
            var result = await CommandLine.Run(verb, plan, "--output", output);
            Assert.True(result.ExitCode == 0, result.Error);
            return output;
        }
    }
}
