using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lethe.Formats.Tables;

/// <summary>Tab-separated files with a header line (.tsv), plain or gzip (.gz). There are no quotes: a field holds neither tab nor line break. Every field is text.</summary>
public static class TabFile
{
    /// <summary>The rows in order, each an object of the header's names; empty lines are passed over; a row with another number of fields carries its problem.</summary>
    /// <exception cref="Torch.BadInputException">The file cannot be read, is not UTF-8, or has no header.</exception>
    public static IEnumerable<TableRow> Read(string path) => RowText.Read(path, reader => Rows(path, reader));

    private static IEnumerable<TableRow> Rows(string path, StreamReader reader)
    {
        string[]? header = null;
        foreach (var (line, text) in RowText.Lines(reader, path))
        {
            if (text.Length == 0)
                continue;
            var fields = text.Split('\t');
            if (header is null)
            {
                header = fields;
                if (header.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice)
                    throw InputFile.Refuse(path, $"line {line}: the header has '{twice.Key}' more than once; give each column a name of its own.");
            }
            else if (fields.Length != header.Length)
            {
                yield return new TableRow(path, line, default, $"the row has {fields.Length} fields, and the header {header.Length}.");
            }
            else
            {
                yield return new TableRow(path, line, JsonSerializer.SerializeToElement(new JsonObject(header.Zip(fields, (name, value) => KeyValuePair.Create(name, (JsonNode?)value)))), null);
            }
        }
        if (header is null)
            throw InputFile.Refuse(path, "is empty; its first line must name the columns.");
    }
}
