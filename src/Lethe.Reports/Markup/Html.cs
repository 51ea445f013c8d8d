using System.Text;

namespace Lethe.Reports.Markup;

/// <summary>
/// Markup that is safe to put into a page. It is made from interpolated strings whose holes are escaped unless they are
/// markup themselves, so that forgetting to escape does not compile into a hole: <c>Html.Of($"&lt;td&gt;{name}&lt;/td&gt;")</c>.
/// It stays well-formed XML: void elements are closed, and only the five entities that XML knows are used.
/// </summary>
internal readonly struct Html
{
    private readonly string? _markup;

    private Html(string markup) => _markup = markup;

    /// <summary>Nothing.</summary>
    public static Html Empty => default;

    /// <summary>Whether there is nothing.</summary>
    public bool IsEmpty => string.IsNullOrEmpty(_markup);

    /// <summary>Markup from an interpolated string: its literal parts as they stand, its holes escaped.</summary>
    public static Html Of(HtmlHandler markup) => new(markup.ToString());

    /// <summary>Text, escaped.</summary>
    public static Html Text(string? text) => new(Escape(text));

    /// <summary>Markup that comes from this assembly's own files, as it stands.</summary>
    public static Html Trusted(string markup) => new(markup);

    /// <summary>Pieces one after another.</summary>
    public static Html Join(IEnumerable<Html> pieces) => new(string.Concat(pieces.Select(piece => piece._markup)));

    /// <summary>Pieces with a text between them.</summary>
    public static Html Join(string between, IEnumerable<Html> pieces) => new(string.Join(Escape(between), pieces.Select(piece => piece._markup)));

    /// <summary>The markup.</summary>
    public override string ToString() => _markup ?? "";

    /// <summary>The words without the markup, for a terminal or an attribute.</summary>
    public string ToPlainText()
    {
        var plain = new StringBuilder();
        var inTag = false;
        foreach (var c in ToString())
        {
            if (c == '<') inTag = true;
            else if (c == '>') inTag = false;
            else if (!inTag) plain.Append(c);
        }
        return plain.Replace("&lt;", "<").Replace("&gt;", ">").Replace("&quot;", "\"").Replace("&#39;", "'").Replace("&amp;", "&").ToString();
    }

    /// <summary>
    /// Text as XML and HTML may hold it, in elements and in quoted attributes. What XML forbids (control characters, lone
    /// surrogates) and what would reorder the reader's line (bidirectional overrides) becomes U+FFFD.
    /// </summary>
    public static string Escape(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        var escaped = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '&': escaped.Append("&amp;"); break;
                case '<': escaped.Append("&lt;"); break;
                case '>': escaped.Append("&gt;"); break;
                case '"': escaped.Append("&quot;"); break;
                case '\'': escaped.Append("&#39;"); break;
                default: escaped.Append(Unwanted.In(rune) ? Rune.ReplacementChar : rune); break;
            }
        }
        return escaped.ToString();
    }
}
