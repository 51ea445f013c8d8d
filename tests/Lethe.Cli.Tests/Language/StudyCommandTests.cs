using System.Text.Json;

namespace Lethe.Cli.Tests.Language;

/// <summary>A study of three methods at tiny size through the command line: rounds, shards, resumption, result and page.</summary>
public sealed class StudyCommandTests(LanguageUnlearningTests.World world) : IClassFixture<LanguageUnlearningTests.World>
{
    private const string Study = """
        title: Which way to forget
        plan: plan.yaml
        set: {guard: null, measure.answers: 0, ground.split: {trained: 0.6, validation: 0.5}}
        methods:
          - {name: ours, proposed: true, set: {method: {kind: rmu, steps: 6, learning_rate: 0.01, layer: 1, edited_layers: [0, 1]}}, grid: {method.strength: [0.5, 1], method.alpha: [20, 40]}}
          - {name: ascent, grid: {method: [{kind: gradient_ascent, steps: 3}, {kind: gradient_ascent, steps: 3, learning_rate: 0.001}]}}
          - {name: nothing, control: true, set: {method: {kind: rmu, steps: 2, layer: 1, edited_layers: [0, 1], learning_rate: 0.01, strength: 0}}}
        tune:
          set: {ground.forget: tool, ground.neighbours: [stone], measure.part: validation}
          rounds: [{set: {measure.perplexity_texts: 2}, keep: 0.5}, {}]
          seeds: [0]
        report:
          topics: [{name: stones, set: {ground.forget: stone}}, {name: birds, set: {ground.forget: bird, ground.neighbours: [tool]}}]
          seeds: [0, 1]
        sensitivity: {method: ours, keys: {method.steps: [3], method.layer: [0]}}
        """;

