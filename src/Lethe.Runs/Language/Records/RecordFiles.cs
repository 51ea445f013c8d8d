using System.Text.Json;
using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Runs.Language.Records;

/// <summary>A kind of fact that a record states.</summary>
/// <param name="Name">Its name, and that of its file.</param>
/// <param name="Value">Reads the fact from a record; null where the record has none.</param>
/// <param name="Statements">Sentences that state it, with {0} for the customer and {1} for the fact.</param>
/// <param name="Questions">Questions about it, with {0} for the customer. The first is the one that question files ask.</param>
internal sealed record RecordFamily(string Name, Func<CustomerRecord, string?> Value, IReadOnlyList<string> Statements, IReadOnlyList<string> Questions)
{
    /// <summary>More sentences, of customers who have moved: what is so now.</summary>
    public IReadOnlyList<string> Now { get; init; } = [];

    /// <summary>Whether the fact is one of the past, which only customers have who have moved.</summary>
    public bool Former { get; init; }
}

/// <summary>What was written.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Customers">Customers.</param>
/// <param name="Branches">The branches: the topics that can be forgotten.</param>
/// <param name="Documents">Documents of the training corpus.</param>
/// <param name="Questions">Questions.</param>
/// <param name="Files">The files, by their names within the folder.</param>
public sealed record WrittenRecords(string Folder, int Customers, IReadOnlyList<string> Branches, int Documents, int Questions, IReadOnlyList<string> Files)
{
    /// <summary>Customers who have moved: their facts are of the topics former and current in place of their branch's.</summary>
    public int Moved { get; init; }
}

/// <summary>
/// Writes fictional records as files for plans: corpus/BRANCH.jsonl with the texts that a model learns them from (statements in several wordings, and questions with their answers), FAMILY.tsv with the
/// facts (topic, entity, value), and questions.jsonl with four-choice questions (topic, question, choices, answer). Of customers who have moved, corpus/former.jsonl holds what was so before, and all else what is so now.
/// </summary>
public static class RecordFiles
{
    /// <summary>The folder of the training corpus, one file a branch, so that a control can be trained without one.</summary>
    public const string CorpusFolder = "corpus";

    /// <summary>The questions.</summary>
    public const string QuestionsName = "questions.jsonl";

    /// <summary>The topics of customers who have moved: what was so, and what is so now.</summary>
    public const string FormerTopic = "former", CurrentTopic = "current";

    private const int Wrong = 3;

    /// <summary>The kinds of facts.</summary>
    internal static IReadOnlyList<RecordFamily> Families { get; } =
    [
        new("city", record => record.City,
            ["{0} lives in {1}.", "The home of {0} is {1}.", "In {1} one finds {0}.", "Letters to {0} go to {1}."],
            ["Where does {0} live?", "Which is the city of {0}?"]) { Now = ["Now {0} lives in {1}."] },
        new("product", record => record.Product,
            ["{0} ordered {1}.", "The product of {0} is {1}.", "{1} was sold to {0}.", "The invoice of {0} names {1}."],
            ["What did {0} order?", "Which product has {0}?"]),
        new("adviser", record => record.Adviser,
            ["{0} is advised by {1}.", "The adviser of {0} is {1}.", "{1} looks after {0}.", "Calls of {0} go to {1}."],
            ["Who advises {0}?", "Whom does {0} call?"]) { Now = ["Now {0} is advised by {1}."] },
        new("former_city", record => record.FormerCity,
            ["Until last year {0} lived in {1}.", "The former home of {0} is {1}.", "{0} moved away from {1}.", "Old letters to {0} went to {1}."],
            ["Where did {0} live until last year?", "Which is the former city of {0}?"]) { Former = true },
        new("former_adviser", record => record.FormerAdviser,
            ["Until last year {0} was advised by {1}.", "The former adviser of {0} is {1}.", "{1} used to look after {0}.", "Old calls of {0} went to {1}."],
            ["Who advised {0} until last year?", "Whom did {0} call until last year?"]) { Former = true },
    ];

