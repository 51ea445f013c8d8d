namespace Lethe.Cli.Tests.Language;

/// <summary>A language model from a text file to an answer, as a user would do it.</summary>
public sealed class LanguageTrainingTests : IDisposable
{
    private const string Plan = """
        kind: causal_language_model
        title: A tiny model
        model: {kind: llama, layers: 1, hidden_size: 16, heads: 2, maximum_positions: 32, tokenizer: {kind: train, vocabulary: 280}}
        corpora: [{kind: text, path: text.txt, documents: line}]
        validation: {share: 0.2}
        training: {steps: 6, length: 16, batch: 4, warm_up: 2, validate_every: 3}
        """;

    private readonly ScratchFolder place = new();

    public LanguageTrainingTests()
    {
        File.WriteAllText(this["plan.yaml"], Plan);
        File.WriteAllLines(this["text.txt"], Enumerable.Range(0, 80).Select(k => $"After {k} comes {k + 1}."));
    }

    private string this[string name] => Path.Combine(place.Path, name);

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task A_plan_gives_a_model_that_generate_continues_text_with_a_summary_and_a_picture()
    {
        var trained = await CommandLine.Run("train", this["plan.yaml"], "--output", this["run"]);

        Assert.Equal("", trained.ExitCode == 0 ? "" : trained.Error);
        Assert.Contains("validation text  loss", trained.Output, StringComparison.Ordinal);
        Assert.Contains("tokens a second", trained.Output, StringComparison.Ordinal);
        Assert.Contains("<svg", await File.ReadAllTextAsync(this["run/loss.svg"]), StringComparison.Ordinal);
        Assert.Contains("nats a token", await File.ReadAllTextAsync(this["run/loss.svg"]), StringComparison.Ordinal);

        var again = await CommandLine.Run("train", this["plan.yaml"], "--output", this["run"], "--json", "--quiet");
        Assert.Equal(6, again.Json.GetProperty("training").GetProperty("steps").GetInt64());
        Assert.Equal(["tokenizer", "tokens", "train", "export", "measure"], again.Json.GetProperty("cost").GetProperty("cached").EnumerateArray().Select(stage => stage.GetString()!));

        var answer = await CommandLine.Run("generate", this["run"], "--prompt", "After 7", "--max-tokens", "4", "--json", "--quiet");
        Assert.Equal(0, answer.ExitCode);
    }

    [Fact]
    public async Task Text_that_is_missing_ends_with_3_and_a_wrong_key_with_2()
    {
        var missing = await CommandLine.Run("train", this["plan.yaml"], "--set", "corpora.0.path=none.txt", "--output", this["run"]);
        Assert.Equal(3, missing.ExitCode);
        Assert.Contains("none.txt", missing.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(this["run"]));

        var key = await CommandLine.Run("train", this["plan.yaml"], "--set", "training.step=3", "--output", this["run"]);
        Assert.Equal(2, key.ExitCode);
        Assert.Contains("'steps'", key.Error, StringComparison.Ordinal);
    }
}
