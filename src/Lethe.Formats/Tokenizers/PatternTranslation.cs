using System.Globalization;
using System.Text;
using Lethe.Torch;

namespace Lethe.Formats.Tokenizers;

/// <summary>
/// Reads a pattern in the syntax of Oniguruma, which the reference library uses, and writes it for .NET. Only constructs that mean the same in both, or
/// that can be written so that they do, pass; the others are refused by name.
/// </summary>
/// <remarks>
/// White space (\s), \d and the general categories agree. Case-insensitive parts are written out as sets (both cases of a letter, and the letters that fold
/// to ASCII: ſ to s, the Kelvin sign to k), possessive quantifiers as atomic groups, {n,m}+ as a repeated repeat (Ruby's reading). Astral characters are the
/// matter of <see cref="UnicodePattern"/>.
/// </remarks>
internal sealed class PatternTranslation
{
    /// <summary>Longer patterns, deeper groups and larger repeats have no place in a tokenizer.</summary>
    private const int MaxLength = 10_000, MaxDepth = 20, MaxRepeat = 1000;

    private static readonly HashSet<string> Categories =
    [
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Co", "Cn",
    ];

    private readonly JsonField field;
    private readonly string source;
    private int at;

    private PatternTranslation(JsonField field, string source) => (this.field, this.source) = (field, source);

    /// <summary>Characters, as inclusive ranges, that the pattern names rather than classes.</summary>
    public List<(char From, char To)> Named { get; } = [];

    /// <summary>The pattern for .NET.</summary>
    public string Text { get; private set; } = "";

    public static PatternTranslation Read(JsonField field, string source)
    {
        var translation = new PatternTranslation(field, source);
        if (source.Length > MaxLength)
            throw translation.Refuse($"is a pattern of {source.Length} characters; at most {MaxLength} are allowed.");
        translation.Text = translation.Alternatives(0, ignoreCase: false);
        if (translation.at < source.Length)
            throw translation.Refuse("has a ')' too many.");
        return translation;
    }

    private BadInputException Refuse(string why) => field.Refuse(why.StartsWith("is ", StringComparison.Ordinal) || why.StartsWith("has ", StringComparison.Ordinal) ? why : $"is a pattern with {why}");

    private BadInputException Unsupported(string construct) => Refuse($"'{construct}' at character {at}, which Lethe does not support.");

    private char Next(string where) => at < source.Length ? source[at++] : throw Refuse($"nothing behind {where} at its end.");

    private string Alternatives(int depth, bool ignoreCase)
    {
        if (depth > MaxDepth)
            throw Refuse($"groups nested more than {MaxDepth} deep.");
        var text = new StringBuilder();
        while (at < source.Length && source[at] != ')')
        {
            if (source[at] == '|')
            {
                at++;
                text.Append('|');
            }
            else if (Setting() is { } set)
                ignoreCase = set;
            else
                text.Append(Quantified(Atom(depth, ignoreCase)));
        }
        return text.ToString();
    }

    /// <summary>(?i) and (?-i), which hold to the end of their group.</summary>
    private bool? Setting()
    {
        foreach (var (mark, value) in new[] { ("(?i)", true), ("(?-i)", false) })
            if (string.CompareOrdinal(source, at, mark, 0, mark.Length) == 0)
            {
                at += mark.Length;
                return value;
            }
        return null;
    }

    private string Atom(int depth, bool ignoreCase)
    {
        var letter = source[at++];
        switch (letter)
        {
            case '(':
                return Group(depth, ignoreCase);
            case '[':
                return Set(ignoreCase);
            case '.':
                return @"[^\n]";
            case '^':
                return "(?m:^)";
            case '$':
                return "(?m:$)";
            case '*' or '+' or '?':
                throw Refuse($"'{letter}' at character {at} and nothing to repeat.");
            case '\\':
                return Class(Next("'\\'"), inSet: false) is { } named ? named : Literal(Escaped(source[at - 1]), ignoreCase);
            default:
                return Literal(letter, ignoreCase);
        }
    }

