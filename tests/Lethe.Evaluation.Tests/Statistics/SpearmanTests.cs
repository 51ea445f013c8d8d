using Lethe.Evaluation.Statistics;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests.Statistics;

public sealed class SpearmanTests
{
    [Fact]
    public void The_correlation_equals_scipy()
    {
        var golden = Golden.Of("spearman");
        var measure = Spearman.Correlation(golden.Numbers("a"), golden.Numbers("b"));
        Golden.Close(golden.Number("rho"), measure.Value);
        Assert.InRange(measure.Value, measure.Interval!.Low, measure.Interval.High);
    }

    [Fact]
    public void Without_ties_the_correlation_equals_the_textbook_formula()
    {
        // 1 − 6 Σd² / (n(n² − 1)); ranks 1 2 3 4 5 against 2 1 4 3 5: Σd² = 4
        Assert.Equal(1 - 6 * 4 / (5.0 * 24), Spearman.Correlation([10, 20, 30, 40, 50], [2, 1, 4, 3, 5]).Value, 12);
    }

    [Fact]
    public void Ties_share_their_rank()
    {
        // Ranks 1.5 1.5 3 against 1 2 3: Pearson's correlation is √3/2.
        Assert.Equal(Math.Sqrt(3) / 2, Spearman.Correlation([5, 5, 7], [1, 2, 3]).Value, 12);
    }

    [Fact]
    public void A_monotone_map_changes_nothing_and_a_reversal_changes_the_sign()
    {
        var random = new Random(2);
        double[] a = random.Normals(25), b = [.. a.Select(x => x + random.Normal())];
        var rho = Spearman.Correlation(a, b).Value;
        Assert.Equal(rho, Spearman.Correlation([.. a.Select(Math.Exp)], b).Value, 12);
        Assert.Equal(rho, Spearman.Correlation(b, a).Value, 12);
        Assert.Equal(-rho, Spearman.Correlation(a, [.. b.Select(x => -x)]).Value, 12);
    }

    [Fact]
    public void A_perfect_order_has_no_interval()
    {
        var measure = Spearman.Correlation([1, 2, 3, 4, 5], [2, 4, 8, 16, 32]);
        Assert.Equal(1, measure.Value, 12);
        Assert.Null(measure.Interval);
    }

    [Fact]
    public void Values_without_an_order_are_refused() => Assert.Throws<RunFailedException>(() => Spearman.Correlation([1, 1, 1], [1, 2, 3]));
}
