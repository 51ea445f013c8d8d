using System.Text;

namespace Lethe.Evaluation.Language;

/// <summary>
/// White space as Python's str knows it, which lm-evaluation-harness counts and strips by: .NET's <see cref="char.IsWhiteSpace(char)"/> and the four
/// separators U+001C … U+001F.
/// </summary>
public static class WhiteSpace
{
    /// <summary>Whether a character is white space.</summary>
    public static bool Is(char letter) => char.IsWhiteSpace(letter) || letter is >= '\u001C' and <= '\u001F';

    /// <summary>Where the white space at the end of a text begins; its length if there is none.</summary>
    public static int Tail(string text)
    {
        var end = text.Length;
        while (end > 0 && Is(text[end - 1]))
            end--;
        return end;
    }

    /// <summary>The text without white space at both ends: Python's <c>strip</c>.</summary>
    public static string Strip(string text)
    {
        var end = Tail(text);
        var begin = 0;
        while (begin < end && Is(text[begin]))
            begin++;
        return text[begin..end];
    }

    /// <summary>
    /// Words of a text as lm-evaluation-harness counts them: the pieces of a split at runs of white space, so that an empty text has one word and white space at
    /// the edges counts (its <c>count_words</c>).
    /// </summary>
    public static long Words(string text)
    {
        var words = 1L;
        for (var i = 0; i < text.Length; i++)
            if (Is(text[i]) && (i == 0 || !Is(text[i - 1])))
                words++;
        return words;
    }

    /// <summary>Bytes of a text in UTF-8.</summary>
    public static long Bytes(string text) => Encoding.UTF8.GetByteCount(text);

    /// <summary>Characters of a text as Python counts them: code points, not UTF-16 units.</summary>
    public static int Characters(string text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
            count++;
        return count;
    }
}
