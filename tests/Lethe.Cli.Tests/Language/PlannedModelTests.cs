namespace Lethe.Cli.Tests.Language;

/// <summary>Training plans in the place of models, through the command line: what a plan needs is trained first, once.</summary>
public sealed class PlannedModelTests : IDisposable
{
    private readonly ScratchFolder folder = new();

    public PlannedModelTests()
    {
        TinyKnowledge.Write(folder.Path);
        // A seed of its own, so that no other test has left what is trained here in the cache.
        var seed = Math.Abs(folder.Path.GetHashCode(StringComparison.Ordinal)) % 100_000 + 1;
        File.WriteAllText(At("model.yaml"), $"{File.ReadAllText(At("model.yaml"))}\nseed: {seed}\n");
        File.WriteAllText(At("never.yaml"), File.ReadAllText(At("never.yaml")).Replace("path: runs/base", "path: model.yaml", StringComparison.Ordinal));
        File.WriteAllText(At("sae.yaml"), """
            kind: sparse_autoencoder
            title: Tiny autoencoders
            model: model.yaml
            corpora: [{kind: text, path: all.txt, documents: line}]
            autoencoders: [{site: layers.0.residual_after, width: 32}, {site: layers.1.residual_after, width: 32}]
            context: 16
            rows: 4
            training: {tokens: 2000, batch: 64, buffer: 256, warm_up: 5, dead_after: 2000, sparsity: {kind: top_k, active: 4}}
            """);
        File.WriteAllText(At("plan.yaml"), TinyKnowledge.Plan("model.yaml"));
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task What_a_plan_needs_is_trained_beside_its_run_once_for_all_runs_and_everything_else_goes_on_working()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        string[] plan =
        [
            "unlearn", At("plan.yaml"), "--threads", "1", "--set", "never_knew=never.yaml", "--set", "sparse_autoencoders=[sae.yaml]",
            "--set", "method={kind: sspu, steps: 4, learning_rate: 0.01, layers: [1]}", "--set", "features={relevant: 6, irrelevant: 6, percentile: 50}", "--set", "ground.split.validation=0.5",
        ];
        var stopped = await CommandLine.Run(stop.Token, [.. plan, "--output", At("runs", "first")]);
        Assert.Equal(130, stopped.ExitCode);

        var first = await CommandLine.Run([.. plan, "--output", At("runs", "first")]);

        Assert.True(first.ExitCode == 0, first.Error);
        string[] runs = [.. Directory.GetDirectories(At("runs")).Select(run => Path.GetFileName(run)!).Order(StringComparer.Ordinal)];
        Assert.Equal(["first", "model", "never", "sae"], runs.Select(run => run.Split('-')[0]));
        // Base, control and autoencoders; the base is needed by all three and trained once.
        Assert.Equal(3, Count(first.Error, "train: started"));
        var result = System.Text.Json.JsonDocument.Parse(await File.ReadAllBytesAsync(At("runs", "first", "result.json"))).RootElement;
        Assert.Equal("model.yaml", result.GetProperty("request").GetProperty("model").GetString());
        Assert.Equal($"../{runs[1]}", result.GetProperty("request").GetProperty("model_run").GetString());
        Assert.Equal(1, result.GetProperty("features").GetProperty("chosen").GetArrayLength());

        var sweep = At("sweep.yaml");
        await File.WriteAllTextAsync(sweep, """
            title: Strengths
            plan: plan.yaml
            set: {guard: null, never_knew: never.yaml, ground.split.validation: 0.5}
            grid: {method.strength: [0.5, 1]}
            """);
        var swept = await CommandLine.Run("sweep", sweep, "--output", At("runs", "sweep"), "--threads", "1");
        Assert.True(swept.ExitCode == 0, swept.Error);
        Assert.Equal(0, Count(swept.Error, "train: started"));
        Assert.Equal(2, Count(swept.Error, "prerequisite: "));

        var again = await CommandLine.Run([.. plan, "--output", At("runs", "first")]);
        Assert.True(again.ExitCode == 0, again.Error);
        Assert.DoesNotContain(": started", again.Error, StringComparison.Ordinal);

        var asked = await CommandLine.Run("evaluate", At("runs", "first"), "--plan-folder", folder.Path, "--json", "--quiet", "--threads", "1");
        Assert.True(asked.ExitCode == 0, asked.Error);
        Assert.Equal(result.GetProperty("forget").GetRawText().Replace(" ", "", StringComparison.Ordinal), asked.Json.GetProperty("forget").GetRawText().Replace(" ", "", StringComparison.Ordinal));
        foreach (var verb in new[] { "inspect", "report" })
        {
            var told = await CommandLine.Run(verb, At("runs", "first"));
            Assert.True(told.ExitCode == 0, told.Error);
        }
        var cards = await CommandLine.Run("inspect", At("runs", runs[3], "model", "layers.0.residual_after"), "--text", At("all.txt"), "--out", At("cards.html"));
        Assert.True(cards.ExitCode == 0, cards.Error);

        // Trained again in the same place, it is no longer what the run began with.
        File.Delete(At("runs", runs[1], "model", "generation_config.json"));
        var other = await CommandLine.Run("evaluate", At("runs", "first"), "--plan-folder", folder.Path);
        Assert.Equal(3, other.ExitCode);
        Assert.Contains("the base model is not the one that first began with", other.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "a plan of kind sparse_autoencoder; a plan of kind causal_language_model is needed there", "model=sae.yaml")]
    [InlineData(2, "'sparse_autoencoders.0' names", "sparse_autoencoders=[model.yaml]")]
    [InlineData(2, "which this plan itself is needed for (plan.yaml -> plan.yaml)", "model=plan.yaml")]
    [InlineData(2, "nowhere.yaml: there is no such plan", "never_knew=nowhere.yaml")]
    // What is wrong elsewhere is told before anything is trained.
    [InlineData(3, "nowhere.jsonl: there is no such file", "ground.questions=[nowhere.jsonl]")]
    public async Task A_plan_that_cannot_stand_there_is_one_sentence_before_anything_is_trained(int exitCode, string sentence, string change)
    {
        var refused = await CommandLine.Run("unlearn", At("plan.yaml"), "--output", At("runs", "refused"), "--set", change);

        Assert.Contains(sentence, refused.Error, StringComparison.Ordinal);
        Assert.Equal(exitCode, refused.ExitCode);
        Assert.Single(refused.Error.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(At("runs")));
    }

    [Fact]
    public async Task Plans_that_lead_back_to_themselves_are_refused()
    {
        await File.WriteAllTextAsync(At("model.yaml"), (await File.ReadAllTextAsync(At("never.yaml"))).Replace("path: model.yaml", "path: never.yaml", StringComparison.Ordinal));

        var refused = await CommandLine.Run("unlearn", At("plan.yaml"), "--output", At("runs", "refused"));

        Assert.Contains("(plan.yaml -> model.yaml -> never.yaml -> model.yaml)", refused.Error, StringComparison.Ordinal);
        Assert.Equal(2, refused.ExitCode);
        Assert.False(Directory.Exists(At("runs")));
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    private string At(params string[] parts) => Path.Combine([folder.Path, .. parts]);
}
