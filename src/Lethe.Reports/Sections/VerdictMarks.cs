using Lethe.Reports.Markup;
using Lethe.Reports.Wording;

namespace Lethe.Reports.Sections;

/// <summary>How good a line of the box at the top is; the worst one marks the box.</summary>
internal enum Mark
{
    /// <summary>Good.</summary>
    Good,
    /// <summary>Not tested.</summary>
    Open,
    /// <summary>In between.</summary>
    Mixed,
    /// <summary>Bad.</summary>
    Bad,
}

/// <summary>Pieces of the box at the top of a report.</summary>
internal static class VerdictMarks
{
    /// <summary>A line of the box: its label, whether it is good, and what it says.</summary>
    public static Html Line(string label, Mark? mark, Html text, Texts t) =>
        Html.Of($"<div><dt>{(mark is { } m ? Icon(m, t) : Html.Of($"<span class=\"icon\"></span>"))}{label}</dt><dd>{text}</dd></div>");

    /// <summary>Class of the box and of its icons.</summary>
    public static string Class(Mark mark) => mark switch { Mark.Good => "good", Mark.Bad => "bad", Mark.Open => "open", _ => "mixed" };

    /// <summary>Shape first, colour second, and a word for those who see neither.</summary>
    public static Html Icon(Mark mark, Texts t)
    {
        var (shape, word) = mark switch
        {
            Mark.Good => ("""<circle cx="10" cy="10" r="9" /><path d="M5.6 10.4 8.8 13.6 14.6 7.2" />""", t.MarkGood),
            Mark.Mixed => ("""<path class="body" d="M10 1.6 19 17.8H1Z" /><path d="M10 7.4V12M10 14.6V15.2" />""", t.MarkMixed),
            Mark.Bad => ("""<path class="body" d="M6.3 1h7.4L19 6.3v7.4L13.7 19H6.3L1 13.7V6.3Z" /><path d="M6.6 6.6 13.4 13.4M13.4 6.6 6.6 13.4" />""", t.MarkBad),
            _ => ("""<circle class="hollow" cx="10" cy="10" r="8.2" /><path class="hollow" d="M6 10H14" />""", t.MarkOpen),
        };
        return Html.Of($"<svg class=\"icon {Class(mark)}\" width=\"20\" height=\"20\" viewBox=\"0 0 20 20\" role=\"img\" aria-label=\"{word}\">{Html.Trusted(shape)}</svg>");
    }
}
