using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lethe.Formats.Tables;

/// <summary>Comma-separated files with a header line (RFC 4180: quotes, doubled quotes, line breaks inside quotes), plain or gzip (.gz). Every field is text.</summary>
public static class CsvFile
{
    /// <summary>The rows in order, each an object of the header's names; a row with another number of fields carries its problem.</summary>
    /// <exception cref="Torch.BadInputException">The file cannot be read, is not UTF-8, has no header, or ends inside quotes.</exception>
    public static IEnumerable<TableRow> Read(string path) => RowText.Read(path, reader => Rows(path, reader));

    private static IEnumerable<TableRow> Rows(string path, StreamReader reader)
    {
        List<string>? header = null;
        foreach (var (line, fields) in Records(path, reader))
        {
            if (header is null)
            {
                header = fields;
                if (header.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice)
                    throw InputFile.Refuse(path, $"line {line}: the header has '{twice.Key}' more than once; give each column a name of its own.");
            }
            else if (fields.Count != header.Count)
            {
                yield return new TableRow(path, line, default, $"the row has {fields.Count} fields, and the header {header.Count}.");
            }
            else
            {
                var row = new JsonObject();
                foreach (var (name, value) in header.Zip(fields))
                    row.Add(name, value);
                yield return new TableRow(path, line, JsonSerializer.SerializeToElement(row), null);
            }
        }
        if (header is null)
            throw InputFile.Refuse(path, "is empty; its first line must name the columns.");
    }

    private static IEnumerable<(long Line, List<string> Fields)> Records(string path, StreamReader reader)
    {
        var field = new StringBuilder();
        var fields = new List<string>();
        var quoted = false;
        var begin = 1L;
        foreach (var (line, text) in RowText.Lines(reader, path))
        {
            if (!quoted)
            {
                if (text.Length == 0)
                    continue;
                begin = line;
            }
            for (var i = 0; i < text.Length; i++)
            {
                var letter = text[i];
                if (quoted && letter == '"' && i + 1 < text.Length && text[i + 1] == '"')
                {
                    field.Append('"');
                    i++;
                }
                else if (letter == '"' && (quoted || field.Length == 0))
                {
                    quoted = !quoted;
                }
                else if (letter == ',' && !quoted)
                {
                    fields.Add(field.ToString());
                    field.Clear();
                }
                else
                {
                    field.Append(letter);
                }
            }
            if (quoted)
            {
                field.Append('\n');
                if (field.Length > RowText.LongestLine)
                    throw InputFile.Refuse(path, $"line {begin}: a quoted field has more than {RowText.LongestLine} characters.");
                continue;
            }
            fields.Add(field.ToString());
            field.Clear();
            yield return (begin, fields);
            fields = [];
        }
        if (quoted)
            throw InputFile.Refuse(path, $"line {begin}: a quoted field never ends; close it with \".");
    }
}
