using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lethe.Formats.Tables;
using Lethe.Runs.Language.Tasks;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Language.Corpora;

/// <summary>A document of a corpus.</summary>
/// <param name="File">The file that it stands in.</param>
/// <param name="Line">The line at which it begins, from 1.</param>
/// <param name="Text">Its text; not empty.</param>
/// <param name="Weight">How often it is to be seen.</param>
public sealed record CorpusDocument(string File, long Line, string Text, double Weight)
{
    // The content decides, so that a document falls on the same side in every corpus that it stands in.
    private readonly byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(Text));

    /// <summary>UTF-8 bytes of its text.</summary>
    public long Bytes => Encoding.UTF8.GetByteCount(Text);

    /// <summary>Whether it is among a share of all documents that its content chooses.</summary>
    /// <param name="share">The share, 0 to 1.</param>
    public bool IsHeldOut(double share) => Place(0) < share;

    /// <summary>How often it stands in a training corpus: the weight, whose part after the point its content rounds up or down.</summary>
    public int Times => (int)Math.Floor(Weight) + (Place(8) < Weight - Math.Floor(Weight) ? 1 : 0);

    private double Place(int at) => (BinaryPrimitives.ReadUInt64LittleEndian(hash.AsSpan(at)) >> 11) * (1.0 / (1L << 53));
}

/// <summary>Several corpora of a plan as one stream of documents: found at once, read when they are asked for, as often as that is.</summary>
public sealed class CorpusReader
{
    private readonly (CorpusPlan Plan, IReadOnlyList<string> Files, Template? Template)[] sources;

    /// <summary>Finds the files.</summary>
    /// <param name="corpora">What the plan names.</param>
    /// <param name="planFile">The plan's file, which paths are relative to.</param>
    /// <param name="key">The plan's key, for errors.</param>
    /// <exception cref="BadInputException">There is no such file, or the folder holds none of the kind.</exception>
    /// <exception cref="UsageException">A template is none.</exception>
    public CorpusReader(IReadOnlyList<CorpusPlan> corpora, string planFile, string key = "corpora")
    {
        sources = [.. corpora.Select((plan, index) => (plan, FilesOf(plan, planFile),
            plan is RowsCorpusPlan { Template: { } template } ? Template.Parse(template, new PlanPlace($"{planFile}, {key}.{index}.template", 0, 0)) : null))];
        Files = [.. sources.SelectMany(source => source.Files)];
    }

    /// <summary>The files in the order in which they are read.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>SHA-256 over the files' content and how it is read, for stages: wherever the files lie, the same text has the same digest.</summary>
    public string Digest => field ??= CanonicalJson.Digest(sources.Select(source => new
    {
        files = source.Files.Select(FolderTree.Sha256).ToArray(),
        formats = source.Files.Select(Format).ToArray(),
        source.Plan.Weight,
        source.Plan.Limit,
        documents = (source.Plan as TextCorpusPlan)?.Documents,
        separator = (source.Plan as TextCorpusPlan)?.Separator,
        field = (source.Plan as RowsCorpusPlan)?.Field,
        template = (source.Plan as RowsCorpusPlan)?.Template,
    }).ToArray());

    /// <summary>The documents in order.</summary>
    /// <exception cref="BadInputException">A file cannot be read, or a row cannot be made a document; the message names file and line.</exception>
    public IEnumerable<CorpusDocument> Read()
    {
        foreach (var (plan, files, template) in sources)
        {
            var documents = plan is TextCorpusPlan text
                ? files.SelectMany(file => TextDocumentsFile.Read(file, text.Documents, text.Separator)).Select(document => new CorpusDocument(document.File, document.Line, document.Text, plan.Weight))
                : files.SelectMany(Rows).Select(row => Document(row, (RowsCorpusPlan)plan, template));
            foreach (var document in documents.Take(plan.Limit ?? int.MaxValue))
                yield return document;
        }
    }

    private static IReadOnlyList<string> FilesOf(CorpusPlan plan, string planFile)
    {
        var path = PlanPaths.Resolve(plan.Path, planFile);
        if (File.Exists(path))
            return [path];
        if (!Directory.Exists(path))
            throw new BadInputException($"{path}: there is no such file or folder; a corpus of the plan {planFile} names it.");
        string[] kinds = plan is TextCorpusPlan ? [".txt"] : [".jsonl", ".csv", ".tsv"];
        string[] found = [.. FolderTree.Files(path).Where(file => kinds.Contains(Format(file))).Select(file => Path.Combine(path, file))];
        return found.Length > 0 ? found : throw new BadInputException($"{path}: the folder holds no {string.Join(" or ", kinds.Select(kind => $"*{kind}"))} file, compressed (.gz) or not.");
    }

    // The ending before .gz.
    private static string Format(string file) =>
        Path.GetExtension(file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? file[..^3] : file).ToLowerInvariant();

    private static IEnumerable<TableRow> Rows(string file) => Format(file) switch
    {
        ".csv" => CsvFile.Read(file),
        ".tsv" => TabFile.Read(file),
        _ => JsonLinesFile.Read(file),
    };

    private static CorpusDocument Document(TableRow row, RowsCorpusPlan plan, Template? template)
    {
        BadInputException Refuse(string why) => new($"{row.File}, line {row.Line}: {why}");
        if (row.Problem is { } problem)
            throw Refuse(problem);
        string text;
        if (template is not null)
        {
            try
            {
                text = template.Render(row.Value);
            }
            catch (RowProblemException e)
            {
                throw Refuse(e.Message);
            }
        }
        else if (!row.Value.TryGetProperty(plan.Field!, out var value))
        {
            string[] known = [.. row.Value.EnumerateObject().Select(member => member.Name)];
            throw Refuse($"the key '{plan.Field}' is missing{NearestWord.Hint(plan.Field!, known)} (the row has: {string.Join(", ", known)}).");
        }
        else if (value.ValueKind != JsonValueKind.String)
        {
            throw Refuse($"'{plan.Field}' is {JsonWords.Of(value)}, where text is needed.");
        }
        else
        {
            text = value.GetString()!;
        }
        return string.IsNullOrWhiteSpace(text) ? throw Refuse("the document is empty; take the row out, or name another field.") : new CorpusDocument(row.File, row.Line, text, plan.Weight);
    }
}
