using Lethe.Runs.Language.Unlearning;

namespace Lethe.Runs.Tests.Language;

/// <summary>Which texts latents are scored on where there are more than the plan asks for.</summary>
public sealed class FeatureTextsTests
{
    private static readonly int[][] Texts = [.. Enumerable.Range(0, 100).Select(k => new[] { k, k })];

    [Fact]
    public void Every_part_of_the_texts_keeps_its_share()
    {
        var some = FeatureStages.Some(Texts, 30);

        Assert.Equal(30, some.Distinct().Count());
        // A tenth of the texts, wherever it stands, gives a tenth of what is read.
        for (var tenth = 0; tenth < 10; tenth++)
            Assert.Equal(3, some.Count(text => text[0] / 10 == tenth));
    }

    [Fact]
    public void Few_texts_are_all_read_as_they_are()
    {
        Assert.Same(Texts, FeatureStages.Some(Texts, 100));
        Assert.Same(Texts, FeatureStages.Some(Texts, 10_000));
    }
}