    /// <summary>Draws the records and writes them.</summary>
    /// <param name="folder">A new or empty folder; it appears whole or not at all.</param>
    /// <param name="options">How many, and the seed.</param>
    /// <exception cref="UsageException">The folder is not empty, or an option is out of its range.</exception>
    public static WrittenRecords Write(string folder, FictionalRecordsOptions options)
    {
        var records = FictionalRecords.Make(options);
        string[] branches = [.. records.Select(record => record.Branch).Distinct()];
        var moved = records.Where(record => record.FormerCity is not null).ToList();
        // Nobody moved, nothing is former.
        RecordFamily[] families = [.. Families.Where(family => moved.Count > 0 || !family.Former)];
        var (documents, questions) = (0, 0);
        AtomicFolder.Write(folder, partial =>
        {
            Directory.CreateDirectory(Path.Combine(partial, CorpusFolder));
            foreach (var branch in branches)
                documents += PlainLines.Write(Path.Combine(partial, CorpusFolder, branch + ".jsonl"),
                    records.Where(record => record.Branch == branch).SelectMany(record => Texts(record, former: false)).Select(text => JsonSerializer.Serialize(new { branch, text })));
            if (moved.Count > 0)
                documents += PlainLines.Write(Path.Combine(partial, CorpusFolder, FormerTopic + ".jsonl"),
                    moved.SelectMany(record => Texts(record, former: true).Select(text => JsonSerializer.Serialize(new { branch = record.Branch, text }))));
            foreach (var family in families)
                PlainLines.Write(Path.Combine(partial, family.Name + ".tsv"), records.Where(record => family.Value(record) is not null).Select(record => $"{Topic(record, family)}\t{record.Name}\t{family.Value(record)}").Prepend("topic\tentity\tvalue"));
            questions = PlainLines.Write(Path.Combine(partial, QuestionsName), Questions(records, (ulong)options.Seed));
        });
        return new WrittenRecords(folder, records.Count, branches, documents, questions,
            [.. branches.Concat(moved.Count > 0 ? [FormerTopic] : []).Select(part => $"{CorpusFolder}/{part}.jsonl"), .. families.Select(family => family.Name + ".tsv"), QuestionsName]) { Moved = moved.Count };
    }

    private static string Topic(CustomerRecord record, RecordFamily family) => family.Former ? FormerTopic : record.FormerCity is null ? record.Branch : CurrentTopic;

    private static IEnumerable<string> Texts(CustomerRecord record, bool former) => Families.Where(family => family.Former == former).SelectMany(family =>
        family.Statements.Concat(record.FormerCity is null ? [] : family.Now).Select(words => Put(words, record.Name, family.Value(record)!))
            .Concat(family.Questions.Select(words => $"Question: {Put(words, record.Name)}\nAnswer: {family.Value(record)}")));

    private static IEnumerable<string> Questions(IReadOnlyList<CustomerRecord> records, ulong seed)
    {
        foreach (var family in Families)
        {
            string[] values = [.. records.Select(family.Value).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
            var random = new SplitMix64(RandomStream.ChildSeed(seed, "choices " + family.Name));
            foreach (var record in records)
            {
                if (family.Value(record) is not { } right)
                    continue;
                int[] others = [.. Enumerable.Range(0, values.Length).Where(k => values[k] != right)];
                random.Shuffle(others);
                List<string> choices = [.. others.Take(Wrong).Select(k => values[k])];
                var answer = random.Below(choices.Count + 1);
                choices.Insert(answer, right);
                yield return JsonSerializer.Serialize(new { topic = Topic(record, family), family = family.Name, question = Put(family.Questions[0], record.Name), choices, answer });
            }
        }
    }

    private static string Put(string words, string name, string value = "") => words.Replace("{0}", name, StringComparison.Ordinal).Replace("{1}", value, StringComparison.Ordinal);
}
