using Lethe.Evaluation.Statistics;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests.Statistics;

public sealed class AreaUnderRocTests
{
    [Fact]
    public void The_area_equals_scipys_Mann_Whitney_statistic()
    {
        var golden = Golden.Of("auc");
        Golden.Close(golden.Number("auc"), AreaUnderRoc.Of(golden.Numbers("score"), golden.Flags("label")).Value);
    }

    [Fact]
    public void The_standard_error_equals_DeLongs_definition_pair_by_pair()
    {
        var golden = Golden.Of("auc");
        double[] scores = [.. golden.Numbers("score").Select(score => Math.Round(score, 1))]; // with ties
        var labels = golden.Flags("label");
        var (positive, negative) = Placements(scores, labels);
        var expected = Math.Sqrt(Variance(positive) / positive.Length + Variance(negative) / negative.Length);
        var measure = AreaUnderRoc.Of(scores, labels);
        Golden.Close(expected, measure.StandardError!.Value, 1e-12);
        Golden.Close(positive.Average(), measure.Value, 1e-12);
        Assert.InRange(measure.Value, measure.Interval!.Low, measure.Interval.High);
        // Two ways to the same uncertainty: a quarter of the interval is close to the standard error.
        Assert.InRange((measure.Interval.High - measure.Interval.Low) / 3.92 / expected, 0.8, 1.25);
    }

    [Fact]
    public void The_error_of_a_change_equals_the_paired_definition()
    {
        var random = new Random(3);
        var labels = Enumerable.Range(0, 60).Select(i => i % 3 == 0).ToArray();
        double[] before = [.. labels.Select(label => random.Normal() + (label ? 1.5 : 0))];
        double[] after = [.. before.Select(score => 0.5 * score + random.Normal())];
        var (positive, negative) = Placements(before, labels);
        var (positiveAfter, negativeAfter) = Placements(after, labels);
        var differences = positiveAfter.Zip(positive, (x, y) => x - y).ToArray();
        var others = negativeAfter.Zip(negative, (x, y) => x - y).ToArray();
        var change = AreaUnderRoc.Change(before, after, labels);
        Golden.Close(differences.Average(), change.Value, 1e-12);
        Golden.Close(Math.Sqrt(Variance(differences) / differences.Length + Variance(others) / others.Length), change.StandardError!.Value, 1e-12);
    }

    [Fact]
    public void Separable_sets_have_area_1_and_an_interval_that_is_not_empty()
    {
        double[] scores = [1, 2, 3, 4, 5, 6, 7, 8];
        bool[] labels = [false, false, false, false, true, true, true, true];
        var measure = AreaUnderRoc.Of(scores, labels);
        Assert.Equal(1, measure.Value);
        Assert.Equal(0, measure.StandardError);
        Assert.Equal(1, measure.Interval!.High);
        Assert.InRange(measure.Interval.Low, 0.3, 0.9);
        Assert.Equal(0, AreaUnderRoc.Of(scores, [.. labels.Select(label => !label)]).Value);
    }

    [Fact]
    public void Ties_count_one_half() => Assert.Equal(0.5, AreaUnderRoc.Of([3, 3, 3, 3], [true, false, true, false]).Value);

    [Fact]
    public void The_area_depends_on_the_order_only()
    {
        var random = new Random(5);
        var scores = random.Normals(50);
        var labels = scores.Select(score => score + random.Normal() > 0).ToArray();
        var measure = AreaUnderRoc.Of(scores, labels);
        var monotone = AreaUnderRoc.Of([.. scores.Select(Math.Exp)], labels);
        Assert.Equal(measure.Value, monotone.Value, 12);
        Assert.Equal(measure.StandardError!.Value, monotone.StandardError!.Value, 12);
        Assert.Equal(1 - measure.Value, AreaUnderRoc.Of([.. scores.Select(score => -score)], labels).Value, 12);
    }

    [Fact]
    public void One_kind_of_item_is_refused()
    {
        var error = Assert.Throws<RunFailedException>(() => AreaUnderRoc.Of([1, 2], [true, true]));
        Assert.Contains("2 are positive and 0 negative", error.Message, StringComparison.Ordinal);
    }

    private static (double[] Positive, double[] Negative) Placements(double[] scores, bool[] labels)
    {
        double[] high = [.. scores.Where((_, i) => labels[i])], low = [.. scores.Where((_, i) => !labels[i])];
        static double Wins(double x, double y) => x > y ? 1 : x == y ? 0.5 : 0;
        return ([.. high.Select(x => low.Average(y => Wins(x, y)))], [.. low.Select(y => high.Average(x => Wins(x, y)))]);
    }

    private static double Variance(double[] values) => values.Sum(value => Math.Pow(value - values.Average(), 2)) / (values.Length - 1);
}
