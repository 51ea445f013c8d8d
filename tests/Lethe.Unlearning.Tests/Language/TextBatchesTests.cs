using Lethe.Torch;
using Lethe.Unlearning.Language;

namespace Lethe.Unlearning.Tests.Language;

public sealed class TextBatchesTests
{
    private static readonly int[][] Rows = [[1, 2, 3], [4, 5], [6, 7, 8, 9]];

    [TorchFact]
    public void Rows_are_filled_up_on_the_right_and_first_tokens_do_not_count()
    {
        var batch = TextBatches.Of(Rows, new() { PadToken = 30 }).At(0);
        Assert.Equal((3, 4, 9L, 6L), (batch.Rows, batch.Length, batch.Tokens, batch.Counted));
        Assert.Equal([1, 2, 3, 30, 4, 5, 30, 30, 6, 7, 8, 9], batch.Ids(Device.Cpu).ToArray<long>());
        Assert.Equal([0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1], batch.Mask(DType.Float32, Device.Cpu).ToArray<float>());
        Assert.Null(batch.Attention(Device.Cpu));
        // A model is given the tokens alone.
        var (ids, context) = batch.Input(Device.Cpu);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9], ids.ToArray<long>());
        Assert.Equal([0, 1, 2, 0, 1, 0, 1, 2, 3], context.PositionIds!.ToArray<long>());
        Assert.Equal([0, 0, 0, 1, 1, 2, 2, 2, 2], context.Documents!.ToArray<long>());
        Assert.Equal([1, 2, 4, 6, 7, 8], batch.CountedPlaces(Device.Cpu).ToArray<long>());
        Assert.Equal(9, batch.Positions);
        Assert.Equal([1, 2, 3, 0, 4, 5, 0, 0, 6, 7, 8, 9], batch.Spread(ids.To(DType.Float32).Unsqueeze(-1)).ToArray<float>());
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Seen([3]));
        // Where there is no padding, texts stay below each other.
        Assert.Equal([2, 3], TextBatches.Of([Rows[0], Rows[0]]).At(0).Input(Device.Cpu).Ids.Shape.ToArray());
        Assert.Equal([2, 3, -1, -1, 5, -1, -1, -1, 7, 8, 9, -1], batch.TokenRows().Targets);
    }

    [TorchFact]
    public void Released_batches_are_padded_on_the_left_and_everything_counts()
    {
        var batch = TextBatches.Of(Rows, new() { Padding = PaddingSide.Left, PadToken = 30, CountFirst = true, CountPadding = true, Length = 3 }).At(0);
        Assert.Equal([1, 2, 3, 30, 4, 5, 6, 7, 8], batch.Ids(Device.Cpu).ToArray<long>());
        Assert.Equal([1, 1, 1, 0, 1, 1, 1, 1, 1], batch.Attention(Device.Cpu)!.ToArray<long>());
        Assert.Equal((9, 9), (batch.Counted, batch.Positions));
        Assert.Equal([3, 3], batch.Input(Device.Cpu).Ids.Shape.ToArray());
        Assert.Throws<InvalidOperationException>(() => batch.TokenRows());
    }

    [Fact]
    public void Prompts_are_not_asked()
    {
        var rows = TextBatches.Of([new TextRow([1, 2, 3, 4, 5], FirstTarget: 3)]).At(0).TokenRows();
        Assert.Equal([-1, -1, 4, 5, -1], rows.Targets);
    }

    [Fact]
    public void Batches_stay_and_their_order_changes_with_the_epoch()
    {
        int[][] many = [.. Enumerable.Range(0, 23).Select(k => Enumerable.Repeat(k, 2 + k % 5).ToArray())];
        var (one, same, other) = (TextBatches.Of(many, new() { Seed = 1 }), TextBatches.Of(many, new() { Seed = 1 }), TextBatches.Of(many, new() { Seed = 2 }));
        static long[] Firsts(TextBatches batches, int epoch) => [.. Enumerable.Range(epoch * batches.Count, batches.Count).Select(turn => batches.At(turn).TokenRows().Ids[0])];
        Assert.Equal(6, one.Count);
        Assert.Equal(Firsts(one, 0), Firsts(same, 0));
        Assert.NotEqual(Firsts(one, 0), Firsts(one, 1));
        Assert.Equal(Firsts(one, 0).Order(), Firsts(one, 1).Order());
        Assert.NotEqual(Firsts(one, 0), Firsts(other, 0));
        Assert.All(Enumerable.Range(0, 12), turn => Assert.Contains(one.At(turn), one.Batches));
        var asGiven = TextBatches.Of(many);
        Assert.Equal(Firsts(asGiven, 0), Firsts(asGiven, 1));
        // By length, a batch's shortest is no shorter than the longest of the one before.
        var sorted = TextBatches.Of(many, new() { Seed = 1, ByLength = true });
        Assert.True(sorted.Batches.Sum(batch => (long)batch.Rows * batch.Length) < one.Batches.Sum(batch => (long)batch.Rows * batch.Length));
        Assert.Equal(one.Tokens, sorted.Tokens);
    }

    [Fact]
    public void Texts_without_a_position_that_counts_are_refused_without_being_shown()
    {
        Assert.Contains("at least one", Assert.Throws<BadInputException>(() => TextBatches.Of(Array.Empty<int[]>())).Message);
        Assert.StartsWith("Text 2 of 2 has 1 tokens; at least 2", Assert.Throws<BadInputException>(() => TextBatches.Of([[1, 2], [77]])).Message);
        Assert.Equal(1, TextBatches.Of([[77]], new() { CountFirst = true }).Count);
        Assert.Throws<UsageException>(() => TextBatches.Of(Rows, new() { Rows = 0 }));
    }
}
