using Lethe.Reports.Language;
using Lethe.Reports.Markup;
using Lethe.Reports.Sections;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Reports;

/// <summary>The page of a sweep alone: the trade-off between forgetting and keeping, as charts and as a table.</summary>
public static class SweepReport
{
    /// <summary>Writes the page. The same input gives the same bytes.</summary>
    /// <exception cref="BadInputException">The sweep has no points.</exception>
    public static string Render(SweepResult sweep, ReportLanguage language)
    {
        Require(sweep);
        var t = Texts.Of(language);
        if (OfLanguage(sweep))
            return Page.Render(t, t.SweepTitle, sweep.Title, [], Html.Empty,
            [
                new("trade-off", t.TradeOffTitle, LanguageTradeOff.Render(sweep, t)),
                new("glossary", t.GlossaryTitle, GlossarySection.Render(t, [t.LmSwapTerm, t.LmMarginTerm, t.LmFloorTerm, t.LmGapTerm, t.LmPerplexityTerm, t.LmIntervalTerm, t.FrontTerm])),
            ], null);
        Section[] sections =
        [
            new("trade-off", t.TradeOffTitle, TradeOff.Render(sweep, null, t, open: true)),
            new("glossary", t.GlossaryTitle, GlossarySection.Render(t, [t.JudgeTerm, t.JudgedAsTerm, t.ProbabilityTerm, t.ElboTerm, t.IntervalTerm, t.FrontTerm])),
        ];
        return Page.Render(t, t.SweepTitle, sweep.Title, [], Html.Empty, sections, null);
    }

    /// <summary>The main chart of the trade-off as a drawing of its own (trade-off.svg), for slides and web pages; light or dark as its reader's system is.</summary>
    /// <param name="sweep">The sweep.</param>
    /// <param name="language">The language of its labels.</param>
    /// <param name="run">A run to mark in it; null for none.</param>
    /// <returns>The SVG document, for a file in UTF-8.</returns>
    /// <exception cref="BadInputException">The sweep has no points.</exception>
    public static string Chart(SweepResult sweep, ReportLanguage language, ImageUnlearnResult? run = null)
    {
        Require(sweep);
        var t = Texts.Of(language);
        return (OfLanguage(sweep) ? LanguageTradeOff.Chart(sweep, t) : TradeOff.Elbo(sweep, run, t)).Draw(720, 440).Document(language.Code());
    }

    private static bool OfLanguage(SweepResult sweep) => sweep.Points[0] is LanguageSweepPoint;

    private static void Require(SweepResult sweep)
    {
        if (sweep.Points.Count == 0)
            throw new BadInputException($"The sweep \"{sweep.Title}\" has no points to report; run it until at least one run is done.");
    }
}
