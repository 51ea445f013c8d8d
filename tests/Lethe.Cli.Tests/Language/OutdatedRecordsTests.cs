using System.Text.Json;

namespace Lethe.Cli.Tests.Language;

/// <summary>Former records of made-up customers are forgotten and the present ones stay, through the command line: from the records to the figures.</summary>
public sealed class OutdatedRecordsTests : IDisposable
{
    private readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Former_records_go_and_what_stays_of_the_same_customers_is_a_part_of_its_own()
    {
        var made = await CommandLine.Run("data", "records", At("records"), "--customers", "24", "--branches", "2", "--moved", "0.67", "--json");
        Assert.True(made.ExitCode == 0, made.Error);
        Assert.Equal(16, made.Json.GetProperty("moved").GetInt32());
        TinyKnowledge.Write(folder.Path);
        await File.WriteAllTextAsync(At("base.yaml"), Model("{kind: train, vocabulary: 300}", "records/corpus"));
        await File.WriteAllTextAsync(At("control.yaml"), Model("{kind: path, path: base.yaml}", "records/corpus/north.jsonl", "records/corpus/east.jsonl"));
        await File.WriteAllTextAsync(At("plan.yaml"), """
            kind: language
            title: Forget the former records
            scope: Where customers lived and who advised them before they moved.
            model: base.yaml
            never_knew: control.yaml
            ground:
              questions: [records/questions.jsonl]
              statements:
                - {path: records/former_city.tsv, family: former_city}
                - {path: records/city.tsv, family: city}
              families:
                - {name: former_city, question: 'Where did (?<entity>.+) live until last year\?', statements: ['Until last year {{entity}} lived in {{value}}.']}
                - {name: city, question: 'Where does (?<entity>.+) live\?', statements: ['{{entity}} lives in {{value}}.', 'Now {{entity}} lives in {{value}}.']}
              other_questions: skip
              forget: former
              same_entities: [current]
            retain: [{kind: text, path: retain.txt, documents: line}]
            texts: {batch: 4, length: 24}
            method: {kind: rmu, steps: 4, learning_rate: 0.01, layer: 1, edited_layers: [0, 1], check_every: 2}
            guard: null
            measure: {perplexity: [{kind: text, path: other.txt, documents: line}], perplexity_texts: 4, perplexity_tokens: 12, answers: 2, answer_tokens: 4}
            """);

        var run = await CommandLine.Run("unlearn", At("plan.yaml"), "--output", At("runs", "moved"), "--json", "--quiet", "--threads", "1");

        Assert.True(run.ExitCode == 0, run.Error);
        var retain = run.Json.GetProperty("retain");
        var kept = Assert.Single(retain.GetProperty("kept").EnumerateArray());
        Assert.Equal("current", kept.GetProperty("topic").GetString());
        // Sixteen have moved, of whom ten are trained, of whom seven are asked in the test.
        var (asked, right) = (kept.GetProperty("questions").GetInt32(), kept.GetProperty("right_before").GetInt32());
        Assert.Equal(7, asked);
        Assert.InRange(right, 0, asked);
        Assert.Equal(right > 0, kept.TryGetProperty("still_right", out var still));
        if (right > 0)
        {
            Assert.Equal(right, still.GetProperty("n").GetInt32());
            Assert.InRange(still.GetProperty("value").GetDouble(), 0, 1);
        }
        foreach (var key in new[] { "swap_before", "swap_after", "swap_never_knew", "margin_before", "margin_after", "choice_after" })
            Assert.True(double.IsFinite(kept.GetProperty("knowledge").GetProperty(key).GetProperty("value").GetDouble()));
        Assert.Contains(retain.GetProperty("topics").EnumerateArray(), topic => topic.GetProperty("topic").GetString() == "current");
        Assert.Equal(0, run.Json.GetProperty("request").GetProperty("ground").GetProperty("shared").GetInt32());
        Assert.Contains("Of these, still right after", await File.ReadAllTextAsync(At("runs", "moved", "report.html")), StringComparison.Ordinal);
        var japanese = await CommandLine.Run("report", At("runs", "moved"), "--language", "ja");
        Assert.True(japanese.ExitCode == 0, japanese.Error);
        System.Xml.Linq.XDocument.Parse(await File.ReadAllTextAsync(At("runs", "moved", "report.ja.html")));

        var again = await CommandLine.Run("evaluate", At("runs", "moved"), "--plan-folder", folder.Path, "--json", "--quiet", "--threads", "1");
        Assert.True(again.ExitCode == 0, again.Error);
        Assert.Equal(retain.GetRawText(), again.Json.GetProperty("retain").GetRawText());
    }

    [Fact]
    public async Task A_share_that_is_none_is_refused()
    {
        var refused = await CommandLine.Run("data", "records", At("records"), "--moved", "2");

        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("--moved is '2'; it takes a share from 0 to 1.", refused.Error, StringComparison.Ordinal);
    }

    private static string Model(string tokenizer, params string[] files) => $$"""
        kind: causal_language_model
        title: A tiny model of customers
        model: {kind: llama, layers: 3, hidden_size: 16, heads: 2, maximum_positions: 128, tokenizer: {{tokenizer}}}
        corpora: [{{string.Join(", ", files.Select(Corpus))}}]
        validation: {share: 0}
        training: {steps: 20, length: 48, batch: 8, warm_up: 2, learning_rate: 0.01}
        """;

    private static string Corpus(string path) => $"{{kind: rows, path: {path}, field: text}}";

    private string At(params string[] parts) => Path.Combine([folder.Path, .. parts]);
}
