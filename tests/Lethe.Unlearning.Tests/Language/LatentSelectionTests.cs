using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Torch;
using Lethe.Unlearning.Language.Features;

namespace Lethe.Unlearning.Tests.Language;

public sealed class LatentSelectionTests
{
    //                                          0    1     2    3    4     5    6  7
    private static readonly double[] Forget = [9.0, 4.0, 16.0, 0.0, 1.0, 1e-6, 0, 0];
    private static readonly double[] Retain = [0.0, 4.0, 1.0, 2.0, 0.01, 0.00, 0, 3];

    private static LatentScores Scores(double[]? causal = null) => new(Forget, Retain,
        [.. Forget.Select(value => Math.Sqrt(value) / 2)], [.. Retain.Select(value => Math.Sqrt(value) / 2)],
        [0.02, 0.5, 0.1, 0, 0.9, 0.001, 0, 0], [0, 0.5, 0.1, 0.2, 0.0005, 0, 0, 0.1], causal);

    [TorchFact]
    public void Relevant_latents_are_the_most_important_above_the_percentile_and_irrelevant_ones_are_alive()
    {
        var options = new LatentSelectionOptions { Relevant = 2, Irrelevant = 3, Percentile = 50 };
        var choice = LatentSelection.Choose(Scores(), options);
        // ε is a thousandth of the mean retain activity: (0+4+1+2+0.01+3)/8 · 1e-3 = 0.00125125.
        var ratio = Scores().Ratio(options);
        Assert.Equal(9 / 0.00125125, ratio[0], 6);
        Assert.Equal([1, 16, 0, 100], new[] { ratio[1], ratio[2], ratio[3], ratio[4] }, (a, b) => Math.Abs(a - b) < 1e-9);
        // Of seven that fire the middle ratio is latent 1's; latents 0, 4, 2 and 1 are at or above it.
        Assert.Equal((1.0, 4), (choice.Threshold, choice.RelevantCandidates));
        Assert.Equal([2, 0], choice.Relevant);
        // 3 and 7 never fire on forget text; 7 is what retain text uses more. 5 and 6 never fire on retain text, 4 too rarely.
        Assert.Equal([7, 3, 1], choice.Irrelevant);
        Assert.Equal(3, choice.IrrelevantCandidates);
    }

    [TorchFact]
    public void Each_published_rule_chooses_as_it_says()
    {
        // Farrell: rare on retain text, then by frequency on forget text.
        Assert.Equal([4, 0, 5], LatentSelection.Choose(Scores(), LatentSelectionOptions.Clamping with { Relevant = 3 }).Relevant);
        // DSG's released code: (mean z)² on both sides.
        var squared = LatentSelectionOptions.DynamicGuardrails with { Percentile = 0, Relevant = 3 };
        Assert.Equal(16.0 / 4, Scores().Importance(LatentImportance.SquaredMean)[2]);
        Assert.Equal([2, 0, 1], LatentSelection.Choose(Scores(), squared).Relevant);
        var causal = new LatentSelectionOptions { Importance = LatentImportance.Causal, Percentile = 0, Relevant = 1 };
        Assert.Equal([4], LatentSelection.Choose(Scores([0, 1, 2, 9, 5, 0, 0, 0]), causal).Relevant); // 3 does not fire on forget text
        Assert.Throws<InvalidOperationException>(() => LatentSelection.Choose(Scores(), causal));
    }

    [TorchFact]
    public void Position_decides_no_tie()
    {
        double[] same = [.. Enumerable.Repeat(1.0, 200)];
        var scores = new LatentScores(same, same, same, same, same, same);
        var options = new LatentSelectionOptions { Relevant = 10, Irrelevant = 10, Percentile = 0 };
        var one = LatentSelection.Choose(scores, options, seed: 1);
        var two = LatentSelection.Choose(scores, options, seed: 2);
        Assert.Equal(one.Relevant, LatentSelection.Choose(scores, options, seed: 1).Relevant);
        Assert.NotEqual(one.Relevant, two.Relevant);
        Assert.Contains(one.Relevant.Concat(two.Relevant), latent => latent > 100);
        Assert.Empty(one.Relevant.Intersect(one.Irrelevant));
    }

    [TorchFact]
    public void Nothing_to_choose_from_is_said()
    {
        double[] none = new double[4], some = [1, 1, 1, 1];
        Assert.Contains("No latent of 4 is relevant", Assert.Throws<BadInputException>(() => LatentSelection.Choose(new(none, some, none, some, none, some), new())).Message, StringComparison.Ordinal);
        Assert.Contains("No latent of 4 is irrelevant", Assert.Throws<BadInputException>(() => LatentSelection.Choose(new(some, none, some, none, some, none), new())).Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Scores_of_weighted_texts_are_those_of_their_tokens()
    {
        using var random = new RandomStream(6);
        var z = Tensor.Randn([10, 3], random).Relu();
        using var texts = TextLatents.Of(z, [0, 0, 0, 1, 1, 2, 2, 2, 2, 2]);
        using var other = TextLatents.Of(z.Flip(0), [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
        var scores = LatentScores.Of(texts, [2, 0, 1], other, [1, 1]);
        var chosen = Tensor.Cat([z.Narrow(0, 0, 3), z.Narrow(0, 0, 3), z.Narrow(0, 5, 5)]).To(DType.Float64);
        Near(chosen.Square().Mean(0L), scores.ForgetSquare);
        Near(chosen.Mean(0L), scores.ForgetMean);
        Near(chosen.Gt(0.0).To(DType.Float64).Mean(0L), scores.ForgetFrequency);
        Near(z.To(DType.Float64).Square().Mean(0L), scores.RetainSquare);

        static void Near(Tensor expected, double[] actual) => Assert.Equal(expected.ToArray<double>(), actual, (a, b) => Math.Abs(a - b) < 1e-6);
    }
}
