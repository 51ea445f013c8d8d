using Lethe.Models.Language.Training;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language.Training;

public sealed class PackedRowsTests
{
    [Fact]
    public void Rows_as_they_lie_ask_for_every_token_but_the_first_once()
    {
        using var corpus = TokenCorpus.From([[10, 11, 12], [20, 21], [30, 31, 32, 33]], 40);

        var rows = new PackedRows(corpus, 3, seed: null);
        var taken = rows.Take(0, (int)rows.PerEpoch);

        Assert.Equal([10, 11, 12, 20, 21, 30, 31, 32, 33], taken.Ids);
        Assert.Equal([11, 12, 20, 21, 30, 31, 32, 33, -1], taken.Targets);
        Assert.Equal([0, 0, 0, 0, 0, 1, 0, 0, 0], taken.Documents);
        Assert.Equal([0, 1, 2, 0, 1, 0, 0, 1, 2], taken.Positions);
    }

    [Fact]
    public void A_document_that_begins_with_bos_or_stands_apart_is_not_predicted_from_the_one_before()
    {
        int[][] documents = [[1, 11, 2], [1, 21, 2]];
        using var begun = TokenCorpus.From(documents, 40, bos: 1);
        using var plain = TokenCorpus.From(documents, 40);

        Assert.Equal([11, 2, -1, 21, 2], new PackedRows(begun, 5, null).Take(0, 1).Targets);
        Assert.Equal([11, 2, 1, 21, 2], new PackedRows(plain, 5, null).Take(0, 1).Targets);
        Assert.Equal([11, 2, -1, 21, 2], new PackedRows(plain, 5, null, separate: true).Take(0, 1).Targets);
    }

    [Fact]
    public void An_epoch_holds_every_document_whole_rows_follow_each_other_and_epochs_differ()
    {
        // Ids tell where a token stands: the token after n is n + 1 within a document.
        var documents = Enumerable.Range(0, 20).Select(k => Enumerable.Range(100 * k, 5 + k).ToArray()).ToArray();
        using var corpus = TokenCorpus.From(documents, 2000);
        var rows = new PackedRows(corpus, 7, seed: 3);

        var epochs = new[] { 0, 1 }.Select(epoch => rows.Take(epoch * rows.PerEpoch, (int)rows.PerEpoch)).ToArray();

        foreach (var epoch in epochs)
        {
            Assert.Equal(epoch.Ids.Length, epoch.Ids.Distinct().Count());
            // At most a row is lost at either end.
            Assert.True(epoch.Ids.Length > corpus.Tokens - 14);
            for (var k = 0; k < epoch.Ids.Length; k++)
                Assert.True(epoch.Targets[k] == epoch.Ids[k] + 1 || epoch.Targets[k] % 100 == 0);
        }
        Assert.NotEqual(epochs[0].Ids, epochs[1].Ids);
    }

    [Fact]
    public void A_batch_across_epochs_equals_the_rows_one_by_one_in_any_order()
    {
        using var corpus = TokenCorpus.From(Enumerable.Range(0, 9).Select(k => Enumerable.Range(10 * k, 6).ToArray()), 100);
        var rows = new PackedRows(corpus, 5, seed: 8);
        var batch = new PackedRows(corpus, 5, seed: 8).Take(rows.PerEpoch - 2, 4);

        foreach (var k in new[] { 3, 0, 2, 1 })
        {
            var one = rows.Take(rows.PerEpoch - 2 + k, 1);
            Assert.Equal(batch.Slice(k, 1).Ids, one.Ids);
            Assert.Equal(batch.Slice(k, 1).Targets, one.Targets);
        }
    }

    [Fact]
    public void A_corpus_too_short_for_a_row_is_refused()
    {
        using var corpus = TokenCorpus.From([[1, 2, 3]], 10);

        Assert.Contains("3 tokens", Assert.Throws<BadInputException>(() => new PackedRows(corpus, 4, 0)).Message, StringComparison.Ordinal);
    }
}
