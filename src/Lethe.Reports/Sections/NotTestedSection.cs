using Lethe.Reports.Markup;
using Lethe.Reports.Wording;

namespace Lethe.Reports.Sections;

/// <summary>What this run leaves open, each with what an answer would change.</summary>
internal static class NotTestedSection
{
    /// <summary>The section's anchor, for the box at the top.</summary>
    public const string Id = "not-tested";

    public static Html Render(IReadOnlyList<string> codes, Texts t)
    {
        if (codes.Count == 0)
            return Parts.Paragraph(t.NothingUntested);
        var items = codes.Select(code => t.NotTested(code) is { } open
            ? Html.Of($"<li><strong>{open.Question}</strong><br />{open.Meaning}</li>\n")
            : Html.Of($"<li><strong><code>{code}</code></strong><br />{t.UnknownCode}</li>\n"));
        return Html.Of($"{Parts.Paragraph(t.NotTestedNote)}<ul class=\"open-questions\">{items}</ul>\n");
    }
}
