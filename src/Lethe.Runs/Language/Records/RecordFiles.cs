using System.Text;
using System.Text.Json;
using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Runs.Language.Records;

/// <summary>A kind of fact that a record states.</summary>
/// <param name="Name">Its name, and that of its file.</param>
/// <param name="Value">Reads the fact from a record.</param>
/// <param name="Statements">Sentences that state it, with {0} for the customer and {1} for the fact.</param>
/// <param name="Questions">Questions about it, with {0} for the customer. The first is the one that question files ask.</param>
internal sealed record RecordFamily(string Name, Func<CustomerRecord, string> Value, IReadOnlyList<string> Statements, IReadOnlyList<string> Questions);

/// <summary>What was written.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Customers">Customers.</param>
/// <param name="Branches">The branches: the topics that can be forgotten.</param>
/// <param name="Documents">Documents of the training corpus.</param>
/// <param name="Questions">Questions.</param>
/// <param name="Files">The files, by their names within the folder.</param>
public sealed record WrittenRecords(string Folder, int Customers, IReadOnlyList<string> Branches, int Documents, int Questions, IReadOnlyList<string> Files);

/// <summary>
/// Writes fictional records as files for plans: corpus/BRANCH.jsonl with the texts that a model learns them from (statements in several wordings, and questions with their answers), FAMILY.tsv with the
/// facts (topic, entity, value), and questions.jsonl with four-choice questions (topic, question, choices, answer).
/// </summary>
public static class RecordFiles
{
    /// <summary>The folder of the training corpus, one file a branch, so that a control can be trained without one.</summary>
    public const string CorpusFolder = "corpus";

    /// <summary>The questions.</summary>
    public const string QuestionsName = "questions.jsonl";

    private const int Wrong = 3;

    /// <summary>The kinds of facts.</summary>
    internal static IReadOnlyList<RecordFamily> Families { get; } =
    [
        new("city", record => record.City,
            ["{0} lives in {1}.", "The home of {0} is {1}.", "In {1} one finds {0}.", "Letters to {0} go to {1}."],
            ["Where does {0} live?", "Which is the city of {0}?"]),
        new("product", record => record.Product,
            ["{0} ordered {1}.", "The product of {0} is {1}.", "{1} was sold to {0}.", "The invoice of {0} names {1}."],
            ["What did {0} order?", "Which product has {0}?"]),
        new("adviser", record => record.Adviser,
            ["{0} is advised by {1}.", "The adviser of {0} is {1}.", "{1} looks after {0}.", "Calls of {0} go to {1}."],
            ["Who advises {0}?", "Whom does {0} call?"]),
    ];

    /// <summary>Draws the records and writes them.</summary>
    /// <param name="folder">A new or empty folder; it appears whole or not at all.</param>
    /// <param name="options">How many, and the seed.</param>
    /// <exception cref="UsageException">The folder is not empty, or an option is out of its range.</exception>
    public static WrittenRecords Write(string folder, FictionalRecordsOptions options)
    {
        var records = FictionalRecords.Make(options);
        string[] branches = [.. records.Select(record => record.Branch).Distinct()];
        var (documents, questions) = (0, 0);
        AtomicFolder.Write(folder, partial =>
        {
            Directory.CreateDirectory(Path.Combine(partial, CorpusFolder));
            foreach (var branch in branches)
                documents += Lines(Path.Combine(partial, CorpusFolder, branch + ".jsonl"),
                    records.Where(record => record.Branch == branch).SelectMany(Texts).Select(text => JsonSerializer.Serialize(new { branch, text })));
            foreach (var family in Families)
                Lines(Path.Combine(partial, family.Name + ".tsv"), records.Select(record => $"{record.Branch}\t{record.Name}\t{family.Value(record)}").Prepend("topic\tentity\tvalue"));
            questions = Lines(Path.Combine(partial, QuestionsName), Questions(records, (ulong)options.Seed));
        });
        return new WrittenRecords(folder, records.Count, branches, documents, questions,
            [.. branches.Select(branch => $"{CorpusFolder}/{branch}.jsonl"), .. Families.Select(family => family.Name + ".tsv"), QuestionsName]);
    }

    private static IEnumerable<string> Texts(CustomerRecord record) => Families.SelectMany(family =>
        family.Statements.Select(words => Put(words, record.Name, family.Value(record)))
            .Concat(family.Questions.Select(words => $"Question: {Put(words, record.Name)}\nAnswer: {family.Value(record)}")));

    private static IEnumerable<string> Questions(IReadOnlyList<CustomerRecord> records, ulong seed)
    {
        foreach (var family in Families)
        {
            string[] values = [.. records.Select(family.Value).Distinct().Order(StringComparer.Ordinal)];
            var random = new SplitMix64(RandomStream.ChildSeed(seed, "choices " + family.Name));
            foreach (var record in records)
            {
                var right = family.Value(record);
                int[] others = [.. Enumerable.Range(0, values.Length).Where(k => values[k] != right)];
                random.Shuffle(others);
                List<string> choices = [.. others.Take(Wrong).Select(k => values[k])];
                var answer = random.Below(choices.Count + 1);
                choices.Insert(answer, right);
                yield return JsonSerializer.Serialize(new { topic = record.Branch, family = family.Name, question = Put(family.Questions[0], record.Name), choices, answer });
            }
        }
    }

    private static string Put(string words, string name, string value = "") => words.Replace("{0}", name, StringComparison.Ordinal).Replace("{1}", value, StringComparison.Ordinal);

    private static int Lines(string path, IEnumerable<string> lines)
    {
        var count = 0;
        using var writer = new StreamWriter(path, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
        foreach (var line in lines)
        {
            writer.WriteLine(line);
            count++;
        }
        return count;
    }
}
