using Lethe.Reports.Markup;
using Lethe.Reports.Sections;

namespace Lethe.Reports.Language;

/// <summary>A few questions with what the model writes, before and after.</summary>
internal static class LanguageAnswersSection
{
    public static Html Render(LanguageContext context)
    {
        var t = context.Texts;
        var answers = context.Result.Answers;
        if (answers.Count == 0)
            return Parts.Paragraph(t.LmNoAnswers);
        var rows = answers.OrderBy(answer => !answer.Forget).Select(answer => Html.Of($"""
            <tr class="{(answer.Forget ? "forgotten" : "retained")}"><th scope="row">{answer.Topic}</th><td>{answer.Question}</td><td>{answer.Expected}</td><td>{Written(answer.Before)}</td><td>{Written(answer.After)}</td>{(answer.NeverKnew is { } never ? Html.Of($"<td>{Written(never)}</td>") : Html.Empty)}</tr>

            """));
        return Html.Of($"""
            {Parts.Table("measures long", Html.Of($"<thead><tr><th scope=\"col\">{t.LmTopic}</th><th scope=\"col\">{t.LmQuestion}</th><th scope=\"col\">{t.LmExpected}</th><th scope=\"col\">{t.Before}</th><th scope=\"col\">{t.After}</th>{(context.HasNeverKnew ? Html.Of($"<th scope=\"col\">{t.LmNeverKnew}</th>") : Html.Empty)}</tr></thead><tbody>{rows}</tbody>"))}
            {Parts.Paragraph(t.LmAnswersNote)}
            """);

        static string Written(string text) => text.Length == 0 ? Numbers.None : text;
    }
}
