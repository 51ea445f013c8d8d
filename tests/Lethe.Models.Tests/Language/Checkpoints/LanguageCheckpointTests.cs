using System.Diagnostics;
using System.Globalization;
using System.Text;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language.Checkpoints;

public sealed class LanguageCheckpointTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lethe-models-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void Copy(params string[] names)
    {
        foreach (var name in names)
            File.Copy(Repository.Fixture("language", "llama", name), Path.Combine(folder, name), overwrite: true);
    }

    private void Text(string name, string text) => File.WriteAllText(Path.Combine(folder, name), text);

    private static void Refused(Action action, params string[] words)
    {
        var message = Assert.Throws<BadInputException>(action).Message;
        Assert.All(words, word => Assert.Contains(word, message, StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_no_checkpoint_is_refused_with_what_to_do()
    {
        void Open(string name, params string[] words) => Refused(() => LanguageCheckpoint.Open(name), [name, .. words]);
        Open(Path.Combine(folder, "none"), "no such file or folder");
        Open(folder, "config.json", "GGUF");
        Copy("config.json");
        Open(folder, "model.safetensors");
        Text("pytorch_model.bin", "x");
        Open(folder, "pickles", "safetensors");
        Copy("model.safetensors");
        Open(Path.Combine(folder, "model.safetensors"), "name the directory");
        Text("model.pth", "x");
        Open(Path.Combine(folder, "model.pth"), "pickle");
        Text("model.txt", "x");
        Open(Path.Combine(folder, "model.txt"), "is no language model");
        Text("model.gguf", "GGUF");
        Open(Path.Combine(folder, "model.gguf"), "4 bytes");
        Text("config.json", File.ReadAllText(Path.Combine(folder, "config.json")).Replace("\"vocab_size\": 160", "\"vocab_size\": 161", StringComparison.Ordinal));
        Open(Path.Combine(folder), "161 tokens (vocab_size)", "model.embed_tokens.weight", "[160, 32]");
    }

    [Fact]
    public void A_truncated_shard_and_a_missing_tensor_are_refused_by_file_and_name()
    {
        Copy("config.json", "model.safetensors");
        var path = Path.Combine(folder, "model.safetensors");
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^100]);
        Refused(() => LanguageCheckpoint.Open(folder), path, "truncated");
        using var llama = Lethe.Formats.SafetensorsFile.Open(Repository.Fixture("language", "llama", "model.safetensors"));
        Lethe.Formats.SafetensorsWriter.Write(path, llama.ReadAll().Where(tensor => tensor.Key != "model.embed_tokens.weight"));
        Refused(() => LanguageCheckpoint.Open(folder), "model.embed_tokens.weight");
    }

    [Fact]
    public void A_tokenizer_may_have_fewer_tokens_than_the_embedding_has_rows_but_not_more()
    {
        Copy("config.json", "model.safetensors");
        using (var none = LanguageCheckpoint.Open(folder))
        {
            Assert.False(none.HasTokenizer);
            Refused(() => none.Tokenizer.Encode("a"), folder, "has no tokenizer", "tokenizer.json");
            Assert.Equal((1, 2, 0), (none.Special.Bos, none.Special.Eos, none.Special.Pad));
        }
        Tokenizer(160);
        using (var fits = LanguageCheckpoint.Open(folder))
            Assert.Equal(160, fits.Tokenizer.VocabularySize);
        Tokenizer(161);
        using var larger = LanguageCheckpoint.Open(folder);
        Refused(() => larger.Tokenizer.Encode("a"), folder, "ids up to 160", "160 tokens (vocab_size)");
    }

    private void Tokenizer(int tokens)
    {
        var vocabulary = string.Join(',', Enumerable.Range(0, tokens).Select(i => string.Create(CultureInfo.InvariantCulture, $"\"t{i}\":{i}")));
        Text("tokenizer.json", $$$"""{"version":"1.0","added_tokens":[{"id":1,"content":"t1","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],"normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":null,"model":{"type":"BPE","vocab":{{{{vocabulary}}}},"merges":[]}}""");
    }

    [Fact]
    public void Special_tokens_are_the_tokenizers_and_generation_ends_where_generation_config_says()
    {
        Copy("config.json", "model.safetensors");
        Tokenizer(160);
        Text("tokenizer_config.json", """{"bos_token": {"content": "t3"}, "eos_token": "t4", "unk_token": null, "add_bos_token": true, "chat_template": [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]}""");
        Text("special_tokens_map.json", """{"pad_token": {"content": "t7"}, "unk_token": "t8"}""");
        Text("generation_config.json", """{"eos_token_id": [4, 9]}""");
        using (var open = LanguageCheckpoint.Open(folder))
        {
            var special = open.Special;
            Assert.Equal((3, 4, 7, (int?)null), (special.Bos, special.Eos, special.Pad, special.Unknown));
            Assert.Equal([4, 9], special.Stop);
            Assert.True(special is { AddBos: true, AddEos: false });
            Assert.Equal("t3", special.Texts["bos_token"]);
            Assert.Equal("D", open.ChatTemplateText);
        }
        // A tokenizer without BOS has none, whatever config.json says; the template's own file goes before the key.
        Text("tokenizer_config.json", """{"bos_token": null, "eos_token": "t4", "chat_template": "C"}""");
        File.Delete(Path.Combine(folder, "generation_config.json"));
        Text("chat_template.jinja", "J");
        using (var open = LanguageCheckpoint.Open(folder))
        {
            Assert.Null(open.Special.Bos);
            Assert.False(open.Special.AddBos);
            Assert.Equal([2], open.Special.Stop);
            Assert.Equal("J", open.ChatTemplateText);
        }
        File.Delete(Path.Combine(folder, "chat_template.jinja"));
        Text("tokenizer_config.json", """{"chat_template": 5}""");
        using (var open = LanguageCheckpoint.Open(folder))
            Refused(() => _ = open.ChatTemplateText, "tokenizer_config.json", "chat_template");
    }

    [SharedFact]
    public void SmolLM2_says_its_own_special_tokens_and_template()
    {
        using var open = LanguageCheckpoint.Open(SharedData.Path("models", "smollm2-135m-instruct"));
        Assert.True(open.Special is { Bos: 1, Eos: 2, Pad: 2, Unknown: 0, AddBos: false });
        Assert.Equal(("<|im_start|>", "<|im_end|>"), (open.Special.Texts["bos_token"], open.Special.Texts["eos_token"]));
        Assert.Contains("SmolLM, trained by Hugging Face", open.ChatTemplateText, StringComparison.Ordinal);
        Assert.Equal(49152, open.Tokenizer.VocabularySize);
    }

    [SharedFact]
    public void A_llama2c_file_takes_the_tokenizer_beside_it()
    {
        using var open = LanguageCheckpoint.Open(SharedData.Path("models", "stories260K", "stories260K.bin"));
        Assert.Equal(512, open.Tokenizer.VocabularySize);
        Assert.True(open.Special is { Bos: 1, AddBos: true });
    }

    /// <summary>Gemma-2-2B: 26 layers of width 2304, 256,000 tokens, bfloat16, 5.2 GB in one sparse file that takes no place on the disk.</summary>
    private void Gemma2()
    {
        Text("config.json", """{"model_type": "gemma2", "torch_dtype": "bfloat16"}""");
        var header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        var offset = 0L;
        void Add(string name, params long[] shape)
        {
            var length = shape.Aggregate(2L, (product, size) => product * size);
            header.Append(CultureInfo.InvariantCulture, $",\"{name}\":{{\"dtype\":\"BF16\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{offset},{offset + length}]}}");
            offset += length;
        }
        Add("model.embed_tokens.weight", 256000, 2304);
        for (var layer = 0; layer < 26; layer++)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.");
            foreach (var norm in (string[])["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"])
                Add($"{prefix}{norm}.weight", 2304);
            Add($"{prefix}self_attn.q_proj.weight", 2048, 2304);
            Add($"{prefix}self_attn.k_proj.weight", 1024, 2304);
            Add($"{prefix}self_attn.v_proj.weight", 1024, 2304);
            Add($"{prefix}self_attn.o_proj.weight", 2304, 2048);
            Add($"{prefix}mlp.gate_proj.weight", 9216, 2304);
            Add($"{prefix}mlp.up_proj.weight", 9216, 2304);
            Add($"{prefix}mlp.down_proj.weight", 2304, 9216);
        }
        Add("model.norm.weight", 2304);
        header.Append('}');
        var text = Encoding.UTF8.GetBytes(header.ToString().PadRight((header.Length + 7) / 8 * 8));
        using var file = File.Create(Path.Combine(folder, "model.safetensors"));
        file.Write(BitConverter.GetBytes((long)text.Length));
        file.Write(text);
        file.SetLength(8 + text.Length + offset);
        Assert.InRange(offset, 5_000_000_000, 5_400_000_000);
    }

    private static long Resident() => File.ReadLines("/proc/self/smaps_rollup").Where(line => line.StartsWith("Rss:", StringComparison.Ordinal)).Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024).Single();

    [Fact]
    public void Opening_a_large_model_touches_no_weights_and_reading_them_leaves_nothing_behind()
    {
        Gemma2();
        var before = Resident();
        var clock = Stopwatch.StartNew();
        using var open = LanguageCheckpoint.Open(folder);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2), $"took {clock.Elapsed}");
        Assert.Equal(1 + 26 * 11 + 1, open.Weights.Names.Count);
        // One row in a thousand of an embedding of 1.2 GB, and 0.4 GB of matrices through a buffer of 19 MB.
        long[] rows = [.. Enumerable.Range(0, 256).Select(i => i * 1000L)];
        Assert.Equal([256, 2304], open.Weights.ReadRows("model.embed_tokens.weight", rows).Shape);
        var buffer = new byte[4096 * 2304 * 2];
        for (var layer = 0; layer < 5; layer++)
            foreach (var part in (string[])["gate_proj", "up_proj"])
                for (var first = 0; first < 8192; first += 4096)
                    open.Weights.ReadRows(string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.mlp.{part}.weight"), first, 4096, buffer);
        var grown = Resident() - before;
        // The buffer, the gathered rows, what other tests take at the same time; the pages read were 0.4 GB.
        Assert.True(grown < 160 << 20, $"{grown >> 20} MiB more are resident");
    }

    [Fact]
    public void A_bare_model_is_shown_with_the_prefix_that_the_whole_one_has()
    {
        Copy("config.json");
        using var llama = Lethe.Formats.SafetensorsFile.Open(Repository.Fixture("language", "llama", "model.safetensors"));
        Lethe.Formats.SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), llama.ReadAll().Select(tensor => KeyValuePair.Create(tensor.Key.StartsWith("model.", StringComparison.Ordinal) ? tensor.Key[6..] : tensor.Key, tensor.Value)));
        using var open = LanguageCheckpoint.Open(folder);
        Assert.Equal(llama.Entries.Select(entry => entry.Name).Order(), open.Weights.Names.Order());
        var target = Path.Combine(folder, "..", Path.GetFileName(folder) + "-saved");
        try
        {
            open.Save(target, new Dictionary<string, HostArray> { ["model.norm.weight"] = llama.Read("model.norm.weight") });
            Assert.True(File.ReadAllBytes(Path.Combine(folder, "model.safetensors")).SequenceEqual(File.ReadAllBytes(Path.Combine(target, "model.safetensors"))));
        }
        finally
        {
            if (Directory.Exists(target))
                Directory.Delete(target, recursive: true);
        }
    }
}
