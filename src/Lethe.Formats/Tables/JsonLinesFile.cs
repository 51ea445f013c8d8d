using System.Text.Json;

namespace Lethe.Formats.Tables;

/// <summary>Files of one JSON object a line (.jsonl, .json as data sets use it), plain or gzip (.gz).</summary>
public static class JsonLinesFile
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    /// <summary>The rows in order; empty lines are passed over. A row that is no JSON object carries its problem, so that a check can name them all.</summary>
    /// <exception cref="Torch.BadInputException">The file cannot be read, is not UTF-8, or its compression is damaged.</exception>
    public static IEnumerable<TableRow> Read(string path) => RowText.Read(path, reader => RowText.Lines(reader, path)
        .Where(line => !string.IsNullOrWhiteSpace(line.Text))
        .Select(line => Row(path, line.Line, line.Text)));

    private static TableRow Row(string path, long line, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new TableRow(path, line, document.RootElement.Clone(), null)
                : new TableRow(path, line, default, "the line is not a JSON object; write one object {\"key\": value, …} a line.");
        }
        catch (JsonException e)
        {
            return new TableRow(path, line, default, $"the line is not JSON: {Reason(e)}.");
        }
        catch (InvalidOperationException)
        {
            // A string that holds half of a surrogate pair is JSON, but no text.
            return new TableRow(path, line, default, "the line is not JSON: a text in it holds half of a character (a lone surrogate).");
        }
    }

    // "'x' is an invalid start … LineNumber: 0 | BytePositionInLine: 4." says the line a second time, and wrongly.
    private static string Reason(JsonException e)
    {
        var message = e.Message;
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var reason = (end < 0 ? message : message[..end]).TrimEnd('.', ' ');
        return e.BytePositionInLine is { } at ? $"{reason} (byte {at + 1})" : reason;
    }
}
