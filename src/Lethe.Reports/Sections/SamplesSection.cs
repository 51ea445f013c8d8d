using Lethe.Formats;
using Lethe.Reports.Markup;
using Lethe.Runs.Results;

namespace Lethe.Reports.Sections;

/// <summary>Samples before and after, side by side; rows of forgotten conditions are marked.</summary>
internal static class SamplesSection
{
    public static Html Render(ReportContext context) => context.Input.Samples switch
    {
        SampleRows rows => Rows(context, rows),
        SampleSheets sheets => Sheets(context, sheets),
        _ => Parts.Paragraph(context.Texts.NoSamples),
    };

    private static Html Rows(ReportContext context, SampleRows samples)
    {
        var t = context.Texts;
        var rows = samples.Rows.Select(row => Html.Of($"""
            <div class="strip {Parts.RoleClass(context.Role(row.Label))}">
            <div class="who">{Who(context, row.Label)}</div>
            {Image(row.Before.Span, $"strip of samples of label {row.Label} before", t.SamplesAlt(context.Name(row.Label), t.Before), t.Before)}
            {Image(row.After.Span, $"strip of samples of label {row.Label} after", t.SamplesAlt(context.Name(row.Label), t.After), t.After)}
            </div>

            """));
        return Html.Of($"""
            {Parts.Paragraph(t.SamplesNote)}
            <div class="strips">
            <div class="strip head" aria-hidden="true"><span></span><span>{t.Before}</span><span>{t.After}</span></div>
            {rows}</div>

            """);
    }

    private static Html Sheets(ReportContext context, SampleSheets sheets)
    {
        var t = context.Texts;
        var names = sheets.Labels.Select(label => Html.Of($"<li class=\"{Parts.RoleClass(context.Role(label))}\"><span>{context.Name(label)}</span></li>"));
        return Html.Of($"""
            {Parts.Paragraph(t.SamplesNote)}
            <div class="sheets">
            <ol class="rows">{names}</ol>
            {Image(sheets.Before.Span, "sheet of samples before", t.SheetAlt(t.Before), t.Before)}
            {Image(sheets.After.Span, "sheet of samples after", t.SheetAlt(t.After), t.After)}
            </div>

            """);
    }

    private static Html Who(ReportContext context, int label)
    {
        var t = context.Texts;
        var concept = context.Result.Request.Concepts.FirstOrDefault(asked => asked.Label == label);
        var to = concept is null ? Html.Empty : Html.Of($"<span class=\"to\">→ {t.SurrogateWords(concept, context.Result.Request.Labels)}</span>");
        var chip = context.Role(label) == Roles.Retained ? Html.Empty : Parts.Chip(t, context.Role(label));
        return Html.Of($"<span class=\"name\">{context.Name(label)}</span>{chip}{to}");
    }

    private static Html Image(ReadOnlySpan<byte> bytes, string what, string alt, string when)
    {
        // Decoded in full although the browser will do so again: a damaged image is refused here and not found missing by the reader.
        var png = Png.Decode(bytes, what);
        return Html.Of($"<figure><img src=\"data:image/png;base64,{Convert.ToBase64String(bytes)}\" width=\"{png.Width}\" height=\"{png.Height}\" alt=\"{alt}\" /><figcaption>{when}</figcaption></figure>");
    }
}
