using Lethe.Evaluation.Statistics;

namespace Lethe.Evaluation.Tests.Statistics;

public sealed class ProportionTests
{
    [Fact]
    public void Intervals_equal_those_of_statsmodels()
    {
        foreach (var row in Golden.Of("proportion").EnumerateArray())
        {
            long k = row.GetProperty("k").GetInt64(), n = row.GetProperty("n").GetInt64();
            foreach (var (name, interval) in new[] { ("wilson", Proportion.Wilson(k, n)), ("clopper_pearson", Proportion.ClopperPearson(k, n)) })
            {
                var expected = row.Numbers(name);
                Golden.Close(expected[0], interval.Low);
                Golden.Close(expected[1], interval.High);
            }
        }
    }

    [Fact]
    public void No_success_gives_the_closed_form_of_Clopper_and_Pearson()
    {
        Golden.Close(1 - Math.Pow(0.025, 1.0 / 10_000), Proportion.ClopperPearson(0, 10_000).High, 1e-10);
        Assert.Equal(0, Proportion.ClopperPearson(0, 10_000).Low);
    }

    [Theory]
    [InlineData(0, 50)]
    [InlineData(3, 50)]
    [InlineData(25, 50)]
    [InlineData(50, 50)]
    public void Successes_and_failures_mirror_each_other(long k, long n)
    {
        foreach (var (one, other) in new[] { (Proportion.Wilson(k, n), Proportion.Wilson(n - k, n)), (Proportion.ClopperPearson(k, n), Proportion.ClopperPearson(n - k, n)) })
        {
            Assert.Equal(one.Low, 1 - other.High, 12);
            Assert.Equal(one.High, 1 - other.Low, 12);
        }
    }

    [Fact]
    public void Clopper_and_Pearson_cover_at_least_as_much_as_they_say()
    {
        const int n = 30;
        foreach (var p in new[] { 0.03, 0.2, 0.5, 0.77 })
        {
            var covered = 0.0;
            for (var k = 0; k <= n; k++)
            {
                var interval = Proportion.ClopperPearson(k, n);
                if (interval.Low <= p && p <= interval.High)
                    covered += MathNet.Numerics.Distributions.Binomial.PMF(p, n, k);
            }
            Assert.InRange(covered, 0.95, 1);
        }
    }

    [Fact]
    public void A_share_keeps_its_items()
    {
        var share = Proportion.Share([true, false, false, true], Better.Higher);
        Assert.Equal(0.5, share.Value);
        Assert.Equal(4, share.N);
        Assert.Equal(0.25, share.StandardError!.Value, 12);
        Assert.Equal("wilson", share.Interval!.Kind);
        Assert.Equal([1, 0, 0, 1], share.Items);
    }

    [Theory]
    [InlineData(-1, 5)]
    [InlineData(6, 5)]
    [InlineData(0, 0)]
    public void Counts_that_cannot_be_are_refused(long k, long n) => Assert.Throws<ArgumentOutOfRangeException>(() => Proportion.Share(k, n));
}