    private string Group(int depth, bool ignoreCase)
    {
        (string Mark, string Written, bool? Case)[] kinds =
            [("?:", "(?:", null), ("?i:", "(?:", true), ("?-i:", "(?:", false), ("?=", "(?=", null), ("?!", "(?!", null), ("?<=", "(?<=", null), ("?<!", "(?<!", null), ("?>", "(?>", null)];
        var (opening, inner) = ("(?:", ignoreCase);
        if (at < source.Length && source[at] == '?')
        {
            var kind = kinds.FirstOrDefault(entry => string.CompareOrdinal(source, at, entry.Mark, 0, entry.Mark.Length) == 0);
            if (kind.Mark is null)
                throw Unsupported(source.Substring(at - 1, Math.Min(4, source.Length - at + 1)));
            at += kind.Mark.Length;
            (opening, inner) = (kind.Written, kind.Case ?? ignoreCase);
        }
        var text = opening + Alternatives(depth + 1, inner) + ")";
        if (at >= source.Length)
            throw Refuse("a group that is not closed.");
        at++;
        return text;
    }

    /// <summary>What an escape stands for where it is a class, such as \s or \p{L}; null where it stands for one character.</summary>
    private string? Class(char letter, bool inSet)
    {
        switch (letter)
        {
            case 's' or 'S' or 'd' or 'D':
                return $@"\{letter}";
            case 'p' or 'P':
                var close = at < source.Length && source[at] == '{' ? source.IndexOf('}', at) : -1;
                if (close < 0)
                    throw Unsupported($@"\{letter}");
                var name = source[(at + 1)..close];
                if (!Categories.Contains(name.TrimStart('^')) || name.StartsWith("^^", StringComparison.Ordinal))
                    throw Unsupported($@"\{letter}{{{name}}}");
                at = close + 1;
                return $@"\{(name[0] == '^' == (letter == 'p') ? 'P' : 'p')}{{{name.TrimStart('^')}}}";
            case 'A' or 'z' when !inSet:
                return $@"\{letter}";
            default:
                return null;
        }
    }

    /// <summary>The one character that an escape stands for; its letter is read.</summary>
    private char Escaped(char letter) => letter switch
    {
        'r' => '\r',
        'n' => '\n',
        't' => '\t',
        'f' => '\f',
        'v' => '\v',
        'a' => '\a',
        'e' => '\u001b',
        'u' => Hexadecimal(4),
        'x' => Hexadecimal(2),
        _ when char.IsAsciiLetterOrDigit(letter) => throw Unsupported($@"\{letter}"),
        _ => letter,
    };

