using Lethe.Reports.Language;
using Lethe.Reports.Markup;
using Lethe.Reports.Sections;
using Lethe.Reports.Wording;

namespace Lethe.Reports;

/// <summary>
/// The report of an unlearning run on a language model: one HTML file that needs nothing else, for a manager (the box at the top), an engineer (the figures) and
/// an auditor (what was not tested, and where everything came from).
/// </summary>
public static class LanguageUnlearnReport
{
    /// <summary>Writes the page. The same input gives the same bytes.</summary>
    /// <param name="input">The run.</param>
    /// <param name="language">The language of every text that is the report's own.</param>
    /// <returns>The HTML document, for a file in UTF-8.</returns>
    /// <exception cref="Torch.BadInputException">Parts of the result contradict each other.</exception>
    public static string Render(LanguageReportInput input, ReportLanguage language)
    {
        var t = Texts.Of(language);
        var result = input.Result;
        var context = new LanguageContext(input, t, LanguageVerdict.Of(result, input.Rules));
        IEnumerable<Section> features = result.Features is { } found ? [new Section("features", t.LmFeaturesTitle, LanguageFeaturesSection.Render(found, t))] : [];
        (string, Html)[] neverKnew = result.Request.NeverKnew is { } model ? [(t.LmNeverKnew, Html.Of($"<code>{model}</code>"))] : [];
        (string, string)[] neverKnewDigest = result.Request.NeverKnewDigest is { } digest ? [(t.LmNeverKnew, digest)] : [];
        Explained[] terms = context.HasNeverKnew ? [t.LmFloorTerm, t.LmNeverKnewTerm] : [t.LmFloorTerm];
        Section[] sections =
        [
            new("asked", t.AskedTitle, LanguageAskedSection.Render(context)),
            new("forgotten", t.LmForgottenTitle, LanguageKnowledgeSection.Forgotten(context)),
            new("retained", t.LmRetainedTitle, LanguageKnowledgeSection.Retained(context)),
            new("perplexity", t.LmPerplexityTitle, LanguageKnowledgeSection.Perplexity(context)),
            new("answers", t.LmAnswersTitle, LanguageAnswersSection.Render(context)),
            .. features,
            new("moved", t.MovedTitle, LanguageMovedSection.Render(context)),
            new("method", t.MethodTitle, LanguageMethodSection.Render(context), "MEASURE 2.1"),
            new("cost", t.CostTitle, CostSection.Render(result.Cost, t)),
            new(NotTestedSection.Id, t.NotTestedTitle, NotTestedSection.Render(result.NotTested, t), "MANAGE 1.4 · MEASURE 2.5"),
            new("glossary", t.GlossaryTitle, GlossarySection.Render(t, [t.LmSwapTerm, t.LmMarginTerm, t.LmChoiceTerm, .. terms, t.LmGapTerm, t.LmNeighbourTerm, t.LmPerplexityTerm, t.LmIntervalTerm])),
            new("provenance", t.ProvenanceTitle, ProvenanceSection.Render(
                result.Run, [(t.BaseModel, Html.Of($"<code>{result.Request.Model}</code>")), .. neverKnew], [(t.BaseModelWeights, result.Request.ModelDigest), .. neverKnewDigest, (t.LmGround, result.Request.GroundDigest)], input.Files, input.ResultDigest, t)),
        ];
        (string, Html)[] facts =
        [
            (t.BaseModel, Html.Text(result.Request.Model)),
            (t.LmTopic, Html.Text(result.Request.Topic)),
            (t.Run, Html.Text(result.Run.Id)),
            (t.Finished, Html.Text(t.Moment(result.Run.Finished))),
        ];
        return Page.Render(t, t.ReportTitle, result.Request.Title, facts, LanguageVerdictBox.Render(context), sections, result.Run.Lethe);
    }
}
