using Lethe.Reports.Markup;
using Lethe.Reports.Sections;

namespace Lethe.Reports.Language;

/// <summary>What was asked of a language model, and what it is measured by.</summary>
internal static class LanguageAskedSection
{
    public static Html Render(LanguageContext context)
    {
        var t = context.Texts;
        var request = context.Result.Request;
        var (ground, method) = (request.Ground, context.Result.Method);
        var rows = ground.Topics.Select(topic => Html.Of($"""
            <tr class="{(topic.Topic == request.Topic ? "forgotten" : "retained")}"><th scope="row">{topic.Topic}</th><td>{t.LmRole(topic.Role)}</td>{Count(topic.Entities)}{Count(topic.Trained)}{Count(topic.Texts)}{Count(topic.Questions)}</tr>

            """));
        return Html.Of($"""
            {Parts.Facts(
                (t.LmScope, Html.Of($"<span class=\"quote\">{request.Scope}</span>")),
                (t.ToForget, Html.Text(request.Topic)),
                (t.ToKeep, Html.Text(string.Join(" · ", request.Retained))),
                (t.LmAskedAbout, Html.Text(request.Part == "test" ? t.LmPartTest : t.LmPartValidation)),
                (t.LmTrainedOn, Html.Text(t.LmTexts(Numbers.Count(method.ForgetTexts), Numbers.Count(method.RetainTexts)))))}
            {Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\">{t.LmTopic}</th><th scope=\"col\">{t.LmRoleColumn}</th><th scope=\"col\" class=\"num\">{t.LmEntities}</th><th scope=\"col\" class=\"num\">{t.LmTrainedEntities}</th><th scope=\"col\" class=\"num\">{t.LmTextsColumn}</th><th scope=\"col\" class=\"num\">{t.LmQuestions}</th></tr></thead><tbody>{rows}</tbody>"))}
            {Parts.Paragraph(t.LmSplitNote)}
            {Parts.Paragraph(t.WeightsChanged)}
            """);

        static Html Count(int count) => Parts.Cell(Numbers.Count(count));
    }
}
