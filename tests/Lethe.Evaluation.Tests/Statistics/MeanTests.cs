using Lethe.Evaluation.Statistics;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests.Statistics;

public sealed class MeanTests
{
    [Fact]
    public void The_mean_carries_its_standard_error_and_students_interval()
    {
        var measure = Mean.Of([1, 2, 3, 4, 5], Better.Lower);
        Assert.Equal(3, measure.Value, 12);
        Assert.Equal(5, measure.N);
        Assert.Equal(Math.Sqrt(2.5 / 5), measure.StandardError!.Value, 12);
        // The 97.5 % point of Student's t with 4 degrees of freedom is 2.776445105.
        Assert.Equal(3 + 2.776445105 * Math.Sqrt(0.5), measure.Interval!.High, 8);
        Assert.Equal(3 - 2.776445105 * Math.Sqrt(0.5), measure.Interval.Low, 8);
        Assert.Equal("student", measure.Interval.Kind);
        Assert.Equal(Better.Lower, measure.Better);
        Assert.Equal([1, 2, 3, 4, 5], measure.Items);
    }

    [Fact]
    public void One_item_has_no_spread()
    {
        var measure = Mean.Of([7.5]);
        Assert.Equal(7.5, measure.Value);
        Assert.Null(measure.StandardError);
        Assert.Null(measure.Interval);
    }

    [Fact]
    public void A_large_offset_costs_no_digits()
    {
        var measure = Mean.Of([1e9 + 1, 1e9 + 2, 1e9 + 3]);
        Assert.Equal(1e9 + 2, measure.Value);
        Assert.Equal(1 / Math.Sqrt(3), measure.StandardError!.Value, 9);
    }

    [Fact]
    public void An_item_that_is_not_finite_is_named()
    {
        var error = Assert.Throws<RunFailedException>(() => Mean.Of([1, 2, double.NaN]));
        Assert.Contains("Item 2 of 3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_paired_difference_cancels_what_items_have_in_common()
    {
        double[] before = [100, 200, 300, 400], after = [101, 202, 301, 402];
        var change = PairedDifference.Of(before, after, Better.Lower);
        Assert.Equal(1.5, change.Value, 12);
        Assert.Equal(Math.Sqrt(1.0 / 3) / 2, change.StandardError!.Value, 12); // changes 1 2 1 2: variance 1/3, n = 4
        Assert.Equal([1, 2, 1, 2], change.Items);
        Assert.Equal(-change.Value, PairedDifference.Of(after, before).Value, 12);
    }

    [Fact]
    public void A_paired_difference_needs_the_same_items()
    {
        var error = Assert.Throws<ArgumentException>(() => PairedDifference.Of([1, 2], [1]));
        Assert.Contains("2 items on one side and 1 on the other", error.Message, StringComparison.Ordinal);
    }
}
