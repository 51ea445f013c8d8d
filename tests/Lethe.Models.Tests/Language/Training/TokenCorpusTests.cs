using System.Buffers.Binary;
using Lethe.Models.Language.Training;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language.Training;

public sealed class TokenCorpusTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lethe-test-").FullName;

    private string File => Path.Combine(folder, "some.tokens");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(300)]
    [InlineData(70_000)]
    public void A_file_gives_back_what_was_written(int vocabulary)
    {
        int[][] documents = [[1, 5, 2], [1, vocabulary - 1], [1, 0, 0, 7, 2]];
        Write(vocabulary, documents);

        using var corpus = TokenCorpus.Open(File);

        Assert.Equal((3, 10L, vocabulary, 1, 60L), (corpus.Documents, corpus.Tokens, corpus.VocabularySize, corpus.Bos, corpus.TextBytes));
        for (var k = 0; k < documents.Length; k++)
            Assert.Equal(documents[k], corpus.Document(k));
        var across = new int[4];
        corpus.Read(2, across);
        Assert.Equal([2, 1, vocabulary - 1, 1], across);
        Assert.Throws<ArgumentOutOfRangeException>(() => corpus.Read(8, new int[3]));
    }

    [Theory]
    [InlineData(0, 9L)]          // magic
    [InlineData(8, 2L)]          // version
    [InlineData(12, 3L)]         // bytes of an id
    [InlineData(24, 1L << 60)]   // documents
    [InlineData(32, 1L << 60)]   // tokens
    [InlineData(32, 9L)]         // tokens that do not make its length
    [InlineData(68, -1L)]        // length of the first document
    public void A_damaged_file_is_refused_by_name(int at, long value)
    {
        Write(300, [[1, 5, 2], [1, 9], [1, 0, 0, 7, 2]]);
        var bytes = System.IO.File.ReadAllBytes(File);
        if (at is 24 or 32)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), value);
        else
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), (int)value);
        System.IO.File.WriteAllBytes(File, bytes);

        Assert.Contains(File, Assert.Throws<BadInputException>(() => TokenCorpus.Open(File)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_ends_early_and_an_id_outside_the_vocabulary_are_refused()
    {
        Write(300, [[1, 5, 2]]);
        var bytes = System.IO.File.ReadAllBytes(File);
        System.IO.File.WriteAllBytes(File, bytes[..^1]);
        Assert.Throws<BadInputException>(() => TokenCorpus.Open(File));

        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(50), 300);
        System.IO.File.WriteAllBytes(File, bytes);
        using var corpus = TokenCorpus.Open(File);
        Assert.Contains("the token 300", Assert.Throws<BadInputException>(() => corpus.Document(0)).Message, StringComparison.Ordinal);
    }

    private void Write(int vocabulary, int[][] documents)
    {
        using var writer = new TokenCorpusWriter(File, vocabulary, 1);
        foreach (var document in documents)
            writer.Add(document, 20);
        writer.Finish();
    }
}
