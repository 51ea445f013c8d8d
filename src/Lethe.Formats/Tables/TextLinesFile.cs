using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lethe.Formats.Tables;

/// <summary>Text files, plain or gzip (.gz), one document a line: rows {"text": …}. Lines of nothing but white space are passed over.</summary>
public static class TextLinesFile
{
    /// <summary>The rows in order.</summary>
    /// <exception cref="Torch.BadInputException">The file cannot be read, is not UTF-8, or its compression is damaged.</exception>
    public static IEnumerable<TableRow> Read(string path) => RowText.Read(path, reader => RowText.Lines(reader, path)
        .Where(line => !string.IsNullOrWhiteSpace(line.Text))
        .Select(line => new TableRow(path, line.Line, JsonSerializer.SerializeToElement(new JsonObject { ["text"] = line.Text }), null)));
}
