using System.Text;
using Lethe.Reports.Charts;
using Lethe.Reports.Language;
using Lethe.Reports.Markup;
using Lethe.Reports.Sections;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports;

/// <summary>The page of a study: whether the proposed method shows what it was to show, every configuration that was tried, what the chosen ones did, what that cost, and what was not searched.</summary>
public static class StudyReport
{
    /// <summary>Writes the page. The same input gives the same bytes.</summary>
    /// <param name="study">The study, finished.</param>
    /// <param name="language">The language of every text that is the page's own.</param>
    public static string Render(StudyResult study, ReportLanguage language)
    {
        var t = Texts.Of(language);
        IEnumerable<Section> sensitivity = study.Sensitivity is { } found ? [new Section("sensitivity", t.StSensitivityTitle, StudyTuningSections.Sensitivity(found, study.Tuning.Topic, t))] : [];
        Section[] sections =
        [
            new("topics", t.StTopicsTitle, StudyTopicSections.Topics(study, t)),
            new("pooled", t.StPooledTitle, StudyTopicSections.Pooled(study, t)),
            new("retain", t.StRetainTitle, StudyTopicSections.Retain(study, t)),
            new("trade-off", t.StTradeOffTitle, StudyTuningSections.Tried(study, t)),
            .. sensitivity,
            new("budget", t.StBudgetTitle, StudyTuningSections.Budget(study, t)),
            new("not-searched", t.StNotSearchedTitle, StudyTuningSections.NotSearched(study, t)),
            new("glossary", t.GlossaryTitle, GlossarySection.Render(t, [t.LmSwapTerm, t.LmMarginTerm, t.LmFloorTerm, t.LmGapTerm, t.LmNeighbourTerm, t.LmPerplexityTerm, t.LmIntervalTerm])),
        ];
        (string, Html)[] facts = study.Run is { } run ? [(t.Finished, Html.Text(t.Moment(run.Finished)))] : [];
        return Page.Render(t, t.StudyTitle, study.Title, facts, StudyVerdictBox.Render(study, t), sections, study.Run?.Lethe);
    }

    /// <summary>The few lines that a study prints when it ends: verdicts, and a line for each method. Plain text, ending with a line end.</summary>
    /// <param name="study">The study, finished.</param>
    /// <param name="language">The language.</param>
    public static string Summary(StudyResult study, ReportLanguage language)
    {
        var t = Texts.Of(language);
        List<string[]> rows = [[t.StMethod, t.StRole, t.LmGapClosed, t.StLeft, t.LmRetainColumn, t.LmCostColumn, t.StConfiguration]];
        foreach (var method in study.Methods)
            rows.Add([
                method.Name, method.Name == study.StrongestBaseline ? t.StStrongest : t.StRoleWord(method.Role), method.Pooled?.GapClosed is { } closed ? Numbers.Percent(closed.Value, 1) : Numbers.None,
                method.Pooled is { } pooled ? Numbers.Fixed(100 * pooled.Left.Value, 1) : Numbers.None, method.Pooled is { } kept ? Numbers.Signed(100 * kept.Retain.Change.Value, 2) : method.Reported ? t.StFailed : t.StNotReported,
                method.Pooled is { } cost ? Numbers.Fixed(cost.Cost, 2) : Numbers.None, method.Chosen ?? Numbers.None]);
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(cells => TextWidth.Columns(cells[column]))).ToArray();
        var text = new StringBuilder().Append(Unwanted.OneLine(study.Title)).Append('\n').Append(StudyVerdictBox.Headline(study, t)).Append("\n\n");
        foreach (var cells in rows)
            text.Append(string.Concat(cells.Select((cell, column) => Unwanted.OneLine(cell) + new string(' ', 3 + widths[column] - TextWidth.Columns(cell)))).TrimEnd()).Append('\n');
        return text.ToString();
    }
}
