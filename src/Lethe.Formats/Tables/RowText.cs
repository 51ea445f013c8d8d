using System.IO.Compression;
using System.Text;

namespace Lethe.Formats.Tables;

/// <summary>Text files of rows, plain or compressed with gzip, read line by line so that their size does not matter.</summary>
internal static class RowText
{
    /// <summary>The longest line, characters: a compressed file of a few kilobytes can hold one of gigabytes.</summary>
    public const int LongestLine = 64 << 20;

    /// <summary>Reads a file's lines; what the compression or the encoding breaks becomes a refusal that names the file.</summary>
    public static IEnumerable<T> Read<T>(string path, Func<StreamReader, IEnumerable<T>> rows)
    {
        using var file = InputFile.Open(path);
        using var stream = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? (Stream)new GZipStream(file, CompressionMode.Decompress) : file;
        using var reader = new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: false, 1 << 16);
        using var all = rows(reader).GetEnumerator();
        while (true)
        {
            T row;
            try
            {
                if (!all.MoveNext())
                    yield break;
                row = all.Current;
            }
            catch (DecoderFallbackException e)
            {
                throw InputFile.Refuse(path, "is not UTF-8 text; save it as UTF-8.", e);
            }
            catch (InvalidDataException e)
            {
                throw InputFile.Refuse(path, $"is not whole: {e.Message}", e);
            }
            catch (IOException e)
            {
                throw InputFile.Refuse(path, $"cannot be read: {e.Message}", e);
            }
            yield return row;
        }
    }

    /// <summary>The lines of a text with their numbers, without the byte order mark.</summary>
    public static IEnumerable<(long Line, string Text)> Lines(StreamReader reader, string path)
    {
        var text = new StringBuilder();
        var buffer = new char[1 << 16];
        var line = 1L;
        var any = false;
        while (reader.Read(buffer, 0, buffer.Length) is > 0 and var count)
        {
            var rest = buffer.AsMemory(0, count);
            if (!any && rest.Span[0] == '\uFEFF')
                rest = rest[1..];
            any = true;
            while (rest.Span.IndexOf('\n') is >= 0 and var end)
            {
                text.Append(rest.Span[..end]);
                yield return (line++, Taken(text));
                rest = rest[(end + 1)..];
            }
            text.Append(rest.Span);
            if (text.Length > LongestLine)
                throw InputFile.Refuse(path, $"line {line} has more than {LongestLine} characters; is it a file of rows?");
        }
        if (text.Length > 0)
            yield return (line, Taken(text));
    }

    private static string Taken(StringBuilder text)
    {
        var length = text.Length > 0 && text[^1] == '\r' ? text.Length - 1 : text.Length;
        var line = text.ToString(0, length);
        text.Clear();
        return line;
    }
}
