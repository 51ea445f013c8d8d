using Lethe.Evaluation;

namespace Lethe.Reports.Tests;

public sealed class NumbersTests
{
    [Theory]
    [InlineData(12345.678, 1, "12,345.7")]
    [InlineData(-0.25, 2, "−0.25")]
    [InlineData(-0.001, 2, "0.00")]
    [InlineData(double.NaN, 2, "–")]
    [InlineData(double.PositiveInfinity, 2, "–")]
    public void Fixed_numbers(double value, int decimals, string text) => Assert.Equal(text, Numbers.Fixed(value, decimals));

    [Theory]
    [InlineData(0.21, "+0.21")]
    [InlineData(-0.21, "−0.21")]
    [InlineData(0.001, "0.00")]
    [InlineData(0, "0.00")]
    public void Changes_show_their_sign_unless_they_round_to_nothing(double value, string text) => Assert.Equal(text, Numbers.Signed(value, 2));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(0.01234, "0.0123")]
    [InlineData(123.4, "123")]
    [InlineData(-4.56e-7, "−4.56×10⁻⁷")]
    [InlineData(1.5e12, "1.50×10¹²")]
    public void Three_significant_digits(double value, string text) => Assert.Equal(text, Numbers.Significant(value));

    [Theory]
    [InlineData(812L << 20, "812 MiB")]
    [InlineData(3L << 29, "1.5 GiB")]
    public void Bytes(long bytes, string text) => Assert.Equal(text, Numbers.Bytes(bytes));

    [Fact]
    public void Shares_show_the_decimals_that_their_items_can_tell_apart()
    {
        Assert.Equal(1, Numbers.ShareDecimals(1_000));
        Assert.Equal(2, Numbers.ShareDecimals(10_000));
        Assert.Equal("0.03%", Numbers.Percent(0.0003, 2));
    }

    [Fact]
    public void The_reach_of_a_measure_is_its_interval_else_its_standard_error_else_itself()
    {
        Assert.Equal(0.09, Numbers.Upper(new Measure(0.03, 10, 0.5, new Interval(0.01, 0.09))));
        Assert.Equal(1 + 0.1 * 1.959964, Numbers.Upper(new Measure(1, 10, 0.1)), 12);
        Assert.Equal(1 - 0.1 * 1.959964, Numbers.Lower(new Measure(1, 10, 0.1)), 12);
        Assert.Equal(1, Numbers.Upper(new Measure(1, 10)));
        Assert.Equal(0.1, Numbers.ErrorOf(new Measure(1, 10, null, new Interval(1 - 0.1959964, 1 + 0.1959964))), 12);
    }
}
