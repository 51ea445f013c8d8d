using Lethe.Models.Language.Generation;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language.Generation;

public sealed class TokenSamplingTests
{
    /// <summary>The filters as transformers' logits processors define them, in the slow and obvious way: sort everything, cut, cut again.</summary>
    private static Dictionary<int, double> Obvious(float[] logits, GenerationOptions options)
    {
        var scaled = logits.Select((logit, token) => (Token: token, Logit: logit, Weight: Math.Exp((logit - (double)logits.Max()) / options.Temperature))).OrderByDescending(entry => entry.Logit).ThenBy(entry => entry.Token).ToList();
        if (options.TopK is { } k && k < scaled.Count)
            scaled = [.. scaled.Where(entry => entry.Logit >= scaled[k - 1].Logit)];
        var total = scaled.Sum(entry => entry.Weight);
        if (options.TopP < 1)
        {
            var before = 0.0;
            scaled = [.. scaled.TakeWhile(entry => { var take = before < options.TopP * total || before == 0; before += entry.Weight; return take; })];
        }
        scaled = [.. scaled.Where(entry => entry.Weight >= options.MinP)];
        total = scaled.Sum(entry => entry.Weight);
        return scaled.ToDictionary(entry => entry.Token, entry => entry.Weight / total);
    }

    [Fact]
    public void Filters_keep_what_sorting_and_cutting_keeps()
    {
        var chance = new TokenChance(5);
        for (var trial = 0; trial < 300; trial++)
        {
            var logits = Enumerable.Range(0, 2 + (int)(chance.Next() * 200)).Select(_ => (float)Math.Round(chance.Next() * 12 - 6, trial % 3)).ToArray();
            var options = new GenerationOptions
            {
                Temperature = 0.2 + 2 * chance.Next(),
                TopK = chance.Next() < 0.5 ? 1 + (int)(chance.Next() * 60) : null,
                TopP = chance.Next() < 0.5 ? 0.05 + 0.95 * chance.Next() : 1,
                MinP = chance.Next() < 0.5 ? chance.Next() * 0.5 : 0,
            };
            var (tokens, probabilities) = TokenSampling.Filter(logits, options);
            var expected = Obvious(logits, options);
            Assert.Equal(expected.Keys.Order(), tokens.Order());
            for (var k = 0; k < tokens.Length; k++)
                Assert.Equal(expected[tokens[k]], probabilities[k], 1e-12);
            Assert.Equal(1, probabilities.Sum(), 1e-12);
            Assert.True(probabilities.Zip(probabilities.Skip(1)).All(pair => pair.First >= pair.Second), "likeliest first");
            Assert.Contains(Array.IndexOf(logits, logits.Max()), tokens);
        }
    }

    [Fact]
    public void Draws_follow_the_probabilities_that_the_filters_leave()
    {
        float[] logits = [1, 3, 2, -4, 2.5f];
        var options = new GenerationOptions { Temperature = 0.8, TopK = 4, TopP = 0.97 };
        var (tokens, probabilities) = TokenSampling.Filter(logits, options);
        var chance = new TokenChance(1);
        const int Draws = 40_000;
        var counts = new int[logits.Length];
        for (var k = 0; k < Draws; k++)
            counts[TokenSampling.Draw(logits, options, chance.Next())]++;
        for (var k = 0; k < tokens.Length; k++)
            // Five standard deviations of a share of 40,000 draws are at most 0.0125.
            Assert.Equal(probabilities[k], counts[tokens[k]] / (double)Draws, 0.0125);
        Assert.Equal(Draws, tokens.Sum(token => counts[token]));
    }

    [Fact]
    public void Temperature_0_takes_the_likeliest_and_of_equals_the_first() =>
        Assert.Equal(2, TokenSampling.Draw([0, 1, 7, 7, 3], new GenerationOptions(), 0.99));

    [Fact]
    public void A_penalty_divides_positive_logits_and_multiplies_negative_ones_once()
    {
        float[] logits = [2, -2, 4, 1];
        TokenSampling.Penalise(logits, [0, 1, 0, 1], 2);
        Assert.Equal([1, -4, 4, 1], logits);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Damaged_logits_end_the_run(float damaged) =>
        Assert.Throws<RunFailedException>(() => TokenSampling.Filter([1, damaged, 2], new GenerationOptions { Temperature = 1 }));

    [Theory]
    [InlineData("temperature is -1; it has to be 0 or more")]
    [InlineData("top-k is 0; it has to be at least 1")]
    [InlineData("top-p is 0; it has to be over 0 and at most 1")]
    [InlineData("min-p is 1.5; it has to be 0 to 1")]
    [InlineData("repetition penalty is 0; it has to be over 0")]
    [InlineData("maximum tokens is 0; it has to be at least 1")]
    public void Options_out_of_range_are_refused_by_name(string message)
    {
        GenerationOptions[] wrong =
        [
            new() { Temperature = -1 }, new() { TopK = 0 }, new() { TopP = 0 }, new() { MinP = 1.5 }, new() { RepetitionPenalty = 0 }, new() { MaximumTokens = 0 },
        ];
        Assert.Single(wrong, options => Assert.Throws<UsageException>(options.Validate).Message.Contains(message, StringComparison.Ordinal));
    }
}
