using Lethe.Reports.Markup;

namespace Lethe.Reports.Sections;

/// <summary>How it was done: method, steps, and every option with the value used.</summary>
internal static class MethodSection
{
    public static Html Render(ReportContext context)
    {
        var t = context.Texts;
        var method = context.Result.Method;
        var name = method.Name == "selective-amnesia" ? t.SelectiveAmnesia : method.Name;
        var preset = method.Preset switch { "fixed" => t.PresetFixed, "released" => t.PresetReleased, _ => method.Preset };
        var options = method.Options.Select(option => Html.Of($"""
            <tr><th scope="row"><code>{option.Key}</code></th><td><code>{OptionText.Of(option.Value)}</code></td></tr>

            """));
        var table = Parts.Table("options", Html.Of($"<thead><tr><th scope=\"col\">{t.Option}</th><th scope=\"col\">{t.Value}</th></tr></thead><tbody>{options}</tbody>"));
        var plan = context.Input.Plan is { } text ? Parts.Details(t.Plan, Html.Of($"<pre tabindex=\"0\">{text}</pre>\n")) : Html.Empty;
        return Html.Of($"""
            {Parts.Facts(
                (t.Method, Html.Text(name)),
                (t.Preset, Html.Text(preset)),
                (t.Steps, Html.Text(t.StepsOf(Numbers.Count(method.Steps), Numbers.Count(method.MaximumSteps)))),
                (t.StopReason, Html.Text(t.StopWords(method.StopReason))),
                (t.FisherSamples, Html.Text(Numbers.Count(method.FisherSamples))))}
            {Parts.Details(t.MethodDetails, table)}{plan}
            """);
    }
}
