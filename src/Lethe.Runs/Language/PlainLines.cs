using System.Text;

namespace Lethe.Runs.Language;

/// <summary>Writes lines that are the same on every machine: UTF-8 without a mark, ended by a line feed.</summary>
internal static class PlainLines
{
    /// <summary>Writes a file and counts its lines.</summary>
    public static int Write(string path, IEnumerable<string> lines)
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
