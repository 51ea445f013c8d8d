using Lethe.Reports.Charts;
using Lethe.Reports.Tests.Example;

namespace Lethe.Reports.Tests;

public sealed class TextSummaryTests
{
    [Fact]
    public void English() => Assert.Equal(
        """
        Example, figures made up: forget “Sneaker” and “Shirt”
        Forgotten, as far as measured; the rest is kept. Traces seem to remain in the weights.

                                                   Before    After   95% interval
        Sneaker → uniform noise
          Judged as “Sneaker”                      97.12%    0.03%   0.01–0.09
          Probability of “Sneaker”                 0.9514   0.0411   0.0397–0.0425
          Entropy, nats                             0.064    1.604   1.602–1.606
          −ELBO of real images, nats               199.40   587.60   580.35–594.85
        Shirt → samples of “T-shirt/top”
          Judged as “Shirt”                        68.71%    6.98%   6.50–7.50
          Judged as “T-shirt/top”                           85.71%   85.01–86.38
          Probability of “Shirt”                   0.6604   0.0741   0.0727–0.0755
          Entropy, nats                             0.821    0.392   0.390–0.394
          −ELBO of real images, nats               246.90   278.70   271.45–285.95
        To keep: 8
          Judged as asked                          92.46%   92.24%   92.05–92.42
          Change of −ELBO of real images, nats               +0.45   +0.43 to +0.48
          Fréchet distance, judge’s features        14.82    15.07   ± 0.33
        Relearning: Sneaker
          Steps until it is back, by samples                   100   control: 200
          Steps until it is back, by real images               500   control: not within 1,000
        Relearning: Shirt
          Steps until it is back, by samples                   200   control: 1,000

        2 min 46 s in all, with at most 812 MiB of memory in use.

        """,
        TextSummary.Render(ExampleRun.Result, ReportLanguage.English));

    [Fact]
    public void In_Japanese_the_columns_line_up_in_a_terminal()
    {
        var lines = TextSummary.Render(ExampleRun.Result, ReportLanguage.Japanese).Split('\n');
        Assert.Equal("測定した範囲では忘却を確認。維持対象への影響は軽微。ただし、重みに痕跡が残る可能性あり。", lines[1]);
        int End(string figure)
        {
            var line = lines.First(line => line.Contains(figure));
            return TextWidth.Columns(line[..(line.IndexOf(figure, StringComparison.Ordinal) + figure.Length)]);
        }
        Assert.Single(new[] { "0.03%", "0.0411", "85.71%", "15.07", "処理後" }.Select(End).Distinct());
        Assert.Single(new[] { "97.12%", "0.9514", "14.82", "処理前" }.Select(End).Distinct());
        Assert.Contains("合計2分46秒、最大メモリ使用量は812 MiBでした。", lines);
    }

    [Theory]
    [InlineData(ReportLanguage.English)]
    [InlineData(ReportLanguage.Japanese)]
    public void Names_cannot_steer_the_terminal_nor_add_lines(ReportLanguage language)
    {
        const string Hostile = "\u001b[2J\u0007\nroot# \u202E";
        var result = ExampleRun.Result;
        var hostile = result with
        {
            Request = result.Request with { Title = Hostile, Labels = [.. result.Request.Labels.Select(_ => Hostile)], Concepts = [.. result.Request.Concepts.Select(concept => concept with { Name = Hostile })] },
        };
        var text = TextSummary.Render(hostile, language);
        Assert.Equal(TextSummary.Render(result, language).Count(c => c == '\n'), text.Count(c => c == '\n'));
        Assert.DoesNotContain(text, c => (char.IsControl(c) && c != '\n') || c == '\u202E');
    }
}
