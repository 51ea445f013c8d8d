using Lethe.Reports.Wording;

namespace Lethe.Reports.Markup;

/// <summary>A section of a page.</summary>
/// <param name="Id">Its anchor.</param>
/// <param name="Title">Its title.</param>
/// <param name="Body">Its content.</param>
/// <param name="Nist">Outcomes of the NIST AI RMF that it speaks to; null for none.</param>
internal sealed record Section(string Id, string Title, Html Body, string? Nist = null);

/// <summary>
/// The frame of every page: one file that loads nothing (a content security policy says so to the browser, too), readable
/// without scripts, on paper, on a phone, by day and by night. It is well-formed XML, so that it can be checked by a parser.
/// </summary>
internal static class Page
{
    /// <summary>The whole page.</summary>
    /// <param name="t">The language.</param>
    /// <param name="kind">What kind of report it is, above the title.</param>
    /// <param name="title">The title.</param>
    /// <param name="facts">A line of facts below the title.</param>
    /// <param name="top">What stands before the numbered sections.</param>
    /// <param name="sections">The sections, numbered in this order.</param>
    /// <param name="version">The version of Lethe that the figures come from; null leaves the note on origin out.</param>
    public static string Render(Texts t, string kind, string title, IEnumerable<(string Term, Html Value)> facts, Html top, IReadOnlyList<Section> sections, string? version)
    {
        var contents = sections.Select((section, i) => Html.Of($"<li><a href=\"#{section.Id}\"><span class=\"number\">{i + 1}</span>{section.Title}</a></li>\n"));
        var bodies = sections.Select((section, i) => Html.Of($"""
            <section id="{section.Id}" aria-labelledby="{section.Id}-title">
            <h2 id="{section.Id}-title"><span class="number">{i + 1}</span>{section.Title}{(section.Nist is { } nist ? Html.Of($"<span class=\"nist\">{nist}</span>") : Html.Empty)}</h2>
            {section.Body}</section>

            """));
        var nistNote = sections.Any(section => section.Nist is not null) ? Html.Of($"<p>{t.NistNote}</p>\n") : Html.Empty;
        var nav = sections.Count > 2 ? Html.Of($"<nav aria-label=\"{t.Contents}\"><ol>\n{contents}</ol></nav>\n") : Html.Empty;
        var origin = version is null ? Html.Empty : Html.Of($"<p>{t.FooterNote(version)}</p>\n");
        var footer = nistNote.IsEmpty && origin.IsEmpty ? Html.Empty : Html.Of($"<footer>\n{nistNote}{origin}</footer>\n");
        return Html.Of($"""
            <!DOCTYPE html>
            <html lang="{t.Language.Code()}">
            <head>
            <meta charset="utf-8" />
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="color-scheme" content="light dark" />
            <title>{title} · {kind}</title>
            <style>
            {Html.Trusted(Resources.Text("report.css"))}
            {Html.Trusted(Resources.Text("charts.css"))}
            </style>
            </head>
            <body>
            <main>
            <header>
            <p class="kind">{kind}</p>
            <h1>{title}</h1>
            <dl class="meta">{facts.Select(fact => Html.Of($"<div><dt>{fact.Term}</dt><dd>{fact.Value}</dd></div>"))}</dl>
            </header>
            {top}{nav}{bodies}
            {footer}</main>
            </body>
            </html>

            """).ToString();
    }
}
