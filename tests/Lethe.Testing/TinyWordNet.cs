using System.Globalization;

namespace Lethe.Testing;

/// <summary>A folder of WordNet in WordNet's own layout, with some made-up words of each of its topics.</summary>
public static class TinyWordNet
{
    /// <summary>A word with a meaning of its own.</summary>
    /// <param name="file">Number of the lexicographers' file.</param>
    /// <param name="gloss">What it means.</param>
    /// <param name="words">The words, with underscores for spaces.</param>
    public static string Line(int file, string gloss, params string[] words) => string.Create(CultureInfo.InvariantCulture,
        $"00001740 {file:00} n {words.Length:x2} {string.Join(' ', words.Select(word => $"{word} 0"))} 001 @ 00001740 n 0000 | {gloss}  ");

    /// <summary>Writes data.noun and cntlist.rev.</summary>
    /// <param name="folder">A folder that exists.</param>
    /// <param name="lines">Lines of data.noun behind the licence.</param>
    /// <param name="counts">Lines of cntlist.rev.</param>
    public static void Write(string folder, IEnumerable<string> lines, params IEnumerable<string> counts)
    {
        File.WriteAllText(Path.Combine(folder, "data.noun"), string.Concat(lines.Prepend("  1 This is a licence.  ").Select(line => line + "\n")));
        File.WriteAllText(Path.Combine(folder, "cntlist.rev"), string.Concat(counts.Select(line => line + "\n")));
    }

    /// <summary>Six words of each topic, none of them counted.</summary>
    public static IEnumerable<string> Lines() => from topic in ((int[])[5, 8, 12, 13, 15, 20, 27, 28]).Index()
                                                 let kind = (char)('p' + topic.Index)
                                                 from letter in "abcdef"
                                                 select Line(topic.Item, $"the {letter} of {kind}; \"an example\"", $"word{kind}{letter}");
}
