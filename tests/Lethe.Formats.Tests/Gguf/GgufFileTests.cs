using Lethe.Formats.Gguf;

namespace Lethe.Formats.Tests.Gguf;

public sealed class GgufFileTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static RawGguf Good() => new RawGguf().Key("general.architecture", "llama").Key("llama.block_count", 4u).Key("llama.rope.freq_base", 10000f)
        .Key("flag", true).Key("texts", ["a", "", "ü"]).Key("numbers", [-1, 5])
        .Tensor("a.weight", [2, 3], GgufType.F32, new byte[24]).Tensor("b.weight", [32], GgufType.Q8_0, new byte[34]);

    private void Refused(byte[] bytes, params string[] words)
    {
        var path = folder.Write("x.gguf", bytes);
        Check.Refused(() => GgufFile.Open(path), [path, .. words]);
    }

    [Fact]
    public void Keys_have_types_and_a_wrong_one_is_refused_by_name()
    {
        var path = folder.Write("x.gguf", Good().Key("u64", 10, BitConverter.GetBytes(ulong.MaxValue)).Key("i8", 1, 0xff).Key("f64", 12, BitConverter.GetBytes(0.5)).Build());
        using var file = GgufFile.Open(path);
        var metadata = file.Metadata;
        Assert.Equal("llama", metadata.Text("general.architecture"));
        Assert.Equal(4, metadata.Integer("llama.block_count", 1, 10));
        Assert.Equal(10000, metadata.Number("llama.rope.freq_base", 1, 1e9));
        Assert.Equal(0.5, metadata.Number("f64", 0, 1));
        Assert.True(metadata.Flag("flag"));
        Assert.Equal(["a", "", "ü"], metadata.Texts("texts"));
        Assert.Equal([-1, 5], metadata.Integers("numbers"));
        Assert.Equal(-1, metadata.Integer("i8", -5, 5));
        Assert.Null(metadata.Text("none"));
        Assert.Equal(9, metadata.Keys.Count);
        Check.Refused(() => metadata.Integer("u64", 0, long.MaxValue), path, "u64", "18446744073709551615");
        Check.Refused(() => metadata.Integer("llama.block_count", 5, 10), "llama.block_count", "4", "from 5 to 10");
        Check.Refused(() => metadata.Text("flag"), "flag", "true", "a text");
        Check.Refused(() => metadata.Flag("texts"), "texts", "a list of 3 texts");
        Check.Refused(() => metadata.Texts("numbers"), "numbers", "a list of 2 numbers");
        Check.Refused(() => metadata.Number("general.architecture", 0, 1), "'llama'");
    }

    [Fact]
    public void Shapes_are_in_torchs_order_and_version_2_reads_as_3()
    {
        var raw = Good();
        raw.Version = 2;
        using var file = GgufFile.Open(folder.Write("x.gguf", raw.Build()));
        Assert.Equal(2, file.Version);
        Assert.Equal([3, 2], file.Tensor("a.weight").Shape);
        Assert.Equal([3, 2], file.Read("a.weight").Shape);
        Assert.Equal([2, 32], file.ReadRows("b.weight", [0L, 0]).Shape);
        Check.Refused(() => file.Tensor("c.weight"), "'c.weight'", "a.weight, b.weight");
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadRows("a.weight", [3L]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadRows("a.weight", 2, 2, new byte[16]));
        Assert.Throws<ArgumentException>(() => file.ReadRows("a.weight", 0, 2, new byte[15]));
    }

    [Fact]
    public void Other_alignments_are_honoured()
    {
        var bytes = new byte[24];
        bytes[23] = 0x40;
        var raw = new RawGguf { Alignment = 64 }.Key("general.alignment", 64u).Tensor("z", [1], GgufType.F32, new byte[4]).Tensor("a", [6], GgufType.F32, bytes);
        using var file = GgufFile.Open(folder.Write("x.gguf", raw.Build()));
        Assert.Equal(2f, Check.Floats(file.Read("a"))[5]);
        Assert.Equal(0, file.Tensor("a").Offset % 64);
        Refused(new RawGguf().Key("general.alignment", 48u).Build(), "general.alignment", "48", "power of two");
        Refused(new RawGguf().Key("general.alignment", "32").Build(), "general.alignment");
    }

    [Fact]
    public void Types_that_cannot_be_read_are_refused_by_name_when_they_are_read()
    {
        using var file = GgufFile.Open(folder.Write("x.gguf", new RawGguf().Tensor("a", [256], GgufType.Q2_K, new byte[84]).Build()));
        Check.Refused(() => file.Read("a"), "'a'", "Q2_K", "Q6_K");
        Check.Refused(() => file.TypeOf("a"), "Q2_K");
    }

    [Fact]
    public void What_is_no_GGUF_file_is_refused()
    {
        Refused([], "empty");
        Refused([.. "GGUF"u8, 3, 0, 0, 0], "8 bytes");
        Refused(new byte[64], "does not begin with 'GGUF'");
        Refused([.. "GGUF"u8, 0, 0, 0, 3, .. new byte[16]], "big-endian");
        Refused([.. "GGUF"u8, 1, 0, 0, 0, .. new byte[16]], "version 1");
        Check.Refused(() => GgufFile.Open(folder.File("none.gguf")), "no such file");
    }

    [Fact]
    public void Hostile_counts_and_lengths_are_refused_before_memory_is_taken()
    {
        var raw = Good();
        raw.Tensors = ulong.MaxValue;
        Refused(raw.Build(), "the number of tensors", "18446744073709551615", "byte 8");
        raw = Good();
        raw.Keys = 1UL << 40;
        Refused(raw.Build(), "the number of keys", "byte 16");
        Refused(new RawGguf().Key("k", 8, BitConverter.GetBytes(1UL << 62)).Build(), "text length of k", "4611686018427387904");
        Refused(new RawGguf().Key("k", 9, [.. BitConverter.GetBytes(4u), .. BitConverter.GetBytes(1UL << 61)]).Build(), "the length of k");
        Refused(new RawGguf().Key("k", 9, [.. BitConverter.GetBytes(9u), .. BitConverter.GetBytes(1UL)]).Build(), "list of lists");
        Refused(new RawGguf().Key("k", 13, []).Build(), "k has the value type 13");
        Refused(new RawGguf().Key("k", 9, [.. BitConverter.GetBytes(99u), .. new byte[8]]).Build(), "element type 99");
        Refused(new RawGguf().Key("k", 7, 2).Build(), "k has a truth value of 2");
        Refused(new RawGguf().Key("k", 8, [1, 0, 0, 0, 0, 0, 0, 0, 0xff]).Build(), "k at byte", "UTF-8");
        Refused(new RawGguf().Key("k", 4u).Key("k", 4u).Build(), "key k twice");
        Refused(new RawGguf().Key("", 4u).Build(), "is empty");
    }

    [Theory]
    [InlineData(new ulong[] { 0 }, "a dimension of 0")]
    [InlineData(new ulong[] { 1UL << 63 }, "a dimension of 9223372036854775808")]
    [InlineData(new ulong[] { 1UL << 40, 1UL << 40 }, "overflows")]
    [InlineData(new ulong[] { 8, 8 }, "256 bytes")]
    [InlineData(new ulong[] { 1, 1, 1, 1, 1 }, "5 dimensions")]
    public void Shapes_that_the_file_cannot_hold_are_refused(ulong[] dimensions, string words) =>
        Refused(new RawGguf().Tensor("t", dimensions, GgufType.F32, new byte[4]).Build(), "'t'", words);

    [Fact]
    public void Tensors_that_lie_wrongly_are_refused()
    {
        Refused(new RawGguf().Tensor("t", [33], GgufType.Q4_0, new byte[40]).Build(), "'t'", "33", "32");
        Refused(new RawGguf().Tensor("t", [1], (GgufType)31, new byte[4]).Build(), "'t'", "type 31");
        Refused(new RawGguf().Tensor("t", [1], GgufType.F32, new byte[64], offset: 8).Build(), "'t'", "offset 8", "32");
        Refused(new RawGguf().Tensor("t", [1], GgufType.F32, new byte[4], offset: 1UL << 63).Build(), "'t'", "overflows");
        Refused(new RawGguf().Tensor("t", [1], GgufType.F32, new byte[4], offset: long.MaxValue - 31).Build(), "'t'", "truncated");
        Refused(new RawGguf().Tensor("t", [16], GgufType.F32, new byte[64]).Tensor("u", [1], GgufType.F32, new byte[4], offset: 32).Build(), "'u'", "'t'", "overlap");
        Refused(new RawGguf().Tensor("t", [1], GgufType.F32, new byte[4]).Tensor("t", [1], GgufType.F32, new byte[4]).Build(), "'t' twice");
        Refused(new RawGguf().Tensor(new string('n', 65), [1], GgufType.F32, new byte[4]).Build(), "65 bytes", "64");
        Refused(Good().Build()[..^1], "'b.weight'", "truncated");
    }

    [Fact]
    public void Damaged_files_are_refused_or_read_but_never_break_anything()
    {
        byte[][] seeds = [Good().Build(), File.ReadAllBytes(Repository.Fixture("gguf", "llama_q4_0.gguf"))];
        Fuzz.Run(seeds, 3000, bytes =>
        {
            using var file = GgufFile.Open(folder.Write("fuzz.gguf", bytes));
            foreach (var tensor in file.Tensors)
                file.Read(tensor.Name);
        }, maxAllocated: 20 << 20);
    }
}
