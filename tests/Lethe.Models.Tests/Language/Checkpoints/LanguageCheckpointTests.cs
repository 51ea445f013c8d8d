using System.Globalization;
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
