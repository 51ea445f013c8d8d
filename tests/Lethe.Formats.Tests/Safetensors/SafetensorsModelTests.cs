namespace Lethe.Formats.Tests.Safetensors;

public sealed class SafetensorsModelTests : IDisposable
{
    private const string A = "model-00001-of-00002.safetensors", B = "model-00002-of-00002.safetensors";
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string IndexPath => folder.File(SafetensorsIndex.FileName);

    private void Index(string json) => File.WriteAllText(IndexPath, json);

    /// <summary>Two shards: a and b in the first, c in the second.</summary>
    private void TwoShards()
    {
        SafetensorsWriter.Write(folder.File(A), [Make.Named("a", Make.Bytes([2], 1, 2)), Make.Named("b", Make.Bytes([1], 3))]);
        SafetensorsWriter.Write(folder.File(B), [Make.Named("c", Make.Floats([1], 4))]);
        Index($"{{\"metadata\":{{\"total_size\":7}},\"weight_map\":{{\"a\":\"{A}\",\"b\":\"{A}\",\"c\":\"{B}\"}}}}");
    }

    [Fact]
    public void Shards_are_read_as_one_model()
    {
        TwoShards();
        using var model = SafetensorsModel.Open(folder.Path);
        Assert.Equal(["a", "b", "c"], model.Entries.Select(entry => entry.Name));
        Check.Same(Make.Floats([1], 4), model.Read("c"));
        Assert.EndsWith(B, model.FileOf("c").Path, StringComparison.Ordinal);
        Check.Refused(() => model.Read("d"), "'d'", "a, b, c");
        using var byIndex = SafetensorsModel.Open(IndexPath);
        Assert.Equal(2, byIndex.Files.Count);
    }

    [Fact]
    public void A_single_file_is_a_model_by_its_own_name_or_its_folders()
    {
        SafetensorsWriter.Write(folder.File("vae.safetensors"), [Make.Named("a", Make.Bytes([1], 1))]);
        using (var model = SafetensorsModel.Open(folder.Path))
            Assert.True(model.Contains("a"));
        using (var model = SafetensorsModel.Open(folder.File("vae.safetensors")))
            Assert.Null(model.IndexPath);
        SafetensorsWriter.Write(folder.File("other.safetensors"), [Make.Named("b", Make.Bytes([1], 1))]);
        Check.Refused(() => SafetensorsModel.Open(folder.Path), "more than one");
        SafetensorsWriter.Write(folder.File("model.safetensors"), [Make.Named("c", Make.Bytes([1], 1))]);
        using (var model = SafetensorsModel.Open(folder.Path))
            Assert.True(model.Contains("c"));
    }

    [Fact]
    public void An_empty_folder_and_a_missing_file_are_refused()
    {
        Check.Refused(() => SafetensorsModel.Open(folder.Path), "model.safetensors");
        Check.Refused(() => SafetensorsModel.Open(folder.File("none.safetensors")), "no such file");
    }

    [Theory]
    [InlineData("../evil.safetensors"), InlineData("/etc/passwd"), InlineData(".."), InlineData("."), InlineData(""), InlineData("a/b.safetensors"), InlineData("..\\\\evil.safetensors"), InlineData("a\\u0000b")]
    public void A_file_outside_the_folder_is_refused(string file)
    {
        Index($"{{\"weight_map\":{{\"a\":\"{file}\"}}}}");
        Check.Refused(() => SafetensorsModel.Open(folder.Path), "index.json", "'a'", "same folder");
    }

    [Fact]
    public void A_tensor_that_its_shard_lacks_is_refused()
    {
        TwoShards();
        Index($"{{\"weight_map\":{{\"a\":\"{A}\",\"d\":\"{B}\"}}}}");
        Check.Refused(() => SafetensorsModel.Open(folder.Path), "'d'", B);
        Index($"{{\"weight_map\":{{\"a\":\"{B}\",\"c\":\"{A}\"}}}}");
        Check.Refused(() => SafetensorsModel.Open(folder.Path), "'a'", B);
        Assert.False(MappedFile.IsMapped(folder.File(A)), "a model that is refused leaves nothing open");
    }

    [Fact]
    public void A_tensor_that_two_shards_hold_is_refused()
    {
        TwoShards();
        SafetensorsWriter.Write(folder.File(B), [Make.Named("c", Make.Floats([1], 4)), Make.Named("a", Make.Bytes([1], 1))]);
        Check.Refused(() => SafetensorsModel.Open(folder.Path), "'a'", A, B);
    }

    [Fact]
    public void A_tensor_that_the_index_forgot_is_not_hidden()
    {
        TwoShards();
        Index($"{{\"weight_map\":{{\"a\":\"{A}\",\"c\":\"{B}\"}}}}");
        using var model = SafetensorsModel.Open(folder.Path);
        Assert.True(model.Contains("b"));
    }

    [Fact]
    public void A_missing_shard_is_refused_by_name()
    {
        TwoShards();
        File.Delete(folder.File(B));
        Check.Refused(() => SafetensorsModel.Open(folder.Path), B, "no such file");
    }