    private char Hexadecimal(int digits)
    {
        var braces = at < source.Length && source[at] == '{';
        var end = braces ? source.IndexOf('}', at) : at + digits;
        var text = end > at && end <= source.Length ? source[(braces ? at + 1 : at)..end] : "";
        if (!int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) || value is < 0 or > 0xFFFF || char.IsSurrogate((char)value))
            throw Unsupported($@"\{source[at - 1]}{text}");
        at = braces ? end + 1 : end;
        return (char)value;
    }

    private string Literal(char letter, bool ignoreCase)
    {
        if (char.IsSurrogate(letter))
            throw Refuse($"a character beyond U+FFFF at character {at}, which Lethe does not support.");
        var letters = Cases(letter, ignoreCase);
        foreach (var one in letters)
            Named.Add((one, one));
        return letters.Length == 1 ? Show(letter) : $"[{string.Concat(letters.Select(Show))}]";
    }

    /// <summary>All letters that fold to the same one.</summary>
    private string Cases(char letter, bool ignoreCase)
    {
        if (!ignoreCase)
            return letter.ToString();
        if (letter > 0x7F && (char.IsLetter(letter) || char.IsUpper(letter)))
            throw Refuse($"the letter '{letter}' in a part that ignores case, which Lethe supports for ASCII letters only.");
        if (!char.IsAsciiLetter(letter))
            return letter.ToString();
        var lower = char.ToLowerInvariant(letter);
        return $"{lower}{char.ToUpperInvariant(letter)}{(lower == 's' ? "\u017F" : lower == 'k' ? "\u212A" : "")}";
    }

    private static string Show(char letter) => char.IsAsciiLetterOrDigit(letter) ? letter.ToString() : string.Create(CultureInfo.InvariantCulture, $@"\u{(int)letter:X4}");

    private string Set(bool ignoreCase)
    {
        var text = new StringBuilder("[");
        if (at < source.Length && source[at] == '^')
        {
            at++;
            text.Append('^');
        }
        var empty = text.Length;
        while (true)
        {
            var letter = Next("'['");
            if (letter == ']')
                break;
            if (letter == '[')
                throw Unsupported("[ inside a set");
            if (letter == '&' && at < source.Length && source[at] == '&')
                throw Unsupported("&& inside a set");
            if (letter == '\\')
            {
                if (Class(Next("'\\'"), inSet: true) is { } named)
                {
                    text.Append(named);
                    continue;
                }
                letter = Escaped(source[at - 1]);
            }
            if (char.IsSurrogate(letter))
                throw Refuse($"a character beyond U+FFFF at character {at}, which Lethe does not support.");
            if (at + 1 < source.Length && source[at] == '-' && source[at + 1] != ']')
            {
                at++;
                var to = Next("'-'");
                if (to == '[')
                    throw Unsupported("[ inside a set");
                if (to == '\\')
                    to = Class(Next("'\\'"), inSet: true) is { } behind ? throw Unsupported($"-{behind}") : Escaped(source[at - 1]);
                Range(letter, to, ignoreCase, text);
            }
            else
                foreach (var one in Cases(letter, ignoreCase))
                {
                    Named.Add((one, one));
                    text.Append(Show(one));
                }
        }
        return text.Length > empty ? text.Append(']').ToString() : throw Refuse("an empty set.");
    }

    private void Range(char from, char to, bool ignoreCase, StringBuilder text)
    {
        if (char.IsSurrogate(to))
            throw Refuse($"a character beyond U+FFFF at character {at}, which Lethe does not support.");
        if (from > to)
            throw Refuse($"the range {Show(from)}-{Show(to)}, which runs backwards.");
        if (ignoreCase && to > 0x7F)
            throw Refuse($"the range {Show(from)}-{Show(to)} in a part that ignores case, which Lethe supports for ASCII letters only.");
        Named.Add((from, to));
        text.Append(CultureInfo.InvariantCulture, $"{Show(from)}-{Show(to)}");
        for (var letter = from; ignoreCase && letter <= to; letter++)
            foreach (var one in Cases(letter, ignoreCase: true))
            {
                Named.Add((one, one));
                text.Append(Show(one));
            }
    }

    private string Quantified(string atom)
    {
        while (at < source.Length)
        {
            var quantifier = source[at] switch
            {
                '*' or '+' or '?' => source[at].ToString(),
                '{' => Interval(),
                _ => null,
            };
            if (quantifier is null)
                break;
            var interval = source[at] == '{';
            at += interval ? source.IndexOf('}', at) - at + 1 : 1;
            var mark = at < source.Length ? source[at] : ' ';
            if (mark == '?' && interval && !quantifier.Contains(',', StringComparison.Ordinal))
                throw Unsupported($"{quantifier}?");
            if (mark == '?')
            {
                at++;
                atom = $"(?:{atom}{quantifier}?)";
            }
            else if (mark == '+' && !interval)
            {
                at++;
                atom = $"(?>{atom}{quantifier})";
            }
            else
                atom = at < source.Length && source[at] is '*' or '+' or '?' or '{' ? $"(?:{atom}{quantifier})" : atom + quantifier;
        }
        return atom;
    }

    /// <summary>{n}, {n,}, {,m} or {n,m} at this place, rewritten; null where the brace is a plain character. Does not move on.</summary>
    private string? Interval()
    {
        var close = source.IndexOf('}', at);
        var parts = close < 0 ? [] : source[(at + 1)..close].Split(',');
        if (parts.Length is not (1 or 2) || parts.All(part => part.Length == 0) || !parts.All(part => part.All(char.IsAsciiDigit)))
            return null;
        var numbers = parts.Select(part => part.Length == 0 ? (int?)null : part.Length > 4 ? int.MaxValue : int.Parse(part, CultureInfo.InvariantCulture)).ToArray();
        if (numbers.Any(number => number > MaxRepeat))
            throw Refuse($"a repeat {source[at..(close + 1)]}; at most {MaxRepeat} are allowed.");
        var least = numbers[0] ?? 0;
        if (numbers.Length == 2 && numbers[1] < least)
            throw Refuse($"a repeat {source[at..(close + 1)]}, whose numbers are in the wrong order.");
        return numbers.Length == 1 ? string.Create(CultureInfo.InvariantCulture, $"{{{least}}}") : string.Create(CultureInfo.InvariantCulture, $"{{{least},{numbers[1]}}}");
    }
}
