namespace Lethe.Models.Tests;

/// <summary>Which of many things are taken where fewer are asked for, such as texts that latents are scored on.</summary>
public sealed class EvenSampleTests
{
    private static readonly int[][] Texts = [.. Enumerable.Range(0, 100).Select(k => new[] { k, k })];

    [Fact]
    public void Every_part_of_the_texts_keeps_its_share()
    {
        var some = EvenSample.Of(Texts, 30);

        Assert.Equal(30, some.Distinct().Count());
        // A tenth of the texts, wherever it stands, gives a tenth of what is read.
        for (var tenth = 0; tenth < 10; tenth++)
            Assert.Equal(3, some.Count(text => text[0] / 10 == tenth));
    }

    [Fact]
    public void Few_texts_are_all_read_as_they_are()
    {
        Assert.Same(Texts, EvenSample.Of(Texts, 100));
        Assert.Same(Texts, EvenSample.Of(Texts, 10_000));
    }

    [Fact]
    public void Of_nothing_and_for_nothing_there_is_nothing()
    {
        Assert.Empty(EvenSample.Places(0, 5));
        Assert.Empty(EvenSample.Places(5, 0));
    }
}
