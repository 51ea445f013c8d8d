using System.Text;

namespace Lethe.Formats.Tables;

/// <summary>How a text file is divided into documents.</summary>
public enum TextDocuments
{
    /// <summary>The file is one document.</summary>
    File,
    /// <summary>Documents are separated by empty lines.</summary>
    Paragraph,
    /// <summary>Each line is a document.</summary>
    Line,
}

/// <summary>A document of a text file.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">The line at which it begins, from 1.</param>
/// <param name="Text">Its text, line ends as "\n", without empty lines around it.</param>
public readonly record struct TextDocument(string File, long Line, string Text);

/// <summary>Text files, plain or gzip (.gz), as documents, read as they are asked for. Documents of nothing but white space are passed over.</summary>
public static class TextDocumentsFile
{
    /// <summary>The longest document, characters.</summary>
    public const int LongestDocument = 256 << 20;

    /// <summary>The documents in order.</summary>
    /// <param name="path">The file.</param>
    /// <param name="divided">How it is divided.</param>
    /// <param name="separator">A line that separates documents, in place of <paramref name="divided"/>; null for none.</param>
    /// <exception cref="Torch.BadInputException">The file cannot be read, is not UTF-8, its compression is damaged, or a document is too long.</exception>
    public static IEnumerable<TextDocument> Read(string path, TextDocuments divided, string? separator = null) => RowText.Read(path, reader => Documents(path, reader, divided, separator));

    private static IEnumerable<TextDocument> Documents(string path, StreamReader reader, TextDocuments divided, string? separator)
    {
        var text = new StringBuilder();
        var begin = 0L;
        foreach (var (number, line) in RowText.Lines(reader, path))
        {
            var ends = separator is not null ? line == separator : divided == TextDocuments.Paragraph && string.IsNullOrWhiteSpace(line);
            if (!ends && (text.Length > 0 || !string.IsNullOrWhiteSpace(line)))
            {
                begin = text.Length == 0 ? number : begin;
                text.Append(line).Append('\n');
                if (text.Length > LongestDocument)
                    throw InputFile.Refuse(path, $"the document at line {begin} has more than {LongestDocument} characters; divide it.");
            }
            if ((ends || (separator is null && divided == TextDocuments.Line)) && text.Length > 0)
                yield return Taken(path, begin, text);
        }
        if (text.Length > 0)
            yield return Taken(path, begin, text);
    }

    private static TextDocument Taken(string path, long begin, StringBuilder text)
    {
        var length = text.Length;
        while (length > 0 && text[length - 1] == '\n')
            length--;
        var taken = new TextDocument(path, begin, text.ToString(0, length));
        text.Clear();
        return taken;
    }
}
