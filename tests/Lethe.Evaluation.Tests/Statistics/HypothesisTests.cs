using Lethe.Evaluation.Statistics;

namespace Lethe.Evaluation.Tests.Statistics;

/// <summary>Hypothesis tests: McNemar, Kolmogorov–Smirnov, Holm.</summary>
public sealed class HypothesisTests
{
    [Fact]
    public void McNemar_equals_scipys_exact_binomial_test()
    {
        var golden = Golden.Of("mcnemar");
        var result = McNemar.Exact(golden.Flags("x"), golden.Flags("y"));
        Assert.Equal(golden.GetProperty("n01").GetInt64(), result.Gained);
        Assert.Equal(golden.GetProperty("n10").GetInt64(), result.Lost);
        Golden.Close(golden.Number("exact_p"), result.P);
    }

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(0, 5, 2.0 / 32)]
    [InlineData(3, 3, 1)]
    [InlineData(1, 4, 2 * (1 + 5) / 32.0)]
    public void McNemar_equals_the_closed_form(long gained, long lost, double p)
    {
        Assert.Equal(p, McNemar.Exact(gained, lost).P, 12);
        Assert.Equal(p, McNemar.Exact(lost, gained).P, 12);
    }

    [Fact]
    public void Kolmogorov_and_Smirnov_equal_scipy()
    {
        var golden = Golden.Of("ks");
        var result = KolmogorovSmirnov.TwoSample(golden.Numbers("a"), golden.Numbers("b"));
        Golden.Close(golden.Number("statistic"), result.Statistic);
        Golden.Close(golden.Number("pvalue"), result.P);
        Assert.True(result.Exact);
    }

    /// <summary>All C(9, 4) ways in which 4 and 5 values can be mixed are equally likely; count those with D at least as large.</summary>
    [Theory]
    [InlineData(new[] { 0, 1, 2, 3 })]
    [InlineData(new[] { 0, 2, 4, 6 })]
    [InlineData(new[] { 0, 1, 2, 6 })]
    [InlineData(new[] { 2, 4, 5, 8 })]
    public void The_exact_p_value_equals_enumeration(int[] places)
    {
        static double Distance(int set)
        {
            double first = 0, second = 0, largest = 0;
            for (var place = 0; place < 9; place++)
            {
                if ((set >> place & 1) == 1)
                    first += 1.0 / 4;
                else
                    second += 1.0 / 5;
                largest = Math.Max(largest, Math.Abs(first - second));
            }
            return largest;
        }
        var observed = places.Sum(place => 1 << place);
        var all = Enumerable.Range(0, 1 << 9).Where(set => System.Numerics.BitOperations.PopCount((uint)set) == 4).ToArray();
        var expected = all.Count(set => Distance(set) >= Distance(observed) - 1e-9) / (double)all.Length;

        double[] first = [.. places.Select(place => (double)place)];
        double[] second = [.. Enumerable.Range(0, 9).Except(places).Select(place => (double)place)];
        var result = KolmogorovSmirnov.TwoSample(first, second);
        Assert.Equal(Distance(observed), result.Statistic, 12);
        Assert.Equal(expected, result.P, 12);
        Assert.Equal(result, KolmogorovSmirnov.TwoSample(second, first) with { P = result.P });
        // Only the order counts.
        Assert.Equal(result, KolmogorovSmirnov.TwoSample([.. first.Select(Math.Exp)], [.. second.Select(Math.Exp)]));
    }

    [Fact]
    public void Large_samples_use_the_limit_which_agrees_with_counting()
    {
        var random = new Random(1);
        double[] a = random.Normals(10_001), b = [.. random.Normals(9_000).Select(x => x + 0.02)];
        var limit = KolmogorovSmirnov.TwoSample(a, b);
        var exact = KolmogorovSmirnov.TwoSample(a[..10_000], b);
        Assert.False(limit.Exact);
        Assert.True(exact.Exact);
        Assert.InRange(limit.P / exact.P, 0.9, 1.1);
    }

    [Fact]
    public void Equal_samples_do_not_differ() => Assert.Equal(new KolmogorovSmirnovResult(0, 1, true), KolmogorovSmirnov.TwoSample([1, 2, 3], [1, 2, 3]));

    [Fact]
    public void Holm_steps_down()
    {
        // Sorted 0.01 0.02 0.03 0.04: times 4 3 2 1 is 0.04 0.06 0.06 0.04, made monotone.
        Assert.Equal([0.06, 0.04, 0.06, 0.06], Holm.Adjust([0.04, 0.01, 0.03, 0.02]).Select(p => Math.Round(p, 12)));
        Assert.Equal([1, 1], Holm.Adjust([0.6, 0.9]));
        Assert.Empty(Holm.Adjust([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Holm.Adjust([0.5, double.NaN]));
    }
}
