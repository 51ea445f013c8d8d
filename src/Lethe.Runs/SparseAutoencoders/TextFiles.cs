using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Lethe.Torch;

namespace Lethe.Runs.SparseAutoencoders;

/// <summary>Reads the texts of a plan.</summary>
public static class TextFiles
{
    // A row of a data set that is longer is damage or malice; plain text may be as long as memory bears.
    private const int LongestRow = 1 << 24;
    private const int LongestText = 1 << 30;

    /// <summary>The texts of files, in order.</summary>
    /// <exception cref="BadInputException">A file is missing, damaged, or lacks a field.</exception>
    public static IEnumerable<string> Read(IEnumerable<TextFilePlan> files, string planFile) => files.SelectMany(file => Read(file, planFile));

    /// <summary>What the texts depend on: a digest of each file with what is read of it.</summary>
    public static IReadOnlyList<StageInput> Inputs(IEnumerable<TextFilePlan> files, string planFile, string name) =>
        [.. files.Index().Select(file => new StageInput($"{name} {file.Index}", CanonicalJson.Digest(new object[] { Sha256(Resolve(file.Item, planFile)), file.Item.Fields, file.Item.Join })))];

    private static string Sha256(string path)
    {
        try
        {
            return FolderTree.Sha256(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    private static string Resolve(TextFilePlan file, string planFile)
    {
        var path = PlanPaths.Resolve(file.Path, planFile);
        return File.Exists(path) ? path : throw new BadInputException($"{path}: there is no such file of text.");
    }

    private static IEnumerable<string> Read(TextFilePlan file, string planFile)
    {
        var path = Resolve(file, planFile);
        var kind = Path.GetExtension(path.EndsWith(".gz", StringComparison.Ordinal) ? path[..^3] : path);
        if (kind is not (".txt" or ".jsonl" or ".json" or ".tsv"))
            throw new BadInputException($"{path}: '{kind}' is no kind of text that is read; .txt, .jsonl, .json (a JSON object a line) and .tsv are, packed with gzip or not.");
        if (kind != ".txt" && file.Fields.Count == 0)
            throw new UsageException($"{file.Path} has rows of fields; name those that make a text under 'fields'.");
        return kind == ".txt" ? [Whole(path)] : kind == ".tsv" ? Columns(path, file) : Objects(path, file);
    }

    private static string Whole(string path)
    {
        var text = new StringBuilder();
        foreach (var line in Lines(path, LongestText))
        {
            text.Append(line).Append('\n');
            if (text.Length > LongestText)
                throw new BadInputException($"{path}: has more than {LongestText} characters; split it into several files.");
        }
        return text.ToString();
    }

    private static IEnumerable<string> Columns(string path, TextFilePlan file)
    {
        int[]? places = null;
        foreach (var (number, line) in Lines(path, LongestRow).Index())
        {
            var cells = line.Split('\t');
            if (places is null)
            {
                places = [.. file.Fields.Select(field => Array.IndexOf(cells, field))];
                if (Array.IndexOf(places, -1) is >= 0 and var missing)
                    throw new BadInputException($"{path}: has no column '{file.Fields[missing]}'; it has {string.Join(", ", cells.Take(16))}.");
            }
            else if (line.Length > 0)
                yield return string.Join(file.Join, places.Select(place => place < cells.Length ? cells[place] : throw new BadInputException($"{path}: line {number + 1} has {cells.Length} columns; the header has {places.Max() + 1} or more.")));
        }
    }

    private static IEnumerable<string> Objects(string path, TextFilePlan file)
    {
        foreach (var (number, line) in Lines(path, LongestRow).Index())
            if (line.Length > 0)
                yield return Object(path, file, number + 1, line);
    }

    private static string Object(string path, TextFilePlan file, int number, string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return string.Join(file.Join, file.Fields.Select(field => json.RootElement.TryGetProperty(field, out var value)
                ? Text(value)
                : throw new BadInputException($"{path}: line {number} has no field '{field}'.")));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new BadInputException($"{path}: line {number} is no JSON object.", e);
        }
    }

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Array => string.Join('\n', value.EnumerateArray().Select(Text)),
        _ => value.GetRawText(),
    };

    private static IEnumerable<string> Lines(string path, int longest)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        using Stream unpacked = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var reader = new StreamReader(unpacked, new UTF8Encoding(false, throwOnInvalidBytes: true));
        while (true)
        {
            string? line;
            try
            {
                line = reader.ReadLine();
            }
            catch (Exception e) when (e is InvalidDataException or DecoderFallbackException or IOException)
            {
                throw new BadInputException($"{path}: is damaged, or is no UTF-8 text: {e.Message}", e);
            }
            if (line is null)
                yield break;
            if (line.Length > longest)
                throw new BadInputException($"{path}: has a line of {line.Length} characters; at most {longest} are allowed.");
            yield return line;
        }
    }
}
