using System.Text;

namespace Lethe.Reports.Charts;

/// <summary>
/// How wide a text will be, well enough to leave room for it: nobody measures fonts here, and the reader's font is unknown.
/// Ratios to the font size are those of Helvetica's letter classes; East Asian characters are square.
/// </summary>
internal static class TextWidth
{
    /// <summary>Width in the unit of the font size.</summary>
    public static double Of(string text, double fontSize) => fontSize * text.EnumerateRunes().Sum(Ratio);

    /// <summary>Columns that a text takes in a terminal: two for an East Asian wide character, one otherwise.</summary>
    public static int Columns(string text) => text.EnumerateRunes().Sum(rune => IsWide(rune) ? 2 : Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark ? 0 : 1);

    /// <summary>The text cut to a width, with an ellipsis if something was cut.</summary>
    public static string Fit(string text, double fontSize, double width)
    {
        if (Of(text, fontSize) <= width)
            return text;
        var kept = new StringBuilder();
        var used = fontSize; // the ellipsis
        foreach (var rune in text.EnumerateRunes())
        {
            used += fontSize * Ratio(rune);
            if (used > width)
                break;
            kept.Append(rune);
        }
        return kept.ToString().TrimEnd() + "…";
    }

    private static double Ratio(Rune rune) => rune.Value switch
    {
        'i' or 'l' or 'j' or '.' or ',' or ':' or ';' or '|' or '\'' or '!' or 'I' => 0.28,
        'f' or 't' or 'r' or '(' or ')' or '[' or ']' or ' ' or '/' or '-' => 0.35,
        'm' or 'M' or 'W' or 'w' or '@' or '%' => 0.86,
        >= 'A' and <= 'Z' => 0.69,
        _ => IsWide(rune) ? 1.0 : 0.56,
    };

    // The blocks of East Asian Width W and F that texts here can hold (Unicode Standard Annex 11).
    private static bool IsWide(Rune rune) => rune.Value is
        (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0x303E) or (>= 0x3041 and <= 0x33FF) or (>= 0x3400 and <= 0x4DBF)
        or (>= 0x4E00 and <= 0x9FFF) or (>= 0xAC00 and <= 0xD7A3) or (>= 0xF900 and <= 0xFAFF) or (>= 0xFE30 and <= 0xFE4F)
        or (>= 0xFF00 and <= 0xFF60) or (>= 0xFFE0 and <= 0xFFE6) or (>= 0x1F300 and <= 0x1F64F) or (>= 0x20000 and <= 0x3FFFD);
}
