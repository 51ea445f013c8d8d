using Lethe.Runs.Plans;

namespace Lethe.Runs.Tests.Plans;

public sealed class NearestWordTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("abc", "", 3)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("lamdba", "lambda", 1)]
    [InlineData("Batch-Size", "batch_size", 0)]
    [InlineData("ab", "ba", 1)]
    public void The_distance_counts_edits_and_swaps(string from, string to, int distance)
    {
        Assert.Equal(distance, NearestWord.Distance(from, to));
        Assert.Equal(distance, NearestWord.Distance(to, from));
    }

    [Fact]
    public void Only_a_near_word_is_offered()
    {
        Assert.Equal("strength", NearestWord.Of("strenght", ["steps", "strength"]));
        Assert.Null(NearestWord.Of("xylophone", ["steps", "strength"]));
        Assert.Null(NearestWord.Of("anything", []));
    }
}
