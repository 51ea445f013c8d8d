using Lethe.Reports.Markup;
using Lethe.Runs.Results;

namespace Lethe.Reports.Sections;

/// <summary>What was asked: concepts, what replaces them, what had to stay, what was left free, and who judges.</summary>
internal static class AskedSection
{
    public static Html Render(ReportContext context)
    {
        var t = context.Texts;
        var request = context.Result.Request;
        var rows = request.Concepts.Select(concept => Html.Of($"""
            <tr class="forgotten"><th scope="row">{concept.Name}</th><td>{t.SurrogateWords(concept, request.Labels)}</td><td class="quote">{concept.Detail}</td></tr>

            """));
        var free = context.Result.Classes.Where(c => c.Role == Roles.Free).Select(c => c.Name).ToArray();
        List<(string, Html)> facts = [(t.ToKeep, Names(request.Retained.Select(context.Name)))];
        if (free.Length > 0)
            facts.Add((t.LeftFree, Html.Of($"{Names(free)}<br /><span class=\"note\">{t.LeftFreeNote}</span>")));
        if (context.Result.Judge is { } judge)
            facts.Add((t.Judge, Html.Of($"<code>{judge.Name}</code><br /><span class=\"note\">{JudgeAccuracy(context, judge)}</span>")));
        return Html.Of($"""
            {Parts.Table("asked", Html.Of($"<thead><tr><th scope=\"col\">{t.ToForget}</th><th scope=\"col\">{t.Replacement}</th><th scope=\"col\">{t.InPlanWords}</th></tr></thead><tbody>{rows}</tbody>"))}
            {Parts.Facts(facts)}
            {Parts.Paragraph(t.WeightsChanged)}
            """);
    }

    private static Html Names(IEnumerable<string> names) => Html.Join(" · ", names.Select(name => Html.Of($"<span class=\"name\">{name}</span>")));

    private static string JudgeAccuracy(ReportContext context, JudgeFacts judge)
    {
        var style = Style.Share(Numbers.ShareDecimals(judge.Accuracy.N));
        return context.Texts.JudgeAccuracy(style.Value(judge.Accuracy.Value), Parts.IntervalWords(context.Texts, judge.Accuracy, style, "%"), Numbers.Count(judge.Accuracy.N));
    }
}
