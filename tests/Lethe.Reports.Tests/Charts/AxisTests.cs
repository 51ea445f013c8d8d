using Lethe.Reports.Charts;

namespace Lethe.Reports.Tests.Charts;

public sealed class AxisTests
{
    [Theory]
    [InlineData(0, 97, 5, new double[] { 0, 20, 40, 60, 80, 100 })]
    [InlineData(0.871, 0.9265, 5, new[] { 0.87, 0.88, 0.89, 0.90, 0.91, 0.92, 0.93 })]
    [InlineData(-0.3, 4.6, 6, new double[] { -1, 0, 1, 2, 3, 4, 5 })]
    [InlineData(200, 200, 3, new double[] { 100, 200, 300 })]
    [InlineData(0, 0, 5, new[] { 0, 0.2, 0.4, 0.6, 0.8, 1.0 })]
    public void A_linear_axis_ends_at_round_ticks_around_its_values(double low, double high, int target, double[] ticks)
    {
        var axis = Axis.Linear(low, high, target);
        Assert.Equal(ticks, axis.Ticks, (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.Equal(0, axis.Position(ticks[0]), 9);
        Assert.Equal(1, axis.Position(ticks[^1]), 9);
    }

    [Fact]
    public void Ticks_carry_the_decimals_that_tell_them_apart()
    {
        Assert.Equal(0, Axis.Linear(0, 97).Decimals);
        Assert.Equal(1, Axis.Linear(0, 0.45).Decimals);
        Assert.Equal(2, Axis.Linear(0.871, 0.9265).Decimals);
    }

    [Fact]
    public void A_fixed_axis_keeps_its_ends()
    {
        var axis = Axis.Fixed(0, 7, 5);
        Assert.Equal([0, 2, 4, 6], axis.Ticks);
        Assert.Equal(0.5, axis.Position(3.5), 12);
        Assert.Equal(1, axis.Position(9), 12);
    }

    [Fact]
    public void An_axis_of_steps_gives_zero_a_place_and_every_decade_the_same_room()
    {
        var axis = Axis.LogOnePlus(999);
        Assert.Equal([0, 1, 10, 100], axis.Ticks);
        Assert.Equal(0, axis.Position(0));
        Assert.Equal(1.0 / 3, axis.Position(9), 12);
        Assert.Equal(2.0 / 3, axis.Position(99), 12);
        Assert.Equal([0, 1, 2, 5], Axis.LogOnePlus(8).Ticks);
    }
}
