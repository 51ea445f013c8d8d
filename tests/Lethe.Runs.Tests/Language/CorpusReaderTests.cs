using System.IO.Compression;
using System.Text;
using Lethe.Formats.Tables;
using Lethe.Runs.Language.Corpora;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Language;

public sealed class CorpusReaderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Text_is_divided_by_file_paragraph_line_or_separator_and_documents_know_their_place()
    {
        Write("a.txt", "\nOne.\r\nTwo.\n\n\nThree.\n<|next|>\nFour.\n");

        Assert.Equal([(2, "One.\nTwo.\n\n\nThree.\n<|next|>\nFour.")], Texts(new TextCorpusPlan { Path = "a.txt" }));
        Assert.Equal([(2, "One.\nTwo."), (6, "Three.\n<|next|>\nFour.")], Texts(new TextCorpusPlan { Path = "a.txt", Documents = TextDocuments.Paragraph }));
        Assert.Equal([(2, "One."), (3, "Two."), (6, "Three."), (7, "<|next|>"), (8, "Four.")], Texts(new TextCorpusPlan { Path = "a.txt", Documents = TextDocuments.Line }));
        Assert.Equal([(2, "One.\nTwo.\n\n\nThree."), (8, "Four.")], Texts(new TextCorpusPlan { Path = "a.txt", Separator = "<|next|>" }));
    }

    [Fact]
    public void A_folder_is_read_whole_compressed_files_too_in_the_order_of_names()
    {
        Write("texts/b/two.txt", "second");
        Write("texts/a.txt", "first");
        Write("texts/notes.md", "none");
        using (var gzip = new GZipStream(File.Create(folder["texts", "c.txt.gz"]), CompressionMode.Compress))
            gzip.Write("third"u8);

        Assert.Equal(["first", "second", "third"], Texts(new TextCorpusPlan { Path = "texts" }).Select(document => document.Text));
    }

    [Fact]
    public void Rows_become_documents_by_field_or_template_and_a_limit_ends_them()
    {
        Write("qa.jsonl", "{\"q\": \"Who?\", \"a\": [\"He.\", \"She.\"]}\n\n{\"q\": \"When?\", \"a\": [\"Now.\", \"Then.\"]}\n");
        Write("terms.tsv", "term\tmeaning\nhorse\tsolid-hoofed\n");

        Assert.Equal([(1, "Who?"), (3, "When?")], Texts(new RowsCorpusPlan { Path = "qa.jsonl", Field = "q" }));
        Assert.Equal([(1, "Q: Who?\nA: She."), (3, "Q: When?\nA: Then.")], Texts(new RowsCorpusPlan { Path = "qa.jsonl", Template = "Q: {{q}}\nA: {{a[1]}}" }));
        Assert.Equal([(1, "Who?")], Texts(new RowsCorpusPlan { Path = "qa.jsonl", Field = "q", Limit = 1 }));
        Assert.Equal([(2, "horse: solid-hoofed")], Texts(new RowsCorpusPlan { Path = "terms.tsv", Template = "{{term}}: {{meaning}}" }));
    }

    [Theory]
    [InlineData("{\"text\": \"a\"}\n{\"text\": 7}\n", "line 2", "where text is needed")]
    [InlineData("{\"txt\": \"a\"}\n", "line 1", "did you mean 'txt'")]
    [InlineData("{\"text\": \"a\"}\n\n{\"text\": \n", "line 3", "not JSON")]
    [InlineData("{\"text\": \" \"}\n", "line 1", "empty")]
    public void A_bad_row_is_named_by_file_and_line(string rows, string line, string why)
    {
        Write("rows.jsonl", rows);

        var error = Assert.Throws<BadInputException>(() => Texts(new RowsCorpusPlan { Path = "rows.jsonl", Field = "text" }));
        Assert.StartsWith($"{folder["rows.jsonl"]}, {line}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_there_is_named()
    {
        Directory.CreateDirectory(folder["empty"]);

        Assert.Contains(folder["none.txt"], Assert.Throws<BadInputException>(() => Texts(new TextCorpusPlan { Path = "none.txt" })).Message, StringComparison.Ordinal);
        Assert.Contains("*.txt", Assert.Throws<BadInputException>(() => Texts(new TextCorpusPlan { Path = "empty" })).Message, StringComparison.Ordinal);
        File.WriteAllBytes(folder["latin.txt"], [0x61, 0xE9, 0x0A]);
        Assert.Contains("UTF-8", Assert.Throws<BadInputException>(() => Texts(new TextCorpusPlan { Path = "latin.txt" })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_content_decides_what_is_held_out_and_how_weights_are_rounded()
    {
        var documents = Enumerable.Range(0, 4000).Select(k => new CorpusDocument("a", k, $"document {k}", 2.25)).ToArray();

        // Four standard deviations of a binomial around each share.
        Assert.InRange(documents.Count(document => document.IsHeldOut(0.1)), 400 - 76, 400 + 76);
        Assert.All(documents.Where(document => document.IsHeldOut(0.1)), document => Assert.True(document.IsHeldOut(0.2)));
        Assert.All(documents, document => Assert.Equal(document.IsHeldOut(0.1), new CorpusDocument("b", 0, document.Text, 1).IsHeldOut(0.1)));
        Assert.All(documents, document => Assert.InRange(document.Times, 2, 3));
        Assert.InRange(documents.Count(document => document.Times == 3), 1000 - 110, 1000 + 110);
        Assert.All(documents, document => Assert.False(document.IsHeldOut(0)));
    }

    [Fact]
    public void The_digest_follows_content_and_reading_but_not_the_place()
    {
        Write("a.txt", "one\n\ntwo");
        Write("elsewhere/b.txt", "one\n\ntwo");
        Write("other.txt", "one\n\nthree");
        string Digest(TextCorpusPlan plan) => Reader(plan).Digest;

        var digest = Digest(new() { Path = "a.txt" });
        Assert.Equal(digest, Digest(new() { Path = "elsewhere/b.txt" }));
        Assert.NotEqual(digest, Digest(new() { Path = "other.txt" }));
        Assert.NotEqual(digest, Digest(new() { Path = "a.txt", Documents = TextDocuments.Paragraph }));
        Assert.NotEqual(digest, Digest(new() { Path = "a.txt", Weight = 2 }));
    }

    private CorpusReader Reader(CorpusPlan plan) => new([plan], folder["plan.yaml"]);

    private (int Line, string Text)[] Texts(CorpusPlan plan) => [.. Reader(plan).Read().Select(document => ((int)document.Line, document.Text))];

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder[name])!);
        File.WriteAllText(folder[name], text, new UTF8Encoding(false));
    }
}
