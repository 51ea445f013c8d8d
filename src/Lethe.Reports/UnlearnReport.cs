using Lethe.Reports.Markup;
using Lethe.Reports.Sections;
using Lethe.Reports.Wording;

namespace Lethe.Reports;

/// <summary>
/// The report of an unlearning run of a conditional image generator: one HTML file that needs nothing else, for a manager (the
/// box at the top), an engineer (the figures) and an auditor (what was not tested, and where everything came from).
/// </summary>
public static class UnlearnReport
{
    /// <summary>Writes the page. The same input gives the same bytes.</summary>
    /// <param name="input">The run.</param>
    /// <param name="language">The language of every text that is the report's own.</param>
    /// <returns>The HTML document, for a file in UTF-8.</returns>
    /// <exception cref="Torch.BadInputException">Parts of the result contradict each other, or a sample image is no PNG.</exception>
    public static string Render(ReportInput input, ReportLanguage language)
    {
        var t = Texts.Of(language);
        var verdict = Verdict.Of(input.Result, input.Rules);
        var context = new ReportContext(input, t, verdict);
        var (run, request) = (input.Result.Run, input.Result.Request);
        Section[] sections =
        [
            new("asked", t.AskedTitle, AskedSection.Render(context)),
            new("samples", t.SamplesTitle, SamplesSection.Render(context)),
            new("concepts", t.ConceptsTitle, ConceptsSection.Render(context)),
            new("classes", t.ClassesTitle, ClassesSection.Render(context)),
            new("confusion", t.ConfusionTitle, ConfusionSection.Render(context)),
            new("elbo", t.ElboTitle, ElboSection.Render(context)),
            new("retained", t.RetainedTitle, RetainedSection.Render(context)),
            new("probes", t.ProbesTitle, ProbesSection.Render(context), "MEASURE 2.7"),
            new("relearning", t.RelearningTitle, RelearningSection.Render(context), "MEASURE 2.7"),
            new("trade-off", t.TradeOffTitle, input.Sweep is { Points.Count: > 0 } sweep ? TradeOff.Render(sweep, input.Result, t, open: false) : Parts.Paragraph(t.NoSweep)),
            new("moved", t.MovedTitle, MovedSection.Render(context)),
            new("method", t.MethodTitle, MethodSection.Render(context), "MEASURE 2.1"),
            new("cost", t.CostTitle, CostSection.Render(input.Result.Cost, t)),
            new(NotTestedSection.Id, t.NotTestedTitle, NotTestedSection.Render(input.Result.NotTested, t), "MANAGE 1.4 · MEASURE 2.5"),
            new("glossary", t.GlossaryTitle, GlossarySection.Render(t)),
            new("provenance", t.ProvenanceTitle, ProvenanceSection.Render(context)),
        ];
        (string, Html)[] facts =
        [
            (t.BaseModel, Html.Text(request.Model)),
            (t.Dataset, Html.Text(request.Dataset)),
            (t.Run, Html.Text(run.Id)),
            (t.Finished, Html.Text(t.Moment(run.Finished))),
        ];
        return Page.Render(t, t.ReportTitle, request.Title, facts, VerdictBox.Render(context), sections, run.Lethe);
    }
}
