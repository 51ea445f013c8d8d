using Lethe.Reports.Markup;

namespace Lethe.Reports.Sections;

/// <summary>What a linear probe still finds of each forgotten concept in each layer.</summary>
internal static class ProbesSection
{
    public static Html Render(ReportContext context)
    {
        var t = context.Texts;
        if (context.Result.Probes is not { Count: > 0 } probes)
            return Parts.Paragraph(t.ProbesOff);
        var several = context.Result.Concepts.Count > 1;
        var rows = probes.Select(probe => Html.Of($"""
            <tr><th scope="row">{(several ? Html.Of($"{context.Name(probe.Label)} · ") : Html.Empty)}<code>{probe.Layer}</code></th>{Parts.Cell(t, probe.Before, Style.Plain(3))}{Parts.Cell(t, probe.After, Style.Plain(3))}{(probe.Change is { } paired ? Parts.Cell(t, paired, Style.Signed(3)) : Parts.Cell(Numbers.Signed(probe.After.Value - probe.Before.Value, 3)))}</tr>

            """));
        return Html.Of($"""
            {Parts.Paragraph(t.ProbesNote)}
            {Parts.Table("measures", Html.Of($"""
            <thead><tr><th scope="col">{t.AucName}</th><th scope="col" class="num">{t.Before}</th><th scope="col" class="num">{t.After}</th><th scope="col" class="num">{t.Change}</th></tr></thead>
            <tbody>{rows}</tbody>
            """))}
            """);
    }
}
