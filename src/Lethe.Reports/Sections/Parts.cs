using Lethe.Evaluation;
using Lethe.Reports.Markup;
using Lethe.Reports.Wording;

namespace Lethe.Reports.Sections;

/// <summary>How the values of a measure are written: alone, and as ends of a range.</summary>
internal sealed record Style(Func<double, string> Value, Func<double, string> Bare)
{
    /// <summary>Shares of 1 as per cent.</summary>
    public static Style Share(int decimals) => new(share => Numbers.Percent(share, decimals), share => Numbers.Fixed(100 * share, decimals));

    /// <summary>A plain number.</summary>
    public static Style Plain(int decimals) => new(value => Numbers.Fixed(value, decimals), value => Numbers.Fixed(value, decimals));

    /// <summary>A change, with its sign.</summary>
    public static Style Signed(int decimals) => new(value => Numbers.Signed(value, decimals), value => Numbers.Signed(value, decimals));

    /// <summary>A change of a share in points, with its sign.</summary>
    public static Style SignedPoints(int decimals) => new(value => Numbers.Signed(100 * value, decimals), value => Numbers.Signed(100 * value, decimals));
}

/// <summary>Pieces of markup that several sections use.</summary>
internal static class Parts
{
    /// <summary>Width of a chart that stands alone, of one in a pair, and of any on a phone.</summary>
    public const double Wide = 660, Half = 500, Narrow = 326;

    /// <summary>A paragraph.</summary>
    public static Html Paragraph(string text, string cssClass = "note") => Html.Of($"<p class=\"{cssClass}\">{text}</p>\n");

    /// <summary>A table cell with a measure: its value, and below it what the interval leaves possible.</summary>
    public static Html Cell(Texts texts, Measure? measure, Style style)
    {
        if (measure is null)
            return Html.Of($"<td class=\"num\"><span class=\"v\">{Numbers.None}</span></td>");
        return Html.Of($"<td class=\"num\"><span class=\"v\">{style.Value(measure.Value)}</span>{Uncertainty(texts, measure, style)}</td>");
    }

    /// <summary>A table cell with a number that has no uncertainty.</summary>
    public static Html Cell(string text) => Html.Of($"<td class=\"num\"><span class=\"v\">{text}</span></td>");

    /// <summary>The interval of a measure in words: 95% interval 0.01–0.09%.</summary>
    public static string IntervalWords(Texts texts, Measure measure, Style style, string unit = "")
    {
        if (measure is { Interval: null, StandardError: null })
            return texts.NoInterval;
        var low = Numbers.Lower(measure);
        var high = Numbers.Upper(measure);
        return texts.IntervalOf(measure.Interval?.Confidence ?? 0.95, texts.Range(low, high, style.Bare) + unit);
    }

    /// <summary>A box in which a wide table scrolls by itself, so that the page never does.</summary>
    public static Html Table(string cssClass, Html content) =>
        Html.Of($"<div class=\"scroll\" tabindex=\"0\"><table class=\"{cssClass}\">{content}</table></div>\n");

    /// <summary>A chart, drawn once for a screen and once for a phone, so that its letters keep their size; without a caption where its section names it.</summary>
    public static Html Figure(string caption, double width, Func<double, Html> draw) =>
        Html.Of($"<figure class=\"fig\">{(caption.Length > 0 ? Html.Of($"<figcaption>{caption}</figcaption>") : Html.Empty)}<div class=\"wide\">{draw(width)}</div><div class=\"narrow\">{draw(Narrow)}</div></figure>\n");

    /// <summary>Charts side by side where there is room.</summary>
    public static Html Pair(params IEnumerable<Html> figures) => Html.Of($"<div class=\"pair\">{figures}</div>\n");

    /// <summary>Something that opens on demand; printed, it is open.</summary>
    public static Html Details(string summary, Html content) => Html.Of($"<details><summary>{summary}</summary>\n{content}</details>\n");

    /// <summary>Terms and what they stand for.</summary>
    public static Html Facts(params IEnumerable<(string Term, Html Value)> facts) =>
        Html.Of($"<dl class=\"facts\">{facts.Select(fact => Html.Of($"<div><dt>{fact.Term}</dt><dd>{fact.Value}</dd></div>"))}</dl>\n");

    /// <summary>The word for a condition's part, as a label.</summary>
    public static Html Chip(Texts texts, string role) => Html.Of($"<span class=\"chip {RoleClass(role)}\">{texts.RoleWord(role)}</span>");

    /// <summary>Class of a row by the condition's part; only words that the style sheet knows.</summary>
    public static string RoleClass(string role) => role switch
    {
        Lethe.Runs.Results.Roles.Forgotten => "forgotten",
        Lethe.Runs.Results.Roles.Retained => "retained",
        _ => "free",
    };

    /// <summary>A digest that may break between its characters.</summary>
    public static Html Digest(string digest) => Html.Of($"<code class=\"digest\">{digest}</code>");

    private static Html Uncertainty(Texts texts, Measure measure, Style style)
    {
        if (measure.Interval is { } interval)
        {
            var confidence = Math.Abs(interval.Confidence - 0.95) < 1e-9 ? "" : $" ({Numbers.Percent(interval.Confidence, 0)})";
            return Html.Of($"<span class=\"i\">{texts.Range(interval.Low, interval.High, style.Bare)}{confidence}</span>");
        }
        return measure.StandardError is { } error ? Html.Of($"<span class=\"i\">± {style.Bare(error).TrimStart('+')}</span>") : Html.Empty;
    }
}
