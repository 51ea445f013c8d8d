using Lethe.Reports.Charts;

namespace Lethe.Reports.Tests.Charts;

public sealed class TextWidthTests
{
    [Theory]
    [InlineData("Sneaker", 7)]
    [InlineData("処理前", 6)]
    [InlineData("「A」と", 7)]
    [InlineData("（nat）", 7)]
    [InlineData("e\u0301", 1)]
    public void Columns_of_a_terminal(string text, int columns) => Assert.Equal(columns, TextWidth.Columns(text));

    [Fact]
    public void East_Asian_characters_are_square() => Assert.Equal(36, TextWidth.Of("処理前", 12), 9);

    [Fact]
    public void A_text_that_fits_is_kept_and_a_longer_one_is_cut_with_an_ellipsis_within_the_width()
    {
        Assert.Equal("fc1.weight", TextWidth.Fit("fc1.weight", 12, 200));
        var cut = TextWidth.Fit("a.very.long.name.of.a.tensor.weight", 12, 100);
        Assert.EndsWith("…", cut);
        Assert.InRange(TextWidth.Of(cut, 12), 60, 100 + 12);
    }
}
