using System.Text.Json.Nodes;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;
using Activation = Lethe.Models.Language.Checkpoints.Activation;

namespace Lethe.Models.Tests.Language.Checkpoints;

public sealed class ConfigurationTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lethe-models-").FullName;

    public static TheoryData<string> Families => ["llama", "llama3_scaled", "mistral", "qwen2", "qwen3", "gemma2", "gpt2", "gpt_neox"];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private LanguageModelConfiguration Read(string json)
    {
        var path = Path.Combine(folder, "config.json");
        File.WriteAllText(path, json);
        return LanguageModelConfiguration.FromJson(path);
    }

    private void Refused(string json, params string[] words)
    {
        var message = Assert.Throws<BadInputException>(() => Read(json)).Message;
        Assert.All((string[])["config.json", .. words], word => Assert.Contains(word, message, StringComparison.Ordinal));
    }

    private static void Same(LanguageModelConfiguration expected, LanguageModelConfiguration actual)
    {
        Assert.Equal(expected.LayerKinds, actual.LayerKinds);
        Assert.Equal(expected.EosTokenIds, actual.EosTokenIds);
        Assert.Equal(expected.QueryScale, actual.QueryScale, 1e-12);
        IReadOnlyList<LayerKind> kinds = [];
        IReadOnlyList<int> eos = [];
        Assert.Equal(expected with { LayerKinds = kinds, EosTokenIds = eos, QueryScale = 1 }, actual with { LayerKinds = kinds, EosTokenIds = eos, QueryScale = 1 });
    }

    [Theory, MemberData(nameof(Families))]
    public void The_spellings_of_transformers_4_and_5_say_the_same(string family)
    {
        var five = LanguageModelConfiguration.FromJson(Repository.Fixture("language", family, "config.json"));
        Same(five, LanguageModelConfiguration.FromJson(Repository.Fixture("language", family, "config_v4.json")));
        Assert.Equal((160, 32, 4, 4), (five.VocabularySize, five.HiddenSize, five.Layers, five.Heads));
        Assert.Equal(family is "gpt2" ? 128 : 64, five.IntermediateSize);
        Assert.Equal(128, five.MaximumPositions);
        Assert.Equal(DType.Float32, five.StoredType);
    }

    [Fact]
    public void Each_family_says_what_makes_it_special()
    {
        LanguageModelConfiguration Of(string family) => LanguageModelConfiguration.FromJson(Repository.Fixture("language", family, "config.json"));
        var scaled = Of("llama3_scaled");
        Assert.Equal(new RopeScaling(RopeScalingKind.Llama3, 8, 1, 4, 32), scaled.RopeScaling);
        Assert.Equal(500000, scaled.RopeTheta);
        Assert.True(scaled.TieEmbeddings);
        var mistral = Of("mistral");
        Assert.Equal([8, 8, 8, 8], Enumerable.Range(0, 4).Select(mistral.WindowOf));
        var gemma = Of("gemma2");
        Assert.Equal([8, null, 8, null], Enumerable.Range(0, 4).Select(gemma.WindowOf));
        Assert.Equal((50, 30, 0.25, Activation.GeluTanh, 16), (gemma.AttentionSoftCap, gemma.FinalSoftCap, gemma.QueryScale, gemma.Activation, gemma.HeadSize));
        var qwen = Of("qwen2");
        Assert.True(qwen is { AttentionBias: true, AttentionOutputBias: false, SlidingWindow: null });
        Assert.Equal(16, Of("qwen3").HeadSize);
        var neox = Of("gpt_neox");
        Assert.True(neox is { RotaryShare: 0.25, ParallelResidual: true, Activation: Activation.Gelu, MlpBias: true, TieEmbeddings: false });
        Assert.True(Of("gpt2") is { TieEmbeddings: true, Activation: Activation.GeluTanh, AttentionOutputBias: true, NormEpsilon: 1e-5 });
    }

    [Fact]
    public void What_is_left_out_has_the_librarys_defaults()
    {
        Assert.True(Read("""{"model_type": "llama"}""") is { HiddenSize: 4096, IntermediateSize: 11008, KeyValueHeads: 32, HeadSize: 128, VocabularySize: 32000, NormEpsilon: 1e-6, BosTokenId: 1 });
        Assert.True(Read("""{"model_type": "mistral"}""") is { KeyValueHeads: 8, SlidingWindow: 4096, MaximumPositions: 131072 });
        Assert.Null(Read("""{"model_type": "mistral", "sliding_window": null}""").SlidingWindow);
        Assert.Equal(32, Read("""{"model_type": "mistral", "num_key_value_heads": null}""").KeyValueHeads);
        Assert.True(Read("""{"model_type": "gemma2"}""") is { Layers: 26, HiddenSize: 2304, HeadSize: 256, SlidingWindow: 4096, QueryScale: 1 / 16.0, TieEmbeddings: true, BosTokenId: 2 });
        Assert.True(Read("""{"model_type": "gemma2", "final_logit_softcapping": null}""") is { FinalSoftCap: null, AttentionSoftCap: 50 });
        Assert.True(Read("""{"model_type": "qwen3"}""") is { HeadSize: 128, VocabularySize: 151936, BosTokenId: null });
        Assert.True(Read("""{"model_type": "gpt2"}""") is { HiddenSize: 768, IntermediateSize: 3072, VocabularySize: 50257, Layers: 12 });
        Assert.True(Read("""{"model_type": "gpt2", "hidden_size": 64, "num_attention_heads": 2}""") is { HiddenSize: 64, IntermediateSize: 256, HeadSize: 32 });
        Assert.True(Read("""{"model_type": "gpt_neox"}""") is { HiddenSize: 6144, RotaryShare: 0.25, RopeTheta: 10000 });
        var windows = Read("""{"model_type": "qwen2", "use_sliding_window": true, "sliding_window": 16, "max_window_layers": 30}""");
        Assert.Equal([30, 31], Enumerable.Range(0, 32).Where(layer => windows.WindowOf(layer) == 16));
        Assert.Equal([5, 7], Read("""{"model_type": "llama", "eos_token_id": [5, 7]}""").EosTokenIds);
        Assert.Empty(Read("""{"model_type": "llama", "eos_token_id": null}""").EosTokenIds);
        Assert.Equal(new RopeScaling(RopeScalingKind.Linear, 4), Read("""{"model_type": "llama", "rope_scaling": {"type": "linear", "factor": 4.0}}""").RopeScaling);
        Assert.Equal(DType.BFloat16, Read("""{"model_type": "llama", "torch_dtype": "bfloat16"}""").StoredType);
    }

    [Theory]
    [InlineData("gemma3_text"), InlineData("phi3"), InlineData("mixtral"), InlineData("")]
    public void Other_families_are_refused_by_name(string family) => Refused($$"""{"model_type": "{{family}}"}""", "model_type", $"'{family}'", "llama, mistral, qwen2, qwen3, gemma2, gpt2, gpt_neox");

    [Theory]
    [InlineData("{}", "model_type", "missing")]
    [InlineData("""{"model_type": 3}""", "model_type is 3", "a text")]
    [InlineData("""{"model_type": "llama", "hidden_size": 0}""", "hidden_size is 0", "from 1 to 1048576")]
    [InlineData("""{"model_type": "llama", "hidden_size": "64"}""", "hidden_size", "\"64\"")]
    [InlineData("""{"model_type": "llama", "hidden_size": 1e300}""", "hidden_size is 1e300")]
    [InlineData("""{"model_type": "llama", "hidden_size": 100, "num_attention_heads": 3}""", "hidden_size is 100", "3 heads")]
    [InlineData("""{"model_type": "llama", "num_key_value_heads": 3}""", "num_key_value_heads is 3", "32 heads")]
    [InlineData("""{"model_type": "llama", "head_dim": 7}""", "head_dim", "even")]
    [InlineData("""{"model_type": "llama", "num_hidden_layers": 1000000}""", "num_hidden_layers", "4096")]
    [InlineData("""{"model_type": "llama", "rms_norm_eps": -1}""", "rms_norm_eps is -1")]
    [InlineData("""{"model_type": "llama", "rope_theta": 0}""", "rope_theta is 0", "above 0")]
    [InlineData("""{"model_type": "llama", "hidden_act": "mish"}""", "hidden_act", "'mish'")]
    [InlineData("""{"model_type": "llama", "rope_scaling": {"rope_type": "yarn"}}""", "rope_scaling.rope_type", "'yarn'", "linear and llama3")]
    [InlineData("""{"model_type": "llama", "rope_scaling": {"rope_type": "linear"}}""", "rope_scaling.factor", "missing")]
    [InlineData("""{"model_type": "llama", "rope_parameters": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4}}""", "rope_parameters.high_freq_factor")]
    [InlineData("""{"model_type": "llama", "rope_parameters": {"full_attention": {}}}""", "rope_parameters.full_attention")]
    [InlineData("""{"model_type": "llama", "partial_rotary_factor": 0.5}""", "partial_rotary_factor is 0.5")]
    [InlineData("""{"model_type": "llama", "torch_dtype": "int4"}""", "torch_dtype", "'int4'")]
    [InlineData("""{"model_type": "llama", "quantization_config": {"quant_method": "gptq"}}""", "quantization_config", "gptq")]
    [InlineData("""{"model_type": "llama", "eos_token_id": 32000}""", "eos_token_id", "31999")]
    [InlineData("""{"model_type": "qwen3", "layer_types": ["full_attention"]}""", "layer_types has 1", "32")]
    [InlineData("""{"model_type": "gemma2", "num_hidden_layers": 1, "layer_types": ["chunked_attention"]}""", "layer_types", "'chunked_attention'")]
    [InlineData("""{"model_type": "gemma2", "sliding_window": null}""", "sliding_window")]
    [InlineData("""{"model_type": "gpt2", "scale_attn_by_inverse_layer_idx": true}""", "scale_attn_by_inverse_layer_idx")]
    [InlineData("""{"model_type": "gpt_neox", "rotary_pct": 0.1}""", "rotated")]
    public void A_wrong_value_is_refused_by_its_key(string json, params string[] words) => Refused(json, words);

    [Theory, MemberData(nameof(Families))]
    public void What_is_written_is_what_transformers_writes_and_reads_back_the_same(string family)
    {
        var read = LanguageModelConfiguration.FromJson(Repository.Fixture("language", family, "config.json"));
        var written = ConfigurationWriter.Json(read, DType.Float32);
        Same(read, Read(ConfigurationWriter.Text(written)));
        // The file that transformers 4 wrote has every key with the same value; only max_window_layers means nothing without windows.
        var golden = JsonNode.Parse(File.ReadAllText(Repository.Fixture("language", family, "config_v4.json")))!.AsObject();
        foreach (var (key, value) in written)
            if (key is not "max_window_layers")
            {
                Assert.True(golden.ContainsKey(key), $"transformers writes no {key}");
                Assert.True(Equal(golden[key], value), $"{key}: {golden[key]?.ToJsonString()} and {value?.ToJsonString()}");
            }
    }

    [Fact]
    public void Damaged_configurations_are_refused_or_read_but_never_break_anything()
    {
        var seeds = new[] { "llama3_scaled", "mistral", "qwen2", "qwen3", "gemma2", "gpt2", "gpt_neox" }.Select(family => File.ReadAllText(Repository.Fixture("language", family, "config.json"))).ToList();
        var random = new Random(20250102);
        var refused = 0;
        for (var i = 0; i < 4000; i++)
        {
            var json = JsonNode.Parse(seeds[random.Next(seeds.Count)])!.AsObject();
            for (var edits = random.Next(1, 4); edits > 0; edits--)
            {
                var key = json.ElementAt(random.Next(json.Count)).Key;
                json[key] = random.Next(12) switch
                {
                    0 => null, 1 => -1, 2 => 0, 3 => 1, 4 => long.MaxValue, 5 => 1e308, 6 => "x", 7 => new JsonArray(), 8 => new JsonObject(), 9 => true, 10 => 3, _ => new JsonArray("full_attention", 1),
                };
            }
            var text = json.ToJsonString();
            if (random.Next(4) == 0)
                text = text[..random.Next(text.Length)];
            try
            {
                var read = Read(text);
                Assert.True(read.Heads % read.KeyValueHeads == 0 && read.HeadSize > 0 && read.Layers <= 4096 && read.LayerKinds.Count == read.Layers, text);
            }
            catch (BadInputException e)
            {
                Assert.InRange(e.Message.Length, 10, 1300);
                refused++;
            }
        }
        Assert.InRange(refused, 1000, 3999);
    }

    private static bool Equal(JsonNode? left, JsonNode? right) => left is JsonObject a && right is JsonObject b
        ? a.Count == b.Count && a.All(pair => b.ContainsKey(pair.Key) && Equal(pair.Value, b[pair.Key]))
        : left is JsonValue x && right is JsonValue y && x.GetValueKind() == System.Text.Json.JsonValueKind.Number && y.GetValueKind() == x.GetValueKind()
            // Python tells whole numbers from others by how they are written.
            ? x.ToJsonString().AsSpan().ContainsAny('.', 'e', 'E') == y.ToJsonString().AsSpan().ContainsAny('.', 'e', 'E') && Math.Abs(double.Parse(x.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture) - double.Parse(y.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture)) < 1e-12
            : JsonNode.DeepEquals(left, right);
}
