using System.Text.Json;
using Lethe.Evaluation.Language;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;

namespace Lethe.Evaluation.Tests.Language;

/// <summary>A real model with the golden values that lm-evaluation-harness 0.4.13 gives for it (shared fixtures/scores).</summary>
internal sealed class ScoreGolden
{
    private static readonly Dictionary<string, ScoreGolden> Open = [];

    private ScoreGolden(string name, string model)
    {
        Checkpoint = LanguageCheckpoint.Open(SharedData.Path("models", model));
        Values = JsonDocument.Parse(File.ReadAllText(SharedData.Path("fixtures", "scores", name + ".json"))).RootElement;
        Encoding = new RequestEncoding(Checkpoint.Tokenizer, Checkpoint.Special.Bos ?? Checkpoint.Special.Eos);
        Assert.Equal(Values.GetProperty("prefix_token_id").GetInt32(), Encoding.Prefix);
        Assert.Equal(Values.GetProperty("max_length").GetInt32(), Checkpoint.Configuration.MaximumPositions);
    }

    public LanguageCheckpoint Checkpoint { get; }

    public JsonElement Values { get; }

    public RequestEncoding Encoding { get; }

    /// <summary>The model; on the torch thread.</summary>
    public CausalLanguageModel Model => field ??= Checkpoint.Load();

    /// <summary>The golden values by the file's name; opened once, since a model takes seconds to load.</summary>
    public static ScoreGolden Of(string name)
    {
        lock (Open)
            return Open.TryGetValue(name, out var known) ? known : Open[name] = new ScoreGolden(name, name);
    }

    public IEnumerable<JsonElement> Rows(string key) => Values.GetProperty(key).EnumerateArray();

    /// <summary>1e-4 + 2e-5 a token: fixtures/README.md.</summary>
    public static double Tolerance(int tokens) => 1e-4 + 2e-5 * tokens;
}

internal static class ScoreRows
{
    public static int[] Ids(this JsonElement row, string name) => [.. row.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    public static string Text(this JsonElement row, string name) => row.GetProperty(name).GetString()!;

    public static int Whole(this JsonElement row, string name) => row.GetProperty(name).GetInt32();

    public static ScoredRequest Request(this JsonElement row) => new(row.Ids("context_ids"), row.Ids("continuation_ids"));
}
