using Lethe.Evaluation.Probing;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests.Probing;

public sealed class LinearProbeTests
{
    /// <summary>
    /// One feature ±1, half each, whose sign agrees with the label in 80 of 100 items of either sign: by symmetry there is no offset, and
    /// the weight solves 100 (σ(w) − 0.8)·2·½ + penalty·w = 0 over 100 items.
    /// </summary>
    [TorchTheory]
    [InlineData(0.01)]
    [InlineData(1)]
    [InlineData(100)]
    public void The_fit_solves_the_equation_of_the_optimum(double penalty)
    {
        var x = new double[200];
        var y = new double[100];
        for (var i = 0; i < 100; i++)
        {
            var sign = i < 50 ? 1 : -1;
            x[2 * i] = sign;
            x[2 * i + 1] = 1; // the offset
            y[i] = (i % 5 != 0) == (sign == 1) ? 1 : 0;
        }
        double low = 0, high = 20;
        for (var i = 0; i < 200; i++)
        {
            var middle = (low + high) / 2;
            if (100 * (1 / (1 + Math.Exp(-middle)) - 0.8) + penalty * middle < 0)
                low = middle;
            else
                high = middle;
        }
        var (weights, iterations) = LinearProbe.Newton(Tensor.FromArray(x, 100, 2), Tensor.FromArray(y), new LinearProbeOptions { Penalty = penalty });
        var fitted = weights.ToArray<double>();
        Assert.Equal(low, fitted[0], 8);
        Assert.Equal(0, fitted[1], 8);
        Assert.InRange(iterations, 1, 12);
    }

    [TorchFact]
    public void What_is_separable_has_area_1_and_what_is_noise_does_not()
    {
        var (activations, positive) = Data(shift: 10);
        Assert.Equal(1, LinearProbe.Fit(activations, positive).Area.Value);

        // 60 random features for 200 fitted items would be told apart well on the items of the fit itself.
        using var random = new RandomStream(2);
        var noise = LinearProbe.Fit(Tensor.Randn([400, 60], random), positive).Area;
        Assert.InRange(noise.Value, 0.5 - 4 * noise.StandardError!.Value, 0.5 + 4 * noise.StandardError.Value);
    }

    [TorchFact]
    public void Fitted_and_tested_items_are_apart_and_hold_both_kinds()
    {
        var (activations, positive) = Data(shift: 1);
        var result = LinearProbe.Fit(activations, positive, new LinearProbeOptions { TestShare = 0.25, Seed = 9 });
        Assert.Equal(100, result.Tested.Count);
        Assert.Equal(100, result.Tested.Distinct().Count());
        Assert.Equal(positive.Count(p => p) / 4.0, result.Positive.Count(p => p), 0.5);
        Assert.Equal(result.Tested.Select(item => positive[item]), result.Positive);
        Assert.Equal(100, result.Area.N);
    }

    [TorchFact]
    public void Shifting_scaling_and_constant_features_change_no_score()
    {
        var (activations, positive) = Data(shift: 1);
        var plain = LinearProbe.Fit(activations, positive);
        var changed = LinearProbe.Fit(Tensor.Cat([activations * 1e4 + 3e5, Tensor.Full([400, 2], 7, DType.Float64)], 1), positive);
        for (var i = 0; i < plain.Scores.Count; i++)
            Assert.Equal(plain.Scores[i], changed.Scores[i], 6);
    }

    [TorchFact]
    public void The_same_seed_gives_the_same_probe_and_changes_pair_up()
    {
        var (activations, positive) = Data(shift: 1);
        var before = LinearProbe.Fit(activations, positive);
        Assert.Equal(before.Scores, LinearProbe.Fit(activations, positive).Scores);

        using var random = new RandomStream(4);
        var after = LinearProbe.Fit(activations + Tensor.Randn([400, 5], random, DType.Float64), positive);
        var change = LinearProbeResult.Change(before, after);
        Assert.Equal(after.Area.Value - before.Area.Value, change.Value, 12);
        Assert.True(change.Value < 0 && change.StandardError > 0, $"{change}");
        var other = LinearProbe.Fit(activations, positive, new LinearProbeOptions { Seed = 1 });
        Assert.Throws<ArgumentException>(() => LinearProbeResult.Change(before, other));
    }

    [TorchFact]
    public void More_features_than_items_still_have_an_optimum()
    {
        using var random = new RandomStream(6);
        bool[] positive = [.. Enumerable.Range(0, 60).Select(i => i % 3 == 0)];
        var result = LinearProbe.Fit(Tensor.Randn([60, 200], random), positive);
        Assert.All(result.Scores, score => Assert.True(double.IsFinite(score)));
    }

    [TorchFact]
    public void Bad_activations_and_labels_are_refused()
    {
        bool[] positive = [true, false, true, false];
        Assert.Throws<RunFailedException>(() => LinearProbe.Fit(Tensor.Full([4, 2], double.NaN), positive));
        Assert.Contains("1 items of the concept", Assert.Throws<ArgumentException>(() => LinearProbe.Fit(Tensor.Zeros([4, 2]), [true, false, false, false])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => LinearProbe.Fit(Tensor.Zeros([3, 2]), positive));
        Assert.Throws<UsageException>(() => LinearProbe.Fit(Tensor.Zeros([4, 2]), positive, new LinearProbeOptions { Penalty = 0 }));
    }

    /// <summary>400 items of five features, a quarter positive and moved along the first.</summary>
    private static (Tensor Activations, bool[] Positive) Data(double shift)
    {
        using var random = new RandomStream(1);
        bool[] positive = [.. Enumerable.Range(0, 400).Select(i => i % 4 == 0)];
        var activations = Tensor.Randn([400, 5], random, DType.Float64);
        activations.Narrow(1, 0, 1).AddInPlace(Tensor.FromArray(positive.Select(p => p ? shift : 0).ToArray(), 400, 1));
        return (activations, positive);
    }
}
