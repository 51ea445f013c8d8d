using System.IO.Compression;
using System.Text;
using Lethe.Formats.Tables;
using Lethe.Torch;

namespace Lethe.Formats.Tests.Tables;

public sealed class RowFileTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("rows.jsonl")]
    [InlineData("rows.jsonl.gz")]
    public void Json_lines_keep_their_line_numbers_and_name_their_problems(string name)
    {
        var rows = JsonLinesFile.Read(Write(name, "\uFEFF{\"a\": 1}\r\n\n{\"a\": }\n[1]\n{\"a\": \"\\ud800\"}\n{\"a\": 1, \"a\": 2}\n{\"a\": \"x\u2028y\"}")).ToArray();

        Assert.Equal([1, 3, 4, 5, 6, 7], rows.Select(row => row.Line));
        Assert.Equal([true, false, false, true, false, true], rows.Select(row => row.Problem is null));
        Assert.Equal(1, rows[0].Value.GetProperty("a").GetInt32());
        Assert.Matches("^the line is not JSON: .*\\(byte [0-9]+\\)\\.$", rows[1].Problem!);
        Assert.StartsWith("the line is not a JSON object", rows[2].Problem, StringComparison.Ordinal);
        Assert.Equal("x\u2028y", rows[5].Value.GetProperty("a").GetString());
    }

    [Fact]
    public void Csv_follows_quotes_over_lines_and_names_rows_of_another_length()
    {
        var rows = CsvFile.Read(Write("rows.csv", "\uFEFFq,a\r\n\"say \"\"hi\"\", twice\",\"two\nlines\"\n\nx\ny,\n")).ToArray();

        Assert.Equal([2, 5, 6], rows.Select(row => row.Line));
        Assert.Equal("say \"hi\", twice", rows[0].Value.GetProperty("q").GetString());
        Assert.Equal("two\nlines", rows[0].Value.GetProperty("a").GetString());
        Assert.Equal("the row has 1 fields, and the header 2.", rows[1].Problem);
        Assert.Equal("", rows[2].Value.GetProperty("a").GetString());
    }

    [Theory]
    [InlineData("a,a\n1,2\n", "the header has 'a' more than once")]
    [InlineData("a,b\n1,\"2\n", "line 2: a quoted field never ends")]
    [InlineData("", "is empty; its first line must name the columns")]
    public void A_csv_file_that_is_not_right_is_refused(string text, string part) =>
        Assert.Contains(part, Assert.Throws<BadInputException>(() => CsvFile.Read(Write("rows.csv", text)).ToArray()).Message, StringComparison.Ordinal);

    [Fact]
    public void Text_lines_are_rows_without_the_empty_ones() =>
        Assert.Equal([(2L, " one "), (4L, "two")], TextLinesFile.Read(Write("rows.txt", "\n one \n \t\ntwo")).Select(row => (row.Line, row.Value.GetProperty("text").GetString()!)));

    [Fact]
    public void Long_files_are_read_over_the_ends_of_buffers()
    {
        var texts = Enumerable.Range(0, 3000).Select(i => new string((char)('a' + i % 26), i % 97 + 1)).ToArray();

        Assert.Equal(texts, TextLinesFile.Read(Write("rows.txt.gz", string.Join('\n', texts))).Select(row => row.Value.GetProperty("text").GetString()));
    }

    [Fact]
    public void Damage_is_a_refusal_that_names_the_file()
    {
        var whole = File.ReadAllBytes(Write("rows.jsonl.gz", string.Concat(Enumerable.Range(0, 2000).Select(i => $"{{\"a\": {i * 7919}}}\n"))));
        var cut = Path.Combine(folder.Path, "cut.jsonl.gz");
        File.WriteAllBytes(cut, [.. whole.Take(whole.Length / 2).Select((b, i) => i == whole.Length / 4 ? (byte)(b ^ 0x55) : b)]);
        var latin = Path.Combine(folder.Path, "latin.txt");
        File.WriteAllBytes(latin, [0x61, 0xE9, 0x0A]);

        Assert.Contains("cut.jsonl.gz", Assert.Throws<BadInputException>(() => JsonLinesFile.Read(cut).Count(row => row.Problem is null)).Message, StringComparison.Ordinal);
        Assert.Contains("is not UTF-8 text", Assert.Throws<BadInputException>(() => TextLinesFile.Read(latin).ToArray()).Message, StringComparison.Ordinal);
        Assert.Contains("there is no such file", Assert.Throws<BadInputException>(() => TextLinesFile.Read(latin + "x").ToArray()).Message, StringComparison.Ordinal);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder.Path, name);
        using Stream file = File.Create(path);
        using var stream = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.Fastest) : file;
        stream.Write(Encoding.UTF8.GetBytes(text));
        return path;
    }
}
