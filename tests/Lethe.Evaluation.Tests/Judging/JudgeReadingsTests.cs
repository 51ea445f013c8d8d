using Lethe.Evaluation.Judging;
using Lethe.Evaluation.Statistics;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests.Judging;

public sealed class JudgeReadingsTests
{
    /// <summary>A judge of numbers on a line: log-softmax of −(x − c)² for classes c = 0, 1, 2.</summary>
    private static Tensor Judge(Tensor x) => (x - Tensor.FromArray([0f, 1f, 2f])).Square().Neg().LogSoftmax(1);

    private static double[] Distribution(double x)
    {
        double[] weights = [.. Enumerable.Range(0, 3).Select(c => Math.Exp(-(x - c) * (x - c)))];
        return [.. weights.Select(weight => weight / weights.Sum())];
    }

    [TorchFact]
    public void Readings_equal_the_distributions_computed_by_hand()
    {
        float[] asZero = [0, 0.1f, 1.2f, 2.5f], asOne = [1, 0.4f];
        var readings = new JudgeReadings(conditionCount: 2, classCount: 3);
        readings.Read(0, Tensor.FromArray(asZero, 4, 1), Judge, batch: 3);
        readings.Read(1, Tensor.FromArray(asOne, 2, 1), Judge);

        Assert.Equal(4, readings.Count(0));
        var probability = readings.ProbabilityOfAsked([0], Better.Lower);
        Assert.Equal(asZero.Average(x => Distribution(x)[0]), probability.Value, 6);
        Assert.Equal(4, probability.N);
        Assert.Equal(Distribution(1.2f)[0], probability.Items![2], 6);
        Assert.Equal(asZero.Average(x => Entropy.OfProbabilities(Distribution(x))), readings.MeanEntropy([0]).Value, 6);

        Assert.Equal(0.5, readings.ShareJudgedAsAsked([0]).Value); // 0 and 0.1
        Assert.Equal(3 / 6.0, readings.ShareJudgedAsAsked([0, 1]).Value); // and 1; 0.4 goes to 0
        Assert.Equal("wilson", readings.ShareJudgedAsAsked([0]).Interval!.Kind);
        Assert.Equal(0.25, readings.ShareJudgedAs(0, 2).Value);

        Assert.Equal([0.5, 0.25, 0.25], readings.Confusion().Shares[0]);
        Assert.Equal([0.5, 0.5, 0], readings.Confusion().Shares[1]);
    }

    [TorchFact]
    public void The_batch_size_changes_nothing()
    {
        using var stream = new RandomStream(3);
        var samples = Tensor.Randn([50, 1], stream);
        Measure With(int batch)
        {
            var readings = new JudgeReadings(1, 3);
            readings.Read(0, samples, Judge, batch);
            return readings.ProbabilityOfAsked([0]);
        }
        Assert.Equal(With(1_000).Items, With(7).Items);
    }

    [TorchFact]
    public void A_judge_that_is_certain_has_entropy_0_and_not_NaN()
    {
        var readings = new JudgeReadings(2, 2);
        readings.Add(0, Tensor.FromArray([0f, float.NegativeInfinity, float.NegativeInfinity, 0f], 2, 2));
        Assert.Equal(0, readings.MeanEntropy([0]).Value);
        Assert.Equal(0.5, readings.ProbabilityOfAsked([0]).Value);
    }

    [TorchFact]
    public void Logits_are_not_taken_for_probabilities()
    {
        var readings = new JudgeReadings(1, 2);
        var error = Assert.Throws<RunFailedException>(() => readings.Add(0, Tensor.FromArray([2f, 1f], 1, 2)));
        Assert.Contains("log-softmax", error.Message, StringComparison.Ordinal);
        Assert.Throws<RunFailedException>(() => readings.Add(0, Tensor.FromArray([float.NaN, 0f], 1, 2)));
        Assert.Equal(0, readings.Count(0));
    }

    [TorchFact]
    public void Nothing_is_said_of_a_condition_without_samples()
    {
        var readings = new JudgeReadings(2, 2);
        readings.Add(0, Tensor.FromArray([0f, float.NegativeInfinity], 1, 2));
        Assert.Contains("condition 1", Assert.Throws<ArgumentException>(() => readings.ProbabilityOfAsked([0, 1])).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Readings_on_common_noise_pair_up()
    {
        using var stream = new RandomStream(5);
        var noise = Tensor.Randn([400, 1], stream);
        JudgeReadings Of(double shift)
        {
            var readings = new JudgeReadings(1, 3);
            readings.Read(0, noise + shift, Judge);
            return readings;
        }
        Measure before = Of(0).ProbabilityOfAsked([0]), after = Of(0.05).ProbabilityOfAsked([0]);
        var change = PairedDifference.Of(before.Items!, after.Items!);
        Assert.Equal(after.Value - before.Value, change.Value, 12);
        Assert.True(change.StandardError < before.StandardError / 5, $"{change.StandardError} against {before.StandardError}");
    }

    [TorchFact]
    public void Reading_leaves_no_tensor_behind()
    {
        var samples = Tensor.Zeros([10, 1]);
        var readings = new JudgeReadings(1, 3);
        readings.Read(0, samples, Judge);
        var live = Tensor.Live;
        for (var i = 0; i < 5; i++)
            readings.Read(0, samples, Judge, batch: 3);
        Assert.Equal(live, Tensor.Live);
    }

    [TorchFact]
    public void The_floor_of_a_surrogate_is_what_the_judge_makes_of_grey()
    {
        // Two pixels; class 1 where their mean is above 0.5, by 10 nats for each unit.
        static Tensor Grey(Tensor x)
        {
            var lead = (x.Mean(1, keep: true) - 0.5) * 10; // (B, 1)
            return Tensor.Cat([lead.ZerosLike(), lead], 1).LogSoftmax(1);
        }
        using var stream = new RandomStream(7);
        var samples = Tensor.FromArray([0.4f, 0.6f, 0.4f, 0.6f], 2, 2);
        var mean = Tensor.FromArray([0.55f, 0.55f]);
        var floor = SurrogateFloor.Read(Grey, forgotten: 1, mean, samples, count: 4_000, stream, batch: 900);
        var odds = Math.Exp(0.5);
        Assert.Equal(odds / (1 + odds), floor.Probability, 5);
        Assert.Equal(Entropy.OfProbabilities([1 / (1 + odds), odds / (1 + odds)]), floor.Entropy, 5);
        var deviation = Math.Sqrt(0.04 / 3); // four pixels 0.1 from their mean
        Assert.Equal(deviation, floor.Deviation, 5);
        // The mean of two noisy pixels exceeds 0.5 with probability Φ(0.05 / (deviation / √2)).
        var expected = MathNet.Numerics.Distributions.Normal.CDF(0, 1, 0.05 * Math.Sqrt(2) / deviation);
        Assert.InRange(expected, floor.Share.Interval!.Low - 0.01, floor.Share.Interval.High + 0.01);
        Assert.Equal(floor.Share.Value, SurrogateFloor.Read(Grey, 1, mean, samples, 4_000, stream, 900).Share.Value);
    }
}
