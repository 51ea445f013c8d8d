using Lethe.Reports.Markup;
using Lethe.Reports.Sections;

namespace Lethe.Reports.Language;

/// <summary>How a language model was made to forget: method, steps, and every option with the value used.</summary>
internal static class LanguageMethodSection
{
    public static Html Render(LanguageContext context)
    {
        var t = context.Texts;
        var method = context.Result.Method;
        var options = method.Options.Select(option => Html.Of($"""
            <tr><th scope="row"><code>{option.Key}</code></th><td><code>{OptionText.Of(option.Value)}</code></td></tr>

            """));
        var table = Parts.Table("options", Html.Of($"<thead><tr><th scope=\"col\">{t.Option}</th><th scope=\"col\">{t.Value}</th></tr></thead><tbody>{options}</tbody>"));
        var plan = context.Input.Plan is { } text ? Parts.Details(t.Plan, Html.Of($"<pre tabindex=\"0\">{text}</pre>\n")) : Html.Empty;
        return Html.Of($"""
            {Parts.Facts(
                (t.Method, Html.Of($"<code>{method.Name}</code>")),
                (t.Steps, Html.Text(t.StepsOf(Numbers.Count(method.Steps), Numbers.Count(method.MaximumSteps)))),
                (t.StopReason, Html.Text(t.StopWords(method.StopReason))),
                (t.LmTokensSeen, Html.Text(Numbers.Count(method.TokensSeen))),
                (t.LmTrainedNumbers, Html.Text(Numbers.Count(method.TrainedNumbers))))}
            {Parts.Details(t.MethodDetails, table)}{plan}
            """);
    }
}
