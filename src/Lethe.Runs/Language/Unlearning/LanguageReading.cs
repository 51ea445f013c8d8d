using Lethe.Evaluation.Language;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>What a model made of everything that a run asks it: the file of the stages "before", "never-knew" and "after".</summary>
/// <param name="Trained">Questions of <see cref="KnowledgeTests.Trained"/>.</param>
/// <param name="Unseen">Questions of <see cref="KnowledgeTests.Unseen"/>.</param>
/// <param name="Retain">Questions of <see cref="KnowledgeTests.Retain"/>.</param>
/// <param name="TrainedNames">Questions of <see cref="KnowledgeTests.TrainedNames"/>.</param>
/// <param name="UnseenNames">Questions of <see cref="KnowledgeTests.UnseenNames"/>.</param>
/// <param name="Kept">Questions of <see cref="KnowledgeTests.Kept"/>.</param>
/// <param name="LogProbabilities">Log-likelihood of each text of perplexity, nats.</param>
/// <param name="Tokens">Tokens scored of each.</param>
/// <param name="Answers">What it wrote, question by question.</param>
internal sealed record LanguageReading(
    KnowledgeReading Trained, KnowledgeReading? Unseen, KnowledgeReading Retain, KnowledgeReading? TrainedNames, KnowledgeReading? UnseenNames, KnowledgeReading? Kept,
    IReadOnlyList<double> LogProbabilities, IReadOnlyList<long> Tokens, IReadOnlyList<string> Answers);
