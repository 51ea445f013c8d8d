using System.Text;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>Reads text files that others wrote.</summary>
public static class TextFile
{
    /// <summary>The whole file as UTF-8, without a byte order mark.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">Longer files are refused.</param>
    /// <exception cref="BadInputException">It is missing, too long or no valid UTF-8.</exception>
    public static string Read(string path, long maxBytes = 16 << 20)
    {
        var bytes = InputFile.ReadAll(path, maxBytes);
        try
        {
            var text = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(bytes);
            return text.StartsWith('\uFEFF') ? text[1..] : text;
        }
        catch (ArgumentException e)
        {
            throw InputFile.Refuse(path, "is no valid UTF-8 text.", e);
        }
    }
}
