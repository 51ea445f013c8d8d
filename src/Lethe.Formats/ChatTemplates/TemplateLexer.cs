using System.Text;

namespace Lethe.Formats.ChatTemplates;

/// <summary>What a token of a template is.</summary>
internal enum TemplateTokenKind
{
    Text,
    BlockBegin,
    BlockEnd,
    OutputBegin,
    OutputEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>A token and the line, from 1, that it begins on.</summary>
internal readonly record struct TemplateToken(TemplateTokenKind Kind, string Text, int Line);

/// <summary>
/// Cuts a template into text and tags as Jinja2 does with trim_blocks and lstrip_blocks, which transformers sets: a line feed behind a block or comment
/// goes, and so do blanks before one that stands first on its line; a '-' strips all white space on its side, a '+' none.
/// </summary>
/// <remarks>pallets/jinja, src/jinja2/lexer.py (tokeniter).</remarks>
internal sealed class TemplateLexer
{
    private static readonly string[] Operators = ["**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ".", ",", ":", "|", ";"];

    private readonly string source;
    private readonly TemplateErrors errors;
    private readonly List<TemplateToken> tokens = [];
    private int at, line = 1;

    /// <summary>The token before this place ended a line.</summary>
    private bool lineStarting = true;

    private TemplateLexer(string source, TemplateErrors errors) => (this.source, this.errors) = (source, errors);

    public static List<TemplateToken> Read(string source, TemplateErrors errors)
    {
        source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new TemplateLexer(source.EndsWith('\n') ? source[..^1] : source, errors);
        lexer.Run();
        return lexer.tokens;
    }

    /// <summary>Python's str.isspace.</summary>
    public static bool IsSpace(char letter) => char.IsWhiteSpace(letter) || letter is >= '\u001C' and <= '\u001F';

    private void Run()
    {
        while (at < source.Length)
        {
            var tag = NextTag();
            AddText(tag);
            if (tag == source.Length)
                break;
            var kind = source[tag + 1];
            Advance(tag + 2);
            var sign = at < source.Length && source[at] is '-' or '+' ? source[at] : ' ';
            if (sign != ' ')
                Advance(at + 1);
            if (kind == '#')
            {
                var close = source.IndexOf("#}", at, StringComparison.Ordinal);
                if (close < 0)
                    throw errors.At(line, "a comment {# is not closed");
                // The sign stands before the closing mark; {#-#} has its one sign at the beginning.
                var mark = close > at ? source[close - 1] : ' ';
                Advance(close + 2);
                AfterTag(mark, trims: true);
            }
            else
                ReadTag(kind == '%');
        }
        tokens.Add(new TemplateToken(TemplateTokenKind.End, "the end of the template", line));
    }

    private int NextTag()
    {
        for (var i = at; i + 1 < source.Length; i++)
            if (source[i] == '{' && source[i + 1] is '{' or '%' or '#')
                return i;
        return source.Length;
    }

    /// <summary>The text up to a tag, stripped as the tag's sign says.</summary>
    private void AddText(int tag)
    {
        var text = source[at..tag];
        var kept = text.Length;
        var sign = tag + 2 < source.Length ? source[tag + 2] : ' ';
        if (tag < source.Length && sign == '-')
            while (kept > 0 && IsSpace(text[kept - 1]))
                kept--;
        else if (tag < source.Length && sign != '+' && source[tag + 1] != '{')
        {
            var start = text.LastIndexOf('\n') + 1;
            if ((start > 0 || lineStarting) && text.Skip(start).All(IsSpace))
                kept = start;
        }
        if (kept > 0)
            tokens.Add(new TemplateToken(TemplateTokenKind.Text, text[..kept], line));
        if (text.Length > 0)
            lineStarting = text[^1] == '\n';
        Advance(tag);
    }

    private void Advance(int to)
    {
        line += source.AsSpan(at, to - at).Count('\n');
        at = to;
    }

    private void AfterTag(char sign, bool trims)
    {
        var from = at;
        if (sign == '-')
            while (at < source.Length && IsSpace(source[at]))
                Advance(at + 1);
        else if (sign != '+' && trims && at < source.Length && source[at] == '\n')
            Advance(at + 1);
        lineStarting = at > from && source[at - 1] == '\n';
    }

    private void ReadTag(bool block)
    {
        var began = line;
        tokens.Add(new TemplateToken(block ? TemplateTokenKind.BlockBegin : TemplateTokenKind.OutputBegin, block ? "{%" : "{{", line));
        var end = block ? "%}" : "}}";
        var open = new Stack<char>();
        while (true)
        {
            while (at < source.Length && IsSpace(source[at]))
                Advance(at + 1);
            if (at >= source.Length)
                throw errors.At(began, $"a tag {(block ? "{%" : "{{")} is not closed");
            var sign = source[at] is '-' or '+' ? source[at] : ' ';
            if (open.Count == 0 && string.CompareOrdinal(source, at + (sign == ' ' ? 0 : 1), end, 0, 2) == 0 && (sign != '+' || block))
            {
                tokens.Add(new TemplateToken(block ? TemplateTokenKind.BlockEnd : TemplateTokenKind.OutputEnd, end, line));
                Advance(at + (sign == ' ' ? 2 : 3));
                AfterTag(sign, trims: block);
                return;
            }
            ReadToken(open);
        }
    }

    private void ReadToken(Stack<char> open)
    {
        var letter = source[at];
        var from = at;
        if (letter is '\'' or '"')
        {
            ReadString(letter);
            return;
        }
        if (char.IsAsciiDigit(letter))
        {
            var end = at;
            while (end < source.Length && (char.IsAsciiDigit(source[end]) || source[end] == '_'))
                end++;
            var isFloat = end + 1 < source.Length && source[end] == '.' && char.IsAsciiDigit(source[end + 1]);
            if (isFloat)
                for (end++; end < source.Length && char.IsAsciiDigit(source[end]);)
                    end++;
            tokens.Add(new TemplateToken(isFloat ? TemplateTokenKind.Float : TemplateTokenKind.Integer, source[from..end].Replace("_", "", StringComparison.Ordinal), line));
            at = end;
            return;
        }
        if (letter == '_' || char.IsLetter(letter))
        {
            while (at < source.Length && (source[at] == '_' || char.IsLetterOrDigit(source[at])))
                at++;
            tokens.Add(new TemplateToken(TemplateTokenKind.Name, source[from..at], line));
            return;
        }
        var found = Array.Find(Operators, mark => string.CompareOrdinal(source, at, mark, 0, mark.Length) == 0) ?? throw errors.At(line, $"the character '{letter}' has no place in a tag");
        if (found is "(" or "[" or "{")
            open.Push(found[0]);
        else if (found is ")" or "]" or "}" && (!open.TryPop(out var opener) || (opener, found) is not (('(', ")") or ('[', "]") or ('{', "}"))))
            throw errors.At(line, $"'{found}' closes nothing");
        tokens.Add(new TemplateToken(TemplateTokenKind.Operator, found, line));
        at += found.Length;
    }

    private void ReadString(char quote)
    {
        var (began, text) = (line, new StringBuilder());
        for (Advance(at + 1); at < source.Length && source[at] != quote; Advance(at + 1))
        {
            if (source[at] != '\\')
            {
                text.Append(source[at]);
                continue;
            }
            Advance(at + 1);
            if (at >= source.Length)
                break;
            text.Append(Escaped());
        }
        if (at >= source.Length)
            throw errors.At(began, "a text in quotes is not closed");
        at++;
        tokens.Add(new TemplateToken(TemplateTokenKind.String, text.ToString(), began));
    }

    /// <summary>Python's escapes; one that it does not know stays as it is.</summary>
    private string Escaped() => source[at] switch
    {
        'n' => "\n",
        't' => "\t",
        'r' => "\r",
        'f' => "\f",
        'v' => "\v",
        'a' => "\a",
        'b' => "\b",
        '0' => "\0",
        '\n' => "",
        '\\' or '\'' or '"' => source[at].ToString(),
        'x' => Hexadecimal(2),
        'u' => Hexadecimal(4),
        'U' => Hexadecimal(8),
        var other => $"\\{other}",
    };

    private string Hexadecimal(int digits)
    {
        var text = source.Length - at > digits ? source.Substring(at + 1, digits) : "";
        if (text.Length == 0 || !text.All(char.IsAsciiHexDigit) || !Rune.IsValid(Convert.ToInt64(text, 16) is var value && value <= 0x10FFFF ? (int)value : -1))
            throw errors.At(line, $"the escape \\{source[at]}{text} stands for no character");
        at += digits;
        return new Rune((int)value).ToString();
    }
}
