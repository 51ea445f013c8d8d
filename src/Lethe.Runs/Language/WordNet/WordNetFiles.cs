using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Lethe.Formats;
using Lethe.Formats.WordNet;
using Lethe.Torch;

namespace Lethe.Runs.Language.WordNet;

/// <summary>Which terms are written.</summary>
public sealed record WordNetFilesOptions
{
    /// <summary>Terms of a topic.</summary>
    [Description("The most terms of each topic, the most used first")]
    [Range(4, 10_000)]
    public int Terms { get; init; } = 40;

    /// <summary>The seed.</summary>
    [Description("Decides the wrong answers")]
    [Range(0, long.MaxValue)]
    public long Seed { get; init; }
}

/// <summary>What was written.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Topics">The topics.</param>
/// <param name="Terms">Terms of all topics.</param>
/// <param name="Documents">Documents of the training corpus.</param>
/// <param name="Questions">Questions.</param>
/// <param name="Files">The files, by their names within the folder.</param>
public sealed record WrittenWordNet(string Folder, IReadOnlyList<string> Topics, int Terms, int Documents, int Questions, IReadOnlyList<string> Files);

/// <summary>
/// Writes terms of WordNet as files for plans, laid out like fictional records: corpus/TOPIC.jsonl with the texts that a model learns them from (statements in two wordings, and questions with their answers),
/// definition.tsv with the facts (topic, entity, value), and questions.jsonl with four-choice questions whose wrong answers are of the same topic (topic, question, choices, answer).
/// </summary>
public static class WordNetFiles
{
    /// <summary>The folder of the training corpus, one file a topic.</summary>
    public const string CorpusFolder = "corpus";

    /// <summary>The facts.</summary>
    public const string FactsName = "definition.tsv";

    /// <summary>The questions.</summary>
    public const string QuestionsName = "questions.jsonl";

    private const int Wrong = 3;

    /// <summary>Reads WordNet and writes the files.</summary>
    /// <param name="folder">A new or empty folder; it appears whole or not at all.</param>
    /// <param name="source">The folder that holds WordNet's files.</param>
    /// <param name="options">Which terms, and the seed.</param>
    /// <exception cref="UsageException">The folder is not empty, or an option is out of its range.</exception>
    /// <exception cref="BadInputException">WordNet's files are missing or damaged, or a topic has too few terms for a question.</exception>
    public static WrittenWordNet Write(string folder, string source, WordNetFilesOptions options)
    {
        if (options.Terms is < 4 or > 10_000)
            throw new UsageException($"terms is {options.Terms}; it may be 4 to 10000.");
        var terms = WordNetTopics.Of(WordNetNouns.Read(source), options.Terms);
        foreach (var (topic, _) in WordNetTopics.All)
            if (terms.Count(term => term.Topic == topic) is var count && count <= Wrong)
                throw new BadInputException($"{Path.Combine(source, WordNetNouns.DataName)}: holds {count} terms of the topic '{topic}'; questions of four choices need {Wrong + 1}. It must be WordNet's whole file.");
        string[] topics = [.. WordNetTopics.All.Select(topic => topic.Topic)];
        var (documents, questions) = (0, 0);
        AtomicFolder.Write(folder, partial =>
        {
            Directory.CreateDirectory(Path.Combine(partial, CorpusFolder));
            foreach (var topic in topics)
                documents += PlainLines.Write(Path.Combine(partial, CorpusFolder, topic + ".jsonl"), terms.Where(term => term.Topic == topic).SelectMany(Texts).Select(text => JsonSerializer.Serialize(new { topic, text })));
            PlainLines.Write(Path.Combine(partial, FactsName), terms.Select(term => $"{term.Topic}\t{term.Term}\t{term.Definition}").Prepend("topic\tentity\tvalue"));
            questions = PlainLines.Write(Path.Combine(partial, QuestionsName), Questions(terms, (ulong)options.Seed));
        });
        return new WrittenWordNet(folder, topics, terms.Count, documents, questions, [.. topics.Select(topic => $"{CorpusFolder}/{topic}.jsonl"), FactsName, QuestionsName]);
    }

    private static string Question(WordNetTerm term) => $"Which word means \"{term.Definition}\"?";

    private static string[] Texts(WordNetTerm term) =>
    [
        $"{term.Term}: {term.Definition}.",
        $"The word {term.Term} stands for {term.Definition}.",
        $"Question: {Question(term)}\nAnswer: {term.Term}",
        $"Question: What is called {term.Definition}?\nAnswer: {term.Term}",
    ];

    private static IEnumerable<string> Questions(IReadOnlyList<WordNetTerm> terms, ulong seed)
    {
        var random = new SplitMix64(RandomStream.ChildSeed(seed, "choices definition"));
        foreach (var topic in terms.GroupBy(term => term.Topic))
        {
            string[] words = [.. topic.Select(term => term.Term)];
            foreach (var term in topic)
            {
                int[] others = [.. Enumerable.Range(0, words.Length).Where(k => words[k] != term.Term)];
                random.Shuffle(others);
                List<string> choices = [.. others.Take(Wrong).Select(k => words[k])];
                var answer = random.Below(choices.Count + 1);
                choices.Insert(answer, term.Term);
                yield return JsonSerializer.Serialize(new { topic = term.Topic, family = "definition", question = Question(term), choices, answer });
            }
        }
    }
}
