using Lethe.Evaluation;
using Lethe.Reports.Markup;
using Lethe.Reports.Wording;

namespace Lethe.Reports.Sections;

/// <summary>What the measures mean.</summary>
internal static class GlossarySection
{
    /// <summary>Writes the terms; all of them, or those of one page.</summary>
    public static Html Render(Texts t, IReadOnlyList<Explained>? chosen = null)
    {
        var terms = (chosen ?? t.Glossary).Select(term => Html.Of($"<div><dt>{term.Term}</dt><dd>{term.Meaning}{Direction(term.Better, t)}</dd></div>\n"));
        return Html.Of($"<dl class=\"glossary\">{terms}</dl>\n");
    }

    private static Html Direction(Better better, Texts t) => better switch
    {
        Better.Higher => Html.Of($" <span class=\"hint\">({t.HigherIsBetter})</span>"),
        Better.Lower => Html.Of($" <span class=\"hint\">({t.LowerIsBetter})</span>"),
        _ => Html.Empty,
    };
}