    [Fact]
    public async Task Shards_share_a_study_round_by_round_and_the_last_one_writes_result_and_page()
    {
        await File.WriteAllTextAsync(world["study.yaml"], Study);
        var folder = world["runs", "study"];
        Task<CliResult> Compare(params string[] more) => CommandLine.Run(["compare", world["study.yaml"], "--output", folder, "--threads", "1", .. more]);

        // A round needs all of the one before, so one shard alone stops at its end.
        var alone = await Compare("--shard", "0/2", "--json", "--quiet");
        Assert.True(alone.ExitCode == 0, alone.Error);
        Assert.NotEqual(0, alone.Json.GetProperty("pending").GetArrayLength());
        Assert.False(File.Exists(Path.Combine(folder, "study.json")));
        var waiting = await Compare("--shard", "0/2", "--quiet");
        Assert.Contains("left to other shards", waiting.Output, StringComparison.Ordinal);

        var whole = await Compare("--language", "ja");
        Assert.True(whole.ExitCode == 0, whole.Error);
        Assert.Contains("ours", whole.Output, StringComparison.Ordinal);
        using var study = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder, "study.json")));
        var root = study.RootElement;
        Assert.Equal("tool", root.GetProperty("tuning").GetProperty("topic").GetString());
        Assert.Equal("validation", root.GetProperty("tuning").GetProperty("part").GetString());
        var methods = root.GetProperty("methods").EnumerateArray().ToArray();
        Assert.Equal(["ours", "ascent", "nothing"], methods.Select(method => method.GetProperty("name").GetString()!));
        Assert.Equal("ascent", root.GetProperty("strongest_baseline").GetString());
        // Whole sections are named by what tells them apart, and one that leaves it out by what it has.
        Assert.Equal(["steps 3", "learning_rate 0.001"], methods[1].GetProperty("configurations").EnumerateArray().Select(own => own.GetProperty("name").GetString()!));

        // Half of four went on; of each method one was chosen.
        var ours = methods[0].GetProperty("configurations").EnumerateArray().ToArray();
        Assert.Equal(4, ours.Length);
        Assert.Equal(2, ours.Count(own => own.TryGetProperty("fell_in_round", out var round) && round.GetInt32() == 1));
        Assert.Equal(methods[0].GetProperty("chosen").GetString(), Assert.Single(ours, own => own.GetProperty("chosen").GetBoolean()).GetProperty("name").GetString());
        Assert.Equal(6, methods[0].GetProperty("budget").GetProperty("runs").GetInt32());
        Assert.True(methods[0].GetProperty("budget").GetProperty("tokens").GetInt64() > 0);

        // Strength 0 leaves the export as it was, which fails; that is a finding about it and ends nothing.
        Assert.Contains("nothing was forgotten", methods[2].GetProperty("configurations")[0].GetProperty("rounds")[0].GetProperty("failed")[0].GetString(), StringComparison.Ordinal);
        Assert.False(methods[2].TryGetProperty("pooled", out _));
        Assert.False(methods[2].GetProperty("within_bound").GetBoolean());

        // Figures of a topic are those of its seeds, averaged.
        var topic = methods[0].GetProperty("topics")[0];
        var seeds = topic.GetProperty("seeds").EnumerateArray().Select(seed => seed.GetProperty("figures").GetProperty("swap").GetDouble()).ToArray();
        Assert.Equal(2, seeds.Length);
        Assert.Equal(seeds.Average(), topic.GetProperty("reading").GetProperty("figures").GetProperty("swap").GetDouble(), 9);
        Assert.Equal(seeds.Average(), topic.GetProperty("trained").GetProperty("swap_after").GetProperty("value").GetDouble(), 9);
        Assert.True(root.GetProperty("comparisons")[0].GetProperty("strongest").GetBoolean());
        Assert.Equal(2, root.GetProperty("comparisons")[0].GetProperty("topics").GetArrayLength());
        // A single option that does not fit the others is a line of the table and not the end of the study.
        var changes = root.GetProperty("sensitivity").GetProperty("changes").EnumerateArray().ToArray();
        Assert.Equal(["method.layer", "method.steps"], changes.Select(change => change.GetProperty("path").GetString()!));
        Assert.Empty(changes[1].GetProperty("reading").GetProperty("failed").EnumerateArray());
        Assert.Contains("layer", changes[0].GetProperty("reading").GetProperty("failed")[0].GetString(), StringComparison.Ordinal);
        foreach (var page in new[] { "study.html", "study.ja.html" })
            System.Xml.Linq.XDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, page)));
        Assert.DoesNotContain(Directory.EnumerateDirectories(Path.Combine(folder, "points")), point => Directory.Exists(Path.Combine(point, "model")) || Directory.Exists(Path.Combine(point, "stages", "export")));

        // Everything is found finished.
        var before = await File.ReadAllBytesAsync(Path.Combine(folder, "study.json"));
        var again = await Compare();
        Assert.DoesNotContain(": started", again.Error, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(folder, "study.json")));
        var report = await CommandLine.Run("report", folder);
        Assert.True(report.ExitCode == 0, report.Error);

        var other = await Compare("--set", "tune.rounds.0.keep=0.9");
        Assert.Equal(2, other.ExitCode);
        Assert.Contains("holds another study", other.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_only_the_strongest_baseline_is_reported_no_other_runs_on_the_reported_topics()
    {
        await File.WriteAllTextAsync(world["strongest.yaml"], """
            title: The strongest only
            plan: plan.yaml
            set: {guard: null, measure.answers: 0, ground.split: {trained: 0.6, validation: 0.5}, measure.perplexity_texts: 2}
            methods:
              - {name: ours, proposed: true, set: {method: {kind: rmu, steps: 6, learning_rate: 0.01, layer: 1, edited_layers: [0, 1]}}}
              - {name: ascent, set: {method: {kind: gradient_ascent, steps: 3}}}
              - {name: weak, set: {method: {kind: rmu, steps: 1, learning_rate: 1.0e-4, layer: 1, edited_layers: [1]}}}
            tune: {set: {ground.forget: tool, ground.neighbours: [stone], measure.part: validation}}
            report:
              topics: [{name: stones, set: {ground.forget: stone}}]
              baselines: strongest
              seeds: [0, 1]
            """);
        var folder = world["runs", "strongest"];
        // The second shard finds tuning done and goes on to its share of the report: all runs of one seed, which read the same texts.
        foreach (var shard in new[] { "0/2", "1/2" })
        {
            var part = await CommandLine.Run("compare", world["strongest.yaml"], "--output", folder, "--threads", "1", "--shard", shard, "--quiet");
            Assert.True(part.ExitCode == 0, part.Error);
        }
        var reported = Directory.EnumerateDirectories(Path.Combine(folder, "points"), "stones-*").Select(point => Path.GetFileName(point)!).ToArray();
        Assert.Equal(2, reported.Length);
        Assert.All(reported, point => Assert.Contains("seed-1", point, StringComparison.Ordinal));
        var whole = await CommandLine.Run("compare", world["strongest.yaml"], "--output", folder, "--threads", "1");
        Assert.True(whole.ExitCode == 0, whole.Error);

        using var study = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder, "study.json")));
        var strongest = study.RootElement.GetProperty("strongest_baseline").GetString()!;
        var other = strongest == "ascent" ? "weak" : "ascent";
        Assert.Equal(["ours", strongest], study.RootElement.GetProperty("methods").EnumerateArray().Where(method => method.GetProperty("reported").GetBoolean()).Select(method => method.GetProperty("name").GetString()!));
        Assert.Equal(strongest, Assert.Single(study.RootElement.GetProperty("comparisons").EnumerateArray()).GetProperty("method").GetString());
        Assert.DoesNotContain(Directory.EnumerateDirectories(Path.Combine(folder, "points"), $"stones-{other}-*"), _ => true);
        Assert.Contains("tuned only", whole.Output, StringComparison.Ordinal);
        Assert.Contains("Of the baselines only that one was run on the reported topics.", await File.ReadAllTextAsync(Path.Combine(folder, "study.html")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("report.topics.0.set={ground.forget: tool}", "forgets 'tool', the topic of tuning; what options were chosen on is not reported")]
    [InlineData("methods.1.grid={method.learning_rate: [0.001, 0.001]}", "the grid of 'ascent' holds learning_rate 0.001 twice; list each value once")]
    [InlineData("tune.rounds.0.set={method.stepz: 3}", "is a key that no method of the study has")]
    [InlineData("methods.0.set={method: {kind: rmuu}}", "'method.kind' is 'rmuu', which is not known")]
    [InlineData("plan=model.yaml", "model.yaml")]
    public async Task A_bad_study_is_one_sentence_and_exit_2(string change, string sentence)
    {
        await File.WriteAllTextAsync(world["bad-study.yaml"], Study);
        var result = await CommandLine.Run("compare", world["bad-study.yaml"], "--output", world["runs", "bad-study"], "--set", change);

        Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
        Assert.Equal(2, result.ExitCode);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(world["runs", "bad-study"]));
    }
}
