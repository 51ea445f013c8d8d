using Lethe.Reports.Charts;
using Lethe.Reports.Markup;
using Lethe.Reports.Sections;
using Lethe.Reports.Wording;
using Lethe.Runs.Results;
using Lethe.Unlearning.Language;

namespace Lethe.Reports.Language;

/// <summary>Which features were chosen, what became of them, and where hidden states went.</summary>
internal static class LanguageFeaturesSection
{
    private const int Shown = 12;

    public static Html Render(LanguageFeaturesResult features, Texts t) => Html.Of($"""
        {Parts.Paragraph(t.LmFeaturesNote)}
        {(features.Sites is { } sites ? Sites(features, sites, t) : Html.Empty)}
        {Html.Join(features.Explanation.Layers.Select(layer => Layer(features, layer, t)))}
        {Movement(features, t)}
        """);

    private static Html Sites(LanguageFeaturesResult features, IReadOnlyList<Lethe.Unlearning.Language.Features.SiteSeparation> sites, Texts t)
    {
        var check = features.Check;
        var rows = sites.Select((site, k) => Html.Of($"""
            <tr class="{(features.Chosen.Any(choice => site.Site.Contains($".{Numbers.Plain(choice.Layer)}.", StringComparison.Ordinal)) ? "best" : "other")}"><th scope="row"><code>{site.Site}</code></th>{Parts.Cell(Numbers.Percent(site.Share, 1))}{Parts.Cell(Numbers.Percent(site.Permuted95, 1))}{Parts.Cell(Numbers.Significant(site.FamilyP))}{(check is null ? Html.Empty : Html.Of($"{Parts.Cell(Numbers.Percent(check.Sites[k].ForgetFall.Value, 1))}{Parts.Cell(Numbers.Percent(check.Sites[k].RetainFall.Value, 1))}"))}</tr>

            """));
        var more = check is null ? Html.Empty : Html.Of($"<th scope=\"col\" class=\"num\">{t.LmAblationForget}</th><th scope=\"col\" class=\"num\">{t.LmAblationRetain}</th>");
        var table = Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\">{t.LmSite}</th><th scope=\"col\" class=\"num\">{t.LmSeparation}</th><th scope=\"col\" class=\"num\">{t.LmByChance95}</th><th scope=\"col\" class=\"num\">p</th>{more}</tr></thead><tbody>{rows}</tbody>"));
        return check is null ? table : Html.Of($"{table}{Parts.Paragraph(t.LmAblationNote(check.RankCorrelation is { } rank ? Numbers.Fixed(rank.Value, 2) : "–"))}");
    }

    private static Html Layer(LanguageFeaturesResult features, LayerExplanation layer, Texts t)
    {
        if (layer.Latents.Count == 0)
            return Html.Empty;
        var chosen = features.Chosen.FirstOrDefault(choice => choice.Layer == layer.Layer);
        var relevant = layer.Latents.Where(latent => latent.Relevant).OrderByDescending(latent => latent.ForgetBefore).Take(Shown).ToArray();
        BarChart Chart(string label, Func<LatentMovement, (double Before, double After)> of) => new(label, [.. relevant.Select(latent => new Bar(
            Numbers.Plain(latent.Latent), of(latent).After, Numbers.Significant(of(latent).Before), Numbers.Significant(of(latent).After)) { Mark = of(latent).Before })]) { Columns = [t.Before, t.After] };
        var facts = chosen is null ? Html.Empty : Parts.Facts([
            (t.LmChosen, Html.Text(t.LmChosenOf(Numbers.Count(chosen.Relevant.Count), Numbers.Count(chosen.RelevantCandidates), Numbers.Count(chosen.Irrelevant.Count)))),
            (t.LmRanks, Html.Text($"{Numbers.Count(chosen.Subspaces.RelevantRank)} + {Numbers.Count(chosen.Subspaces.IrrelevantRank)} / {Numbers.Count(chosen.Subspaces.Size)}")),
            .. chosen.Stability is { } stability ? ((string, Html)[])[(t.LmStability, Html.Text($"{Numbers.Fixed(stability, 2)} ({t.LmByChance} {Numbers.Fixed(chosen.StabilityByChance ?? 0, 2)})"))] : []]);
        var (forget, retain) = (t.LmOnForget(Numbers.Plain(layer.Layer)), t.LmOnRetain(Numbers.Plain(layer.Layer)));
        return Html.Of($"""
            {facts}
            {Parts.Pair(Parts.Figure(forget, Parts.Half, Chart(forget, latent => (latent.ForgetBefore, latent.ForgetAfter)).Render), Parts.Figure(retain, Parts.Half, Chart(retain, latent => (latent.RetainBefore, latent.RetainAfter)).Render))}
            {Parts.Paragraph(t.ConfusionBarsNote)}
            """);
    }

    private static Html Movement(LanguageFeaturesResult features, Texts t)
    {
        var rows = features.Explanation.Layers.SelectMany(layer => new[] { (t.LmForgetText, layer.Forget), (t.LmRetainText, layer.Retain) }.Select(entry => Html.Of($"""
            <tr><th scope="row">{t.LmLayer(Numbers.Plain(layer.Layer))}: {entry.Item1}</th>{Parts.Cell(Numbers.Percent(entry.Item2.Relative, 1))}{Share(entry.Item2.Relevant)}{Share(entry.Item2.Irrelevant)}{Share(entry.Item2.ByChance)}</tr>

            """)));
        var inputs = features.Inputs.Select(input => Html.Of($"""
            <tr><th scope="row"><code>{input.Matrix}</code></th>{Parts.Cell($"{Numbers.Count(input.Kept)} / {Numbers.Count(input.Size)}")}{Parts.Cell(Numbers.Percent(input.ProtectedEnergy, 1))}{Parts.Cell(Numbers.Percent(input.ForgetEnergy, 1))}</tr>

            """));
        return Html.Of($"""
            {Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\">{t.LmHiddenStates}</th><th scope=\"col\" class=\"num\">{t.LmMovedBy}</th><th scope=\"col\" class=\"num\">{t.LmInRelevant}</th><th scope=\"col\" class=\"num\">{t.LmInIrrelevant}</th><th scope=\"col\" class=\"num\">{t.LmByChance}</th></tr></thead><tbody>{rows}</tbody>"))}
            {(features.Inputs.Count == 0 ? Html.Empty : Parts.Table("measures", Html.Of($"<thead><tr><th scope=\"col\">{t.Tensor}</th><th scope=\"col\" class=\"num\">{t.LmMayRead}</th><th scope=\"col\" class=\"num\">{t.LmProtectedEnergy}</th><th scope=\"col\" class=\"num\">{t.LmForgetEnergy}</th></tr></thead><tbody>{inputs}</tbody>")))}
            {Parts.Paragraph(t.LmMovementNote)}
            """);

        static Html Share(double? share) => Parts.Cell(share is { } value ? Numbers.Percent(value, 1) : Numbers.None);
    }
}