    [Theory]
    [InlineData("", "JSON"), InlineData("[]", "object"), InlineData("{}", "no weight_map"), InlineData("{\"weight_map\":[]}", "object"), InlineData("{\"weight_map\":{\"a\":1}}", "'a'")]
    [InlineData("{\"weight_map\":{\"a\":\"x\",\"a\":\"y\"}}", "'a' twice"), InlineData("{\"weight_map\":{},\"weight_map\":{}}", "weight_map twice"), InlineData("{\"weight_map\":{}} x", "JSON"), InlineData("{\"weight_map\":{", "JSON")]
    public void An_index_that_is_none_is_refused(string json, string words)
    {
        Index(json);
        Check.Refused(() => SafetensorsIndex.Read(IndexPath), "index.json", words);
    }

    [Fact]
    public void Deep_nesting_in_an_index_is_refused()
    {
        Index($"{{\"metadata\":{new string('[', 100_000)}");
        Check.Refused(() => SafetensorsIndex.Read(IndexPath), "JSON");
    }

    [Fact]
    public void Tensors_fill_shards_greedily_in_the_order_given()
    {
        var sizes = new Dictionary<string, int> { ["z"] = 6, ["big"] = 20, ["y"] = 4, ["x"] = 1, ["w"] = 10 };
        var files = SafetensorsModel.Write(folder.Path, sizes.Select(pair => SafetensorsItem.From(pair.Key, Make.Counting(DType.UInt8, pair.Value))), shardBytes: 10);
        // A tensor above the limit gets its own shard at once; the open shard goes on: big | z y | x | w.
        Assert.Equal(["model-00001-of-00004.safetensors", "model-00002-of-00004.safetensors", "model-00003-of-00004.safetensors", "model-00004-of-00004.safetensors", SafetensorsIndex.FileName], files.Select(Path.GetFileName));
        var index = SafetensorsIndex.Read(files[^1]);
        Assert.Equal(["1", "4", "3", "2", "2"], new[] { "big", "w", "x", "y", "z" }.Select(name => index.WeightMap[name][10..11]));
        Assert.Contains("\"total_size\": 41", File.ReadAllText(files[^1]), StringComparison.Ordinal);
        using var model = SafetensorsModel.Open(folder.Path);
        foreach (var (name, size) in sizes)
            Check.Same(Make.Counting(DType.UInt8, size), model.Read(name));
    }

    [Fact]
    public void The_index_is_written_as_the_hub_writes_it()
    {
        SafetensorsModel.Write(folder.Path, [SafetensorsItem.From("b+<ü>", Make.Bytes([1], 1)), SafetensorsItem.From("a", Make.Bytes([1], 1))], shardBytes: 1);
        Assert.Equal("{\n  \"metadata\": {\n    \"total_size\": 2\n  },\n  \"weight_map\": {\n    \"a\": \"model-00002-of-00002.safetensors\",\n    \"b+<ü>\": \"model-00001-of-00002.safetensors\"\n  }\n}\n", File.ReadAllText(IndexPath));
    }

    [Fact]
    public void A_model_that_fits_one_shard_is_one_file()
    {
        Assert.Equal([folder.File("model.safetensors")], SafetensorsModel.Write(folder.Path, [SafetensorsItem.From("a", Make.Bytes([1], 1))]));
        Assert.Throws<ArgumentException>(() => SafetensorsModel.Write(folder.Path, [SafetensorsItem.From("a", Make.Bytes([2], 1, 2)), SafetensorsItem.From("a", Make.Bytes([2], 1, 2))], shardBytes: 2));
    }

    [Fact]
    public void A_copy_keeps_shards_index_and_every_byte_that_did_not_change()
    {
        TwoShards();
        using var copyFolder = new TempFolder();
        using (var model = SafetensorsModel.Open(folder.Path))
        {
            model.WriteCopy(copyFolder.Path, new Dictionary<string, HostArray> { ["b"] = Make.Bytes([1], 9) });
            Assert.Throws<UsageException>(() => model.WriteCopy(folder.Path, new Dictionary<string, HostArray>()));
            Check.Refused(() => model.WriteCopy(copyFolder.Path, new Dictionary<string, HostArray> { ["no"] = Make.Bytes([1], 9) }), "'no'");
        }
        Assert.Equal(File.ReadAllBytes(folder.File(B)), File.ReadAllBytes(copyFolder.File(B)));
        Assert.Equal(File.ReadAllBytes(IndexPath), File.ReadAllBytes(copyFolder.File(SafetensorsIndex.FileName)));
        byte[] expected = [.. File.ReadAllBytes(folder.File(A))[..^1], 9];
        Assert.Equal(expected, File.ReadAllBytes(copyFolder.File(A)));
    }

    [Fact]
    public void A_damaged_index_is_refused_and_nothing_worse()
    {
        TwoShards();
        var good = File.ReadAllBytes(IndexPath);
        Fuzz.Run([good], 3000, bytes => SafetensorsIndex.Parse("fuzz", bytes), maxAllocated: 1 << 20);
    }
}
