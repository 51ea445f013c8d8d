using Lethe.Evaluation.Judging;

namespace Lethe.Evaluation.Tests.Judging;

public sealed class VerdictTests
{
    [Fact]
    public void Entropy_is_ln_C_where_all_classes_are_alike()
    {
        Assert.Equal(Math.Log(10), Entropy.OfProbabilities([.. Enumerable.Repeat(0.1, 10)]), 12);
        Assert.Equal(Math.Log(10), Entropy.OfLogProbabilities([.. Enumerable.Repeat(-Math.Log(10), 10)]), 12);
    }

    [Fact]
    public void A_probability_of_0_counts_as_0()
    {
        Assert.Equal(Math.Log(2), Entropy.OfProbabilities([0.5, 0.5, 0]), 12);
        Assert.Equal(0, Entropy.OfProbabilities([0, 1, 0]));
        Assert.Equal(0, Entropy.OfLogProbabilities([double.NegativeInfinity, 0]));
        // What underflows in single precision is −∞ in neither logarithm nor entropy.
        Assert.Equal(0, Entropy.OfLogProbabilities([-800, 0]));
    }

    [Fact]
    public void The_order_of_classes_does_not_matter_and_both_forms_agree()
    {
        double[] p = [0.7, 0.05, 0.2, 0.05];
        var entropy = Entropy.OfProbabilities(p);
        Assert.Equal(entropy, Entropy.OfProbabilities([.. p.Reverse()]), 12);
        Assert.Equal(entropy, Entropy.OfLogProbabilities([.. p.Select(x => Math.Log(x))]), 12);
    }

    [Fact]
    public void A_negative_probability_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => Entropy.OfProbabilities([1.5, -0.5]));

    [Fact]
    public void Confusion_counts_where_samples_went()
    {
        var confusion = Confusion.Count(conditions: [0, 0, 0, 0, 2, 2], verdicts: [1, 1, 3, 0, 2, 2], conditionCount: 3, classCount: 4);
        Assert.Equal([0.25, 0.5, 0, 0.25], confusion.Shares[0]);
        Assert.Equal([0, 0, 0, 0], confusion.Shares[1]);
        Assert.Equal([0, 0, 1, 0], confusion.Shares[2]);
        Assert.Equal(4, confusion.Total(0));
        Assert.Equal(2, confusion[0, 1]);
        var share = confusion.Share(0, 1, Better.Lower);
        Assert.Equal(0.5, share.Value);
        Assert.Equal(4, share.N);
        Assert.Equal("wilson", share.Interval!.Kind);
    }

    [Fact]
    public void A_verdict_outside_the_classes_is_refused() =>
        Assert.Contains("verdict 4 of 4", Assert.Throws<ArgumentException>(() => Confusion.Count([0], [4], 1, 4)).Message, StringComparison.Ordinal);
}
