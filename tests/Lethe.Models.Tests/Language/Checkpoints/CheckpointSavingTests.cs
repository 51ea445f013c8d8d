using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Lethe.Formats;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language.Checkpoints;

public sealed class CheckpointSavingTests : IDisposable
{
    private const string Changed = "model.layers.1.mlp.down_proj.weight";
    private readonly string folder = Directory.CreateTempSubdirectory("lethe-models-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string In(params string[] parts) => Path.Combine([folder, .. parts]);

    /// <summary>language/llama in bfloat16, in two shards, with files of all sorts beside it.</summary>
    private string Sharded()
    {
        var source = In("source");
        Directory.CreateDirectory(source);
        using var llama = SafetensorsModel.Open(Repository.Fixture("language", "llama"));
        var items = llama.Entries.Select(entry => SafetensorsItem.From(entry.Name, Casting.To(llama.Read(entry.Name), DType.BFloat16, entry.Name))).ToList();
        SafetensorsModel.Write(source, items, new Dictionary<string, string> { ["format"] = "pt", ["note"] = "kept" }, items.Sum(item => item.Length) * 2 / 3);
        File.Copy(Repository.Fixture("language", "llama", "config.json"), Path.Combine(source, "config.json"));
        File.WriteAllText(Path.Combine(source, "README.md"), "card\n");
        File.WriteAllText(Path.Combine(source, "generation_config.json"), """{"eos_token_id": [2, 5]}""");
        Directory.CreateDirectory(Path.Combine(source, "extra"));
        File.WriteAllText(Path.Combine(source, "extra", "notes.txt"), "notes");
        File.WriteAllText(Path.Combine(source, "pytorch_model.bin"), "the old weights");
        return source;
    }

    private static HostArray Array(float[] values, params long[] shape) => new(DType.Float32, shape, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    [Fact]
    public void A_directory_keeps_everything_but_what_was_changed()
    {
        using var source = LanguageCheckpoint.Open(Sharded());
        Assert.Equal([2, 5], source.Special.Stop);
        var values = Enumerable.Range(0, 32 * 64).Select(i => i * 0.01f).ToArray();
        var files = source.Save(In("saved"), new Dictionary<string, HostArray> { [Changed] = Array(values, 32, 64) });
        Assert.Equal(["README.md", "config.json", "extra/notes.txt", "generation_config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"], files);
        var changedFile = Path.GetFileName(source.Weights.Where(Changed));
        foreach (var file in files)
            if (file != changedFile)
                Assert.True(File.ReadAllBytes(In("source", file)).SequenceEqual(File.ReadAllBytes(In("saved", file))), file);
        using var saved = LanguageCheckpoint.Open(In("saved"));
        Assert.Equal(source.Weights.Names, saved.Weights.Names);
        foreach (var name in source.Weights.Names)
        {
            var read = saved.Weights.Read(name);
            Assert.Equal(DType.BFloat16, read.Type);
            if (name != Changed)
                Assert.True(source.Weights.Read(name).Bytes.Span.SequenceEqual(read.Bytes.Span), name);
        }
        var back = new float[values.Length];
        HalfFloats.FromBFloat16(saved.Weights.Read(Changed).Bytes.Span, back);
        // bfloat16 keeps eight bits: half of the last is at most 1/256 of the value.
        Assert.All(values.Zip(back), pair => Assert.InRange(pair.Second, pair.First * (1 - 1 / 256f), pair.First * (1 + 1 / 256f)));
        using var shard = SafetensorsFile.Open(In("saved", changedFile));
        Assert.Equal("kept", shard.Metadata["note"]);
        Assert.Equal(["saved", "source"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void What_cannot_be_saved_is_refused_and_nothing_is_left_behind()
    {
        using var source = LanguageCheckpoint.Open(Sharded());
        void Refused<T>(string target, string name, HostArray array, string words) where T : Exception =>
            Assert.Contains(words, Assert.Throws<T>(() => source.Save(target, new Dictionary<string, HostArray> { [name] = array })).Message, StringComparison.Ordinal);
        var good = Array(new float[32 * 64], 32, 64);
        Refused<BadInputException>(In("saved"), "model.layers.9.mlp.down_proj.weight", good, "model.layers.9");
        Refused<BadInputException>(In("saved"), Changed, Array(new float[64], 64), "[32, 64]");
        Refused<UsageException>(In("source"), Changed, good, "source");
        Refused<UsageException>(In("source", "inner"), Changed, good, "lies in the checkpoint");
        var bad = new float[32 * 64];
        bad[7] = float.NaN;
        Refused<RunFailedException>(In("saved"), Changed, Array(bad, 32, 64), "element 7");
        // Finite as float32, beyond bfloat16's largest.
        bad[7] = float.MaxValue;
        Refused<RunFailedException>(In("saved"), Changed, Array(bad, 32, 64), "not finite as BFloat16");
        Directory.CreateSymbolicLink(In("link"), In("source"));
        Refused<UsageException>(In("link", "inner"), Changed, good, "lies in the checkpoint");
        Assert.Equal(["link", "source"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order());
    }

    /// <summary>The fixture's placeholder tokenizer does not say how it cuts texts; nor has it merges; three keys more, of 128 bytes, so that the data stay aligned.</summary>
    private string WithPreTokenizer(string name)
    {
        byte[] Text(string text) => [.. BitConverter.GetBytes((ulong)text.Length), .. System.Text.Encoding.ASCII.GetBytes(text)];
        byte[] Key(string key, string value) => [.. Text(key), .. BitConverter.GetBytes(8u), .. Text(value)];
        byte[] keys = [.. Key("tokenizer.ggml.pre", "gpt-2"), .. Text("tokenizer.ggml.merges"), .. BitConverter.GetBytes(9u), .. BitConverter.GetBytes(8u), .. new byte[8], .. Key("x.pad", new string('x', 15))];
        Assert.Equal(0, keys.Length % 32);
        var bytes = File.ReadAllBytes(Repository.Fixture("gguf", name));
        BitConverter.TryWriteBytes(bytes.AsSpan(16), BitConverter.ToUInt64(bytes, 16) + 3);
        File.WriteAllBytes(In(name), [.. bytes[..24], .. keys, .. bytes[24..]]);
        return In(name);
    }

    [Theory]
    [InlineData("llama_q4_1.gguf"), InlineData("llama_bf16.gguf")]
    public void A_GGUF_file_becomes_a_directory_in_float32_as_transformers_expects_it(string file)
    {
        using var source = LanguageCheckpoint.Open(WithPreTokenizer(file));
        var values = Enumerable.Range(0, 32 * 64).Select(i => i * 0.01f).ToArray();
        source.Save(In("saved"), new Dictionary<string, HostArray> { [Changed] = Array(values, 32, 64) });
        using var saved = LanguageCheckpoint.Open(In("saved"));
        Assert.Equal(source.Weights.Names.Order(), saved.Weights.Names.Order());
        foreach (var name in source.Weights.Names)
        {
            var (expected, actual) = (Casting.To(source.Weights.Read(name), DType.Float32, name), saved.Weights.Read(name));
            Assert.Equal(DType.Float32, actual.Type);
            Assert.Equal(expected.Shape, actual.Shape);
            Assert.True((name == Changed ? MemoryMarshal.AsBytes(values.AsSpan()) : expected.Bytes.Span).SequenceEqual(actual.Bytes.Span), name);
        }
        using var weights = SafetensorsFile.Open(In("saved", "model.safetensors"));
        Assert.Equal("pt", weights.Metadata["format"]);
        // The contract is the directory that transformers wrote of the same model: tensors and shapes, and what config.json says.
        using var golden = SafetensorsFile.Open(Repository.Fixture("language", "llama", "model.safetensors"));
        Assert.Equal(golden.Entries.Select(entry => (entry.Name, entry.TypeName, string.Join(",", entry.Shape))).Order(), weights.Entries.Select(entry => (entry.Name, entry.TypeName, string.Join(",", entry.Shape))).Order());
        var expectedConfiguration = JsonNode.Parse(File.ReadAllText(Repository.Fixture("language", "llama", "config_v4.json")))!.AsObject();
        foreach (var (key, value) in JsonNode.Parse(File.ReadAllText(In("saved", "config.json")))!.AsObject())
            if (key != "pad_token_id")
                Assert.True(JsonNode.DeepEquals(expectedConfiguration[key], value) || expectedConfiguration[key]!.GetValue<double>() == value!.GetValue<double>(), key);
        Assert.Equal(2, JsonNode.Parse(File.ReadAllText(In("saved", "generation_config.json")))!["eos_token_id"]!.GetValue<int>());
    }

    [TransformersFact]
    public void A_saved_directory_is_loaded_by_transformers_and_gives_the_golden_logits()
    {
        using var source = LanguageCheckpoint.Open(WithPreTokenizer("llama_f32.gguf"));
        source.Save(In("saved"), new Dictionary<string, HostArray>());
        var (code, output) = TransformersFactAttribute.Python("""
            import sys, torch
            from safetensors.torch import load_file
            from transformers import AutoModelForCausalLM
            model, report = AutoModelForCausalLM.from_pretrained(sys.argv[1], output_loading_info=True)
            assert not report["missing_keys"] and not report["unexpected_keys"], report
            golden = load_file(sys.argv[2])
            with torch.no_grad(): logits = model.float().eval()(input_ids=golden["input_ids"][:1]).logits
            assert torch.allclose(logits, golden["logits"][:1], atol=1e-4), float((logits - golden["logits"][:1]).abs().max())
            """, In("saved"), Repository.Fixture("language", "llama", "golden.safetensors"));
        Assert.True(code == 0, output);
    }

    [TorchTheory]
    [InlineData("llama_f32.gguf")]
    public void A_model_out_of_GGUF_gives_the_golden_logits_and_so_does_the_directory_saved_from_it(string file)
    {
        using var golden = SafetensorsFile.Open(Repository.Fixture("language", "llama", "golden.safetensors"));
        using var source = LanguageCheckpoint.Open(WithPreTokenizer(file));
        source.Save(In("saved"), new Dictionary<string, HostArray>());
        using var saved = LanguageCheckpoint.Open(In("saved"));
        var expected = MemoryMarshal.Cast<byte, float>(golden.Read("logits").Bytes.Span)[..(20 * 160)].ToArray();
        foreach (var checkpoint in (LanguageCheckpoint[])[source, saved])
        {
            using var model = checkpoint.Load();
            using var noGrad = Autograd.NoGrad();
            var ids = golden.Read("input_ids");
            using var row = Tensor.From(new HostArray(DType.Int64, [1, 20], ids.Bytes[..(20 * 8)]));
            var logits = model.Logits(row).ToArray<float>();
            for (var i = 0; i < expected.Length; i++)
                Assert.Equal(expected[i], logits[i], 1e-4f);
        }
    }

    [SharedFact]
    public void A_tied_head_is_left_out_when_a_llama2c_file_is_saved()
    {
        using var source = LanguageCheckpoint.Open(SharedData.Path("models", "stories260K", "stories260K.bin"));
        source.Save(In("saved"), new Dictionary<string, HostArray>());
        using var saved = LanguageCheckpoint.Open(In("saved"));
        Assert.True(saved.Configuration.TieEmbeddings);
        Assert.DoesNotContain("lm_head.weight", saved.Weights.Names);
        Assert.Contains("the head is the embedding's matrix", Assert.Throws<BadInputException>(() =>
            source.Save(In("other"), new Dictionary<string, HostArray> { ["lm_head.weight"] = Array(new float[512 * 64], 512, 64) })).Message, StringComparison.Ordinal);
    }
}
