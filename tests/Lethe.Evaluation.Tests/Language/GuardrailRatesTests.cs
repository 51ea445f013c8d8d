using Lethe.Evaluation.Language;
using Lethe.Torch;

namespace Lethe.Evaluation.Tests.Language;

public sealed class GuardrailRatesTests
{
    [Fact]
    public void Rates_are_shares_of_texts_and_of_positions()
    {
        GuardedText[] benign = [new(0, 10, 0.1), new(2, 10, 0.5), new(0, 20, 0.2), new(0, 0, 0)];
        GuardedText[] forget = [new(5, 10, 0.9), new(0, 10, 0.3)];
        var rates = GuardrailRates.Of(benign, forget);
        Assert.Equal((0.25, 4, Better.Lower), (rates.FalsePositiveRate.Value, rates.FalsePositiveRate.N, rates.FalsePositiveRate.Better));
        Assert.Equal("wilson", rates.FalsePositiveRate.Interval!.Kind);
        Assert.Equal((0.5, Better.Higher), (rates.InterventionRate!.Value, rates.InterventionRate.Better));
        Assert.Equal((0.05, 40), (rates.BenignPositions.Value, rates.BenignPositions.N));
        Assert.Equal((0.25, 20), (rates.ForgetPositions!.Value, rates.ForgetPositions.N));
        // 0.9 is over all four, 0.3 over three of them.
        Assert.Equal(7 / 8.0, rates.Separation!.Value, 12);
    }

    [Fact]
    public void Without_texts_that_it_is_for_only_false_positives_are_measured()
    {
        var rates = GuardrailRates.Of([new(0, 3, 0)], []);
        Assert.Equal((0, null, null, null), (rates.FalsePositiveRate.Value, rates.InterventionRate, rates.ForgetPositions, rates.Separation));
        Assert.Throws<RunFailedException>(() => GuardrailRates.Of([], [new(0, 3, 0)]));
    }
}
