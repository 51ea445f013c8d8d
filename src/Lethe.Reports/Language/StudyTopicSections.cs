using Lethe.Evaluation.Language;
using Lethe.Reports.Markup;
using Lethe.Reports.Sections;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports.Language;

/// <summary>What the chosen configurations of a study did: topic by topic, all together, and to what had to stay.</summary>
internal static class StudyTopicSections
{
    /// <summary>Bounds that were broken, in words.</summary>
    public static string Broken(StudyReading reading, Texts t) => reading.Figures is null ? t.StFailed
        : string.Join(t.Language == ReportLanguage.Japanese ? "、" : ", ", reading.Broken.Select(loss => loss switch { UtilityLoss.Retain => t.StBoundRetain, UtilityLoss.Neighbour => t.StBoundNeighbour, _ => t.StBoundPerplexity }));

    public static Html Topics(StudyResult study, Texts t)
    {
        var rows = study.Methods.SelectMany(method => method.Topics.Select(topic => Html.Of($"""
            <tr class="{(method.Role == "proposed" ? "best" : "other")}"><th scope="row">{method.Name}</th><td>{topic.Topic}</td>{Parts.Cell(t, topic.Trained?.GapClosed, Style.Share(1))}{Parts.Cell(t, topic.Trained?.SwapAfter, Style.Share(1))}{Parts.Cell(t, topic.Trained?.MarginAfter, Style.Signed(2))}{Parts.Cell(t, topic.Unseen?.GapClosed, Style.Share(1))}{Parts.Cell(topic.Reading.Figures is { } figures ? Numbers.Fixed(figures.Cost, 2) : Numbers.None)}<td>{Broken(topic.Reading, t)}</td><td>{Seeds(topic)}</td></tr>

            """)));
        return Html.Of($"""
            {Parts.Paragraph(t.StTopicsNote)}
            {Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\">{t.StMethod}</th><th scope=\"col\">{t.LmTopic}</th><th scope=\"col\" class=\"num\">{t.LmGapClosed}</th><th scope=\"col\" class=\"num\">{t.LmSwapName}</th><th scope=\"col\" class=\"num\">{t.LmMarginName}</th><th scope=\"col\" class=\"num\">{t.StUnseen}</th><th scope=\"col\" class=\"num\">{t.LmCostColumn}</th><th scope=\"col\">{t.StBroken}</th><th scope=\"col\">{t.StSeedsColumn}: {t.LmGapClosed}</th></tr></thead><tbody>{rows}</tbody>"))}
            """);
    }

    public static Html Pooled(StudyResult study, Texts t)
    {
        var (share, points) = (Style.Share(1), new Style(value => Numbers.Fixed(100 * value, 1), value => Numbers.Fixed(100 * value, 1)));
        var rows = study.Methods.Where(method => method.Reported).Select(method =>
        {
            var comparison = study.Comparisons.FirstOrDefault(own => own.Method == method.Name);
            var role = method.Name == study.StrongestBaseline ? t.StStrongest : t.StRoleWord(method.Role);
            var holm = comparison is null ? "" : string.Join(", ", comparison.Topics.Select(topic => $"{topic.Topic} {Numbers.Significant(topic.Holm)}"));
            return Html.Of($"""
                <tr class="{(method.Role == "proposed" ? "best" : "other")}"><th scope="row">{method.Name}<span class="i">{role}</span></th>{Parts.Cell(t, method.Pooled?.GapClosed, share)}{Parts.Cell(t, method.Pooled?.Unseen, share)}{Parts.Cell(t, method.Pooled?.Left, points)}{Parts.Cell(t, comparison?.Difference, Style.SignedPoints(1))}{Parts.Cell(t, comparison?.Ratio, Style.Plain(2))}<td>{holm}</td>{Parts.Cell(comparison?.SmallestDetectable is { } least ? Numbers.Fixed(100 * least, 1) : Numbers.None)}</tr>

                """);
        });
        return Html.Of($"""
            {Parts.Paragraph(t.StPooledNote)}
            {Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\">{t.StMethod}</th><th scope=\"col\" class=\"num\">{t.LmGapClosed}</th><th scope=\"col\" class=\"num\">{t.StUnseen}</th><th scope=\"col\" class=\"num\">{t.StLeft}</th><th scope=\"col\" class=\"num\">{t.StDifference}</th><th scope=\"col\" class=\"num\">{t.StRatio}</th><th scope=\"col\">{t.StHolm}</th><th scope=\"col\" class=\"num\">{t.StDetectable}</th></tr></thead><tbody>{rows}</tbody>"))}
            """);
    }

    public static Html Retain(StudyResult study, Texts t)
    {
        var rows = study.Methods.Where(method => method.Pooled is not null).Select(method =>
        {
            var (pooled, retain) = (method.Pooled!, method.Pooled!.Retain);
            return Html.Of($"""
                <tr class="{(method.Role == "proposed" ? "best" : "other")}"><th scope="row">{method.Name}</th>{Parts.Cell(t, retain.Change, Style.SignedPoints(2))}<td>{(retain.NonInferior ? t.StShown : t.StNotShown)}</td>{Parts.Cell(retain.SmallestDetectable is { } least ? Numbers.Fixed(100 * least, 2) : Numbers.None)}{Worst(retain.WorstTopic, retain.WorstChange)}{Worst(retain.WorstNeighbour, retain.WorstNeighbourChange)}<td class="num"><span class="v">{Numbers.Signed(100 * pooled.PerplexityChange, 1)}</span><span class="i">≤ {Numbers.Signed(100 * pooled.WorstPerplexityChange, 1)}</span></td></tr>

                """);
        });
        return Html.Of($"""
            {Parts.Paragraph(t.StRetainNote)}
            {Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\">{t.StMethod}</th><th scope=\"col\" class=\"num\">{t.LmRetainColumn}</th><th scope=\"col\">{t.StNonInferior}</th><th scope=\"col\" class=\"num\">{t.StDetectable}</th><th scope=\"col\" class=\"num\">{t.LmWorstColumn}</th><th scope=\"col\" class=\"num\">{t.StWorstNeighbour}</th><th scope=\"col\" class=\"num\">{t.LmPerplexityColumn}</th></tr></thead><tbody>{rows}</tbody>"))}
            """);
    }

    private static Html Worst(string? topic, double? change) => topic is null || change is null
        ? Parts.Cell(Numbers.None)
        : Html.Of($"<td class=\"num\"><span class=\"v\">{Numbers.Signed(100 * change.Value, 1)}</span><span class=\"i\">{topic}</span></td>");

    private static string Seeds(StudyTopicResult topic) => string.Join(" · ", topic.Seeds.Select(seed => seed.Figures is { } figures ? Numbers.Percent(figures.GapClosed, 0) : Numbers.None));
}
