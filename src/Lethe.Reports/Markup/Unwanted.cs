using System.Text;

namespace Lethe.Reports.Markup;

/// <summary>Characters that text from outside must not bring into a page or a terminal.</summary>
internal static class Unwanted
{
    /// <summary>
    /// Control characters other than tab and line ends (an escape sequence would steer a terminal; XML forbids most), characters
    /// that reorder a line (U+202A–202E, U+2066–2069), and what is no character (U+FFFE, U+FFFF).
    /// </summary>
    public static bool In(Rune rune) => rune.Value switch
    {
        '\t' or '\n' or '\r' => false,
        < 0x20 or (>= 0x7F and < 0xA0) => true,
        >= 0x202A and <= 0x202E => true,
        >= 0x2066 and <= 0x2069 => true,
        0xFFFE or 0xFFFF => true,
        _ => false,
    };

    /// <summary>One line of text for a terminal: what is unwanted becomes U+FFFD, tabs and line ends become spaces.</summary>
    public static string OneLine(string? text)
    {
        var line = new StringBuilder();
        foreach (var rune in (text ?? "").EnumerateRunes())
            line.Append(rune.Value is '\t' or '\n' or '\r' ? new Rune(' ') : In(rune) ? Rune.ReplacementChar : rune);
        return line.ToString();
    }
}
