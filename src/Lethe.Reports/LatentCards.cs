using System.Globalization;
using Lethe.Reports.Charts;
using Lethe.Reports.Markup;
using Lethe.Reports.Wording;
using Lethe.Runs.SparseAutoencoders;

namespace Lethe.Reports;

/// <summary>The page of latents' cards: where each is largest, token by token, how often it is active on each text, and what it writes.</summary>
public static class LatentCards
{
    /// <summary>Writes the page. The same input gives the same bytes.</summary>
    public static string Render(SaeInspectionResult inspection, ReportLanguage language)
    {
        var words = language == ReportLanguage.Japanese ? LatentWords.Japanese : LatentWords.English;
        var facts = new (string, Html)[]
        {
            (words.Site, Html.Text(inspection.Site)),
            (words.Architecture, Html.Text(inspection.Architecture)),
            (words.Latents, Html.Text(Whole(inspection.Width))),
            (words.Dead, Html.Text(inspection.DeadShare.ToString("P1", CultureInfo.InvariantCulture))),
            (words.Tokens, Html.Text(Whole(inspection.Corpora.Sum(corpus => corpus.Tokens)))),
        };
        Section[] sections = [new("density", words.Density, Density(inspection, words)), .. inspection.Latents.Select(card => new Section($"latent-{Whole(card.Latent)}", words.Latent(card.Latent), Card(card, words)))];
        return Page.Render(Texts.Of(language), words.Kind, Path.GetFileName(Path.TrimEndingDirectorySeparator(inspection.Sae)), facts, Html.Of($"<p>{words.HowToRead}</p>\n"), sections, null);
    }

    private static Html Density(SaeInspectionResult inspection, LatentWords words)
    {
        var edges = inspection.Density.Edges;
        Bar[] bars = [.. inspection.Density.Latents.Select((count, k) => new Bar($"10^{edges[k].ToString("0.0", CultureInfo.InvariantCulture)} … 10^{edges[k + 1].ToString("0.0", CultureInfo.InvariantCulture)}", count, Whole(count)))];
        return Html.Of($"<p>{words.DensityNote}</p>\n{new BarChart(words.Density, bars).Render(560)}");
    }

    private static Html Card(LatentCard card, LatentWords words)
    {
        var largest = card.Contexts.SelectMany(context => context.Values).DefaultIfEmpty(0).Max();
        var rows = card.Corpora.Select(corpus => Html.Of(
            $"<tr><th scope=\"row\">{corpus.Label}</th><td class=\"num\">{corpus.Frequency.ToString("P3", CultureInfo.InvariantCulture)}</td><td class=\"num\">{Number(corpus.MeanActive)}</td><td class=\"num\">{Number(corpus.Largest)}</td></tr>\n"));
        var contexts = card.Contexts.Select(context => Html.Of($"<p class=\"latent-context\">{context.Tokens.Zip(context.Values, (token, value) => Token(token, value, largest))}</p>\n"));
        return Html.Of($"""
            <table><thead><tr><th scope="col">{words.Text}</th><th scope="col" class="num">{words.Active}</th><th scope="col" class="num">{words.MeanActive}</th><th scope="col" class="num">{words.Largest}</th></tr></thead>
            <tbody>
            {rows}</tbody></table>
            <dl>
            <dt>{words.Promoted}</dt><dd>{Words(card.Promoted)}</dd>
            <dt>{words.Suppressed}</dt><dd>{Words(card.Suppressed)}</dd>
            <dt>{words.Similar}</dt><dd>{string.Join(", ", card.Similar.Select(other => $"{Whole(other.Latent)} ({Number(other.Cosine)})"))}</dd>
            </dl>
            <h3>{words.Contexts}</h3>
            {(card.Contexts.Count == 0 ? Html.Of($"<p>{words.Never}</p>\n") : Html.Join(contexts))}
            """);
    }

    // The shade says how strong the latent is there; the tip gives the number, and underlining marks it without colours.
    private static Html Token(string token, double value, double largest)
    {
        var shown = token.Replace("\n", "⏎", StringComparison.Ordinal);
        return value <= 0 || largest <= 0
            ? Html.Text(shown)
            : Html.Of($"<mark style=\"background: rgba(230, 120, 20, {(0.15 + 0.75 * value / largest).ToString("0.00", CultureInfo.InvariantCulture)}); color: inherit\" title=\"{Number(value)}\">{shown}</mark>");
    }

    private static Html Words(IEnumerable<string> tokens) => Html.Join(" ", tokens.Select(token => Html.Of($"<code>{token}</code>")));

    private static string Number(double value) => value.ToString("G3", CultureInfo.InvariantCulture);

    private static string Whole(long value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The words of the page of cards.</summary>
internal sealed record LatentWords(
    string Kind, string Site, string Architecture, string Latents, string Dead, string Tokens, string Density, string DensityNote, string HowToRead,
    string Text, string Active, string MeanActive, string Largest, string Promoted, string Suppressed, string Similar, string Contexts, string Never, string LatentFormat)
{
    public static LatentWords English { get; } = new(
        "Latents of a sparse autoencoder", "Site", "Architecture", "Latents", "Never active", "Tokens read", "Density",
        "How many latents are active on which share of the tokens, in powers of ten. Those at the bottom are active on many tokens and rarely mean one thing.",
        "Each card shows a latent: on how much of each text it is active, which tokens it makes more and less likely when it writes to the output directly, and the places where it is largest. The stronger the shade, the larger the latent; resting on a token shows the number. A good latent responds to one thing that you can name.",
        "Text", "active on", "mean where active", "largest", "Makes more likely", "Makes less likely", "Similar directions (cosine)", "Where it is largest", "No text makes it active.", "Latent {0}");

    public static LatentWords Japanese { get; } = new(
        "スパースオートエンコーダの潜在変数", "位置", "構造", "潜在変数の数", "一度も活性化しない割合", "読んだトークン数", "活性化の頻度",
        "潜在変数がどれだけの割合のトークンで活性化するかを、10 の累乗ごとに数えたもの。下にあるものほど多くのトークンで活性化し、一つの意味を持つことは少ない。",
        "各カードは一つの潜在変数を示す。それぞれの文章のどれだけで活性化するか、直接出力に書くとどのトークンが出やすく、または出にくくなるか、最も強くなる箇所。色が濃いほど値が大きく、トークンにポインタを置くと数値が出る。良い潜在変数は、名前を付けられる一つのものに反応する。",
        "文章", "活性化の割合", "活性時の平均", "最大値", "出やすくするトークン", "出にくくするトークン", "似た方向(コサイン)", "最も強くなる箇所", "どの文章でも活性化しない。", "潜在変数 {0}");

    public string Latent(long number) => string.Format(CultureInfo.InvariantCulture, LatentFormat, number);
}
