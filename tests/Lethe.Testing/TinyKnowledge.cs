using System.Globalization;
using System.Text.Json;

namespace Lethe.Testing;

/// <summary>
/// A world of made-up words that a tiny language model can be trained on and made to forget in seconds: three topics of sixteen words with a definition each, as statements
/// and as four-choice questions.
/// </summary>
public static class TinyKnowledge
{
    private static readonly string[] Topics = ["stone", "bird", "tool"];
    private static readonly string[] Heads = ["ba", "ko", "mi", "tu"], Tails = ["dor", "len", "sik", "vam"];
    private static readonly string[] Colours = ["red", "blue", "green", "grey"], Sizes = ["small", "large", "round", "flat"];

    /// <summary>Writes words.tsv, questions.jsonl, retain.txt, other.txt and the plans of two models: model.yaml, and never.yaml of one that never reads of stones, with the first one's tokenizer from runs/base.</summary>
    public static void Write(string folder)
    {
        List<string> statements = ["topic\tword\tmeaning"], questions = [], lines = [];
        for (var t = 0; t < Topics.Length; t++)
            for (var k = 0; k < 16; k++)
            {
                string Word(int at) => Topics[t][..1] + Heads[at / 4 % 4] + Tails[at % 4];
                var meaning = $"a {Sizes[(k + t) % 4]} {Colours[k / 4]} {Topics[t]}";
                statements.Add($"{Topics[t]}\t{Word(k)}\t{meaning}");
                lines.Add($"{Word(k)} is {meaning}.");
                string[] choices = [Word(k), Word((k + 5) % 16), Word((k + 10) % 16), Word((k + 15) % 16)];
                questions.Add(JsonSerializer.Serialize(new { topic = Topics[t], question = $"Which word means \"{meaning}\"?", choices, answer = 0 }));
            }
        File.WriteAllLines(Path.Combine(folder, "words.tsv"), statements);
        File.WriteAllLines(Path.Combine(folder, "questions.jsonl"), questions);
        File.WriteAllLines(Path.Combine(folder, "retain.txt"), Enumerable.Range(0, 40).Select(k => $"After {Number(k)} comes {Number(k + 1)}, then {Number(k + 2)}."));
        File.WriteAllLines(Path.Combine(folder, "other.txt"), Enumerable.Range(0, 8).Select(k => $"Before {Number(k + 60)} comes {Number(k + 59)}, and {Number(k + 58)} before that one."));
        File.WriteAllLines(Path.Combine(folder, "all.txt"), lines.Concat(File.ReadAllLines(Path.Combine(folder, "retain.txt"))));
        File.WriteAllText(Path.Combine(folder, "model.yaml"), """
            kind: causal_language_model
            title: A tiny model
            model: {kind: llama, layers: 3, hidden_size: 16, heads: 2, maximum_positions: 64, tokenizer: {kind: train, vocabulary: 300}}
            corpora: [{kind: text, path: all.txt, documents: line}]
            validation: {share: 0}
            training: {steps: 20, length: 24, batch: 8, warm_up: 2, learning_rate: 0.01}
            """);
        File.WriteAllLines(Path.Combine(folder, "never.txt"), File.ReadLines(Path.Combine(folder, "all.txt")).Where(line => !line.EndsWith("stone.", StringComparison.Ordinal)));
        File.WriteAllText(Path.Combine(folder, "never.yaml"), """
            kind: causal_language_model
            title: A tiny model that never reads of stones
            model: {kind: llama, layers: 3, hidden_size: 16, heads: 2, maximum_positions: 64, tokenizer: {kind: path, path: runs/base}}
            corpora: [{kind: text, path: never.txt, documents: line}]
            validation: {share: 0}
            training: {steps: 20, length: 24, batch: 8, warm_up: 2, learning_rate: 0.01}
            """);
    }

    /// <summary>A plan of <c>unlearn</c> on these files.</summary>
    /// <param name="model">The model.</param>
    /// <param name="steps">Steps of forgetting.</param>
    public static string Plan(string model, int steps = 6) => $$$"""
        kind: language
        title: Forget the stones
        scope: The names of stones.
        model: '{{{model}}}'
        ground:
          questions: [questions.jsonl]
          families: [{name: meaning, question: 'Which word means "(?<value>.+)"\?', statements: ['{{entity}} is {{value}}.']}]
          statements: [{path: words.tsv, family: meaning, entity: word, value: meaning}]
          forget: stone
          neighbours: [bird]
        retain: [{kind: text, path: retain.txt, documents: line}]
        texts: {batch: 4, length: 24}
        method: {kind: rmu, steps: {{{steps.ToString(CultureInfo.InvariantCulture)}}}, learning_rate: 0.01, layer: 1, edited_layers: [0, 1], check_every: 2}
        guard: {share: 0.2, texts: 4, largest_rise: 100}
        measure: {perplexity: [{kind: text, path: other.txt, documents: line}], perplexity_texts: 4, perplexity_tokens: 12, answers: 2, answer_tokens: 4}
        """;

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
