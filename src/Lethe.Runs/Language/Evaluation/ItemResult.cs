using Lethe.Evaluation.Language;

namespace Lethe.Runs.Language.Evaluation;

/// <summary>What the model made of an item.</summary>
/// <param name="Item">The item.</param>
/// <param name="Scores">Log-likelihoods, prompt by prompt; of a rolling text the sum over its windows; empty where text was generated.</param>
/// <param name="Text">The generated text; null where scores were asked for.</param>
/// <param name="Figures">The item's part of each figure, by metric and filter.</param>
/// <param name="Filtered">What the filters cut out of the text, by filter.</param>
internal sealed record ItemResult(Item Item, IReadOnlyList<LogLikelihood> Scores, string? Text, IReadOnlyDictionary<(string Metric, string Filter), double> Figures, IReadOnlyDictionary<string, string> Filtered);
