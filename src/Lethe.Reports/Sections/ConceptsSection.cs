using Lethe.Evaluation;
using Lethe.Reports.Markup;

namespace Lethe.Reports.Sections;

/// <summary>Each forgotten concept: what was measured before and after, beside what the surrogate itself would read.</summary>
internal static class ConceptsSection
{
    public static Html Render(ReportContext context) => Html.Of($"""
        {Parts.Paragraph(context.Texts.ConceptsNote)}
        {Parts.Pair(context.Verdict.Concepts.Select(concept => Table(context, concept)))}
        {Parts.Paragraph(context.Texts.IntervalLegend)}
        """);

    private static Html Table(ReportContext context, ConceptVerdict concept)
    {
        var t = context.Texts;
        var (result, forget) = (concept.Result, concept.Result.Forget);
        var share = Style.Share(Numbers.ShareDecimals(forget.Share.N));
        List<Html> rows =
        [
            Row(t.JudgedAsName(concept.Request.Name), forget.ShareBefore, forget.Share, ReferenceShare(context, concept, share), share),
            Row(t.ProbabilityOfName(concept.Request.Name), forget.ProbabilityBefore, forget.Probability, Parts.Cell(Numbers.Fixed(result.FloorProbability, 4)), Style.Plain(4)),
            Row(t.EntropyName, forget.EntropyBefore, forget.Entropy, Parts.Cell(Numbers.Fixed(result.FloorEntropy, 3)), Style.Plain(3)),
        ];
        if (concept.Request.Target is { } target && result.TargetShare is { } reached)
            rows.Insert(1, Row(t.JudgedAsName(context.Name(target)), null, reached, Parts.Cell(t, result.TargetShareOfBase, share), share));
        rows.Add(Row(t.ElboName, forget.NegativeElboBefore, forget.NegativeElbo, Parts.Cell(Numbers.None), Style.Plain(2)));
        var reference = concept.Request.Target is { } mapped ? t.BaseTarget(context.Name(mapped)) : t.SurrogateItself;
        return Parts.Table("measures", Html.Of($"""
            <thead><tr><th scope="col">{concept.Request.Name}</th><th scope="col" class="num">{t.Before}</th><th scope="col" class="num">{t.After}</th><th scope="col" class="num">{reference}</th></tr></thead>
            <tbody>{rows}</tbody>
            """));

        Html Row(string name, Measure? before, Measure after, Html floor, Style style) =>
            Html.Of($"<tr><th scope=\"row\">{name}</th>{Parts.Cell(t, before, style)}{Parts.Cell(t, after, style)}{floor}</tr>\n");
    }

    private static Html ReferenceShare(ReportContext context, ConceptVerdict concept, Style style)
    {
        if (concept.Result.FloorShare is { } measured && concept.Request.Target is null)
            return Parts.Cell(context.Texts, measured, style);
        return Parts.Cell(concept.Request.Target is null ? Numbers.None : style.Value(concept.ReferenceShare));
    }
}
