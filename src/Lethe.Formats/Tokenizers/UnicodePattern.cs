using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Lethe.Torch;

namespace Lethe.Formats.Tokenizers;

/// <summary>
/// A pattern that sees characters, not halves of surrogate pairs: 𝒳 is a letter for \p{L}, 👩 is one symbol. .NET's engine sees UTF-16, so in a text
/// with astral characters each of them is shown to it as one stand-in: a character of the same general category that the pattern does not name. As the
/// pattern names no astral character (<see cref="PatternTranslation"/> refuses that), it cannot tell the two apart, and neither stands in the text's other places differently.
/// </summary>
internal sealed class UnicodePattern
{
    /// <summary>A pattern from a file may take exponential time; no honest one takes a second for one match.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Compiling a pattern to machine code takes tens of milliseconds, which pays from this many characters on.</summary>
    private const int CompileAfter = 100_000;

    private readonly JsonField field;
    private readonly string text;
    private readonly List<(char From, char To)> named;
    private readonly char[] standIns = new char[30];
    private Regex regex;
    private long seen;

    public UnicodePattern(JsonField field, string pattern)
    {
        this.field = field;
        var translation = PatternTranslation.Read(field, pattern);
        (text, named) = (translation.Text, translation.Named);
        regex = Make(RegexOptions.None);
    }

    private Regex Make(RegexOptions more)
    {
        try
        {
            return new Regex(text, RegexOptions.CultureInvariant | more, Patience);
        }
        catch (ArgumentException e)
        {
            throw field.Refuse($"is a pattern that cannot be read: {e.Message}");
        }
    }

    /// <summary>Appends the matches, leftmost first, as begin and end in UTF-16 units.</summary>
    public void Find(ReadOnlySpan<char> piece, List<(int Begin, int End)> matches)
    {
        if (seen <= CompileAfter && (seen += piece.Length) > CompileAfter)
            regex = Make(RegexOptions.Compiled);
        try
        {
            if (piece.IndexOfAnyInRange('\uD800', '\uDFFF') < 0)
            {
                foreach (var match in regex.EnumerateMatches(piece))
                    matches.Add((match.Index, match.Index + match.Length));
                return;
            }
            var shown = new char[piece.Length];
            var places = new int[piece.Length + 1];
            var count = 0;
            for (var at = 0; at < piece.Length;)
            {
                Rune.DecodeFromUtf16(piece[at..], out var rune, out var length);
                places[count] = at;
                shown[count++] = rune.IsBmp ? (char)rune.Value : StandIn(rune);
                at += length;
            }
            places[count] = piece.Length;
            foreach (var match in regex.EnumerateMatches(shown.AsSpan(0, count)))
                matches.Add((places[match.Index], places[match.Index + match.Length]));
        }
        catch (RegexMatchTimeoutException e)
        {
            throw InputFile.Refuse(field.File, $"{field.Path} is a pattern that takes more than {Patience.TotalSeconds} s for one match; it is not fit for a tokenizer.", e);
        }
    }

    /// <summary>The text with every match replaced.</summary>
    public string Replace(string piece, string content)
    {
        var matches = new List<(int Begin, int End)>();
        Find(piece, matches);
        if (matches.Count == 0)
            return piece;
        var replaced = new StringBuilder();
        var from = 0;
        foreach (var (begin, end) in matches)
        {
            replaced.Append(piece, from, begin - from).Append(content);
            from = end;
        }
        return replaced.Append(piece, from, piece.Length - from).ToString();
    }

    private char StandIn(Rune rune)
    {
        var category = CharUnicodeInfo.GetUnicodeCategory(rune.Value);
        ref var known = ref standIns[(int)category];
        if (known == '\0')
            known = Choose(category);
        return known;
    }

    private char Choose(UnicodeCategory category)
    {
        for (var letter = '\u00A1'; letter < '\uFFFF'; letter++)
            if (CharUnicodeInfo.GetUnicodeCategory(letter) == category && !named.Exists(range => range.From <= letter && letter <= range.To))
                return letter;
        throw field.Refuse($"is a pattern that names every character of the category {category} up to U+FFFF, which Lethe does not support.");
    }
}
