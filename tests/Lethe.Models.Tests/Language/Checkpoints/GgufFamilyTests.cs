using System.Runtime.InteropServices;
using Lethe.Formats.Gguf;
using Lethe.Formats.Tests.Gguf;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language.Checkpoints;

/// <summary>
/// Models of each family written as llama.cpp's converter writes them (names from gguf-py's tensor_mapping.py, Gemma-2's norms with 1 added, Llama's
/// queries and keys interleaved), then read back.
/// </summary>
public sealed class GgufFamilyTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lethe-models-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static readonly (string Ours, string Theirs)[] Parts =
    [
        ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"), ("self_attn.o_proj", "attn_output"), ("self_attn.q_norm", "attn_q_norm"),
        ("self_attn.k_norm", "attn_k_norm"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"), ("input_layernorm", "attn_norm"),
    ];

    private static string Theirs(string name, bool gemma)
    {
        var stem = name[..name.LastIndexOf('.')];
        var kind = name[stem.Length..];
        if (stem.Split('.', 4) is not ["model", "layers", var layer, var part])
            return (stem switch { "model.embed_tokens" => "token_embd", "model.norm" => "output_norm", _ => "output" }) + kind;
        var mapped = part switch
        {
            "post_attention_layernorm" => gemma ? "post_attention_norm" : "ffn_norm",
            "pre_feedforward_layernorm" => "ffn_norm",
            "post_feedforward_layernorm" => "post_ffw_norm",
            _ => Parts.Single(pair => pair.Ours == part).Theirs,
        };
        return $"blk.{layer}.{mapped}{kind}";
    }

    private RawGguf Metadata(LanguageModelConfiguration c, string? without = null)
    {
        var raw = new RawGguf();
        var a = c.ModelType;
        void Add(string key, Func<string, RawGguf> add)
        {
            if (key != without)
                add($"{a}.{key}");
        }
        raw.Key("general.architecture", a);
        foreach (var (key, value) in ((string, int)[])[("block_count", c.Layers), ("context_length", c.MaximumPositions), ("embedding_length", c.HiddenSize), ("feed_forward_length", c.IntermediateSize),
            ("attention.head_count", c.Heads), ("attention.head_count_kv", c.KeyValueHeads), ("attention.key_length", c.HeadSize), ("attention.value_length", c.HeadSize)])
            Add(key, name => raw.Key(name, (uint)value));
        Add("attention.layer_norm_rms_epsilon", name => raw.Key(name, (float)c.NormEpsilon));
        Add("rope.freq_base", name => raw.Key(name, (float)c.RopeTheta));
        if (a == "gemma2")
            raw.Key("gemma2.attn_logit_softcapping", 50f).Key("gemma2.final_logit_softcapping", 30f).Key("gemma2.attention.sliding_window", (uint)c.SlidingWindow!);
        return raw.Key("tokenizer.ggml.bos_token_id", 1u).Key("tokenizer.ggml.eos_token_id", 2u).Key("tokenizer.ggml.padding_token_id", 0u);
    }

    private string Write(LanguageCheckpoint model, RawGguf raw)
    {
        var c = model.Configuration;
        foreach (var name in model.Weights.Names)
        {
            var array = model.Weights.Read(name);
            var bytes = array.Bytes.ToArray();
            var values = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
            if (c.ModelType == "gemma2" && name.EndsWith("norm.weight", StringComparison.Ordinal))
                foreach (ref var value in values)
                    value += 1;
            if (c.ModelType == "llama" && (name.Contains(".q_proj", StringComparison.Ordinal) || name.Contains(".k_proj", StringComparison.Ordinal)))
                bytes = Interleaved(bytes, c.HeadSize, bytes.Length / (int)array.Shape[0]);
            raw.Tensor(Theirs(name, c.ModelType == "gemma2"), [.. array.Shape.Reverse().Select(size => (ulong)size)], GgufType.F32, bytes);
        }
        var path = Path.Combine(folder, "model.gguf");
        File.WriteAllBytes(path, raw.Build());
        return path;
    }

    /// <summary>reshape(heads, 2, size/2).swapaxes(1, 2) of the rows.</summary>
    private static byte[] Interleaved(byte[] rows, int size, int rowBytes)
    {
        var result = new byte[rows.Length];
        var to = 0;
        for (var head = 0; head < rows.Length / rowBytes / size; head++)
            for (var j = 0; j < size / 2; j++)
                for (var k = 0; k < 2; k++, to++)
                    rows.AsSpan((head * size + k * size / 2 + j) * rowBytes, rowBytes).CopyTo(result.AsSpan(to * rowBytes));
        return result;
    }

    [Theory]
    [InlineData("llama"), InlineData("qwen2"), InlineData("qwen3"), InlineData("gemma2")]
    public void A_family_is_read_back_from_what_llama_cpp_makes_of_it(string family)
    {
        using var original = LanguageCheckpoint.Open(Repository.Fixture("language", family));
        using var packed = LanguageCheckpoint.Open(Write(original, Metadata(original.Configuration)));
        Assert.Equal(original.Weights.Names.Order(), packed.Weights.Names.Order());
        foreach (var name in original.Weights.Names)
        {
            var (expected, actual) = (original.Weights.Read(name), packed.Weights.Read(name));
            Assert.Equal(expected.Shape, actual.Shape);
            // Adding 1 and taking it away rounds at the size of the sum: 2^-23 of it, which is below 4.
            foreach (var (a, b) in MemoryMarshal.Cast<byte, float>(expected.Bytes.Span).ToArray().Zip(MemoryMarshal.Cast<byte, float>(actual.Bytes.Span).ToArray()))
                Assert.Equal(a, b, family == "gemma2" && name.EndsWith("norm.weight", StringComparison.Ordinal) ? 2.4e-7f : 0f);
        }
        Assert.Equal(ConfigurationWriter.Text(ConfigurationWriter.Json(original.Configuration, DType.Float32)), ConfigurationWriter.Text(ConfigurationWriter.Json(packed.Configuration, DType.Float32)));
        Assert.Equal((1, 2, 0), (packed.Special.Bos, packed.Special.Eos, packed.Special.Pad));
    }

    [Fact]
    public void Llama_3s_scaling_is_found_from_its_frequency_factors()
    {
        using var original = LanguageCheckpoint.Open(Repository.Fixture("language", "llama"));
        var c = original.Configuration with { RopeTheta = 500000 };
        float[] Factors(double low, double high, double length) => [.. Enumerable.Range(0, 4).Select(i =>
        {
            var wavelength = 2 * Math.PI * Math.Pow(500000, 2 * i / 8.0);
            var smooth = (length / wavelength - low) / (high - low);
            return (float)(wavelength < length / high ? 1 : wavelength > length / low ? 8 : 1 / ((1 - smooth) / 8 + smooth));
        })];
        string With(float[] factors) => Write(original, Metadata(c).Tensor("rope_freqs.weight", [4], GgufType.F32, MemoryMarshal.AsBytes(factors.AsSpan())));
        using (var packed = LanguageCheckpoint.Open(With(Factors(1, 4, 8192))))
            Assert.Equal(new RopeScaling(RopeScalingKind.Llama3, 8, 1, 4, 8192), packed.Configuration.RopeScaling);
        Refused(With([1, 2, 3, 8]), "rope_freqs.weight", "frequency");
    }

    [Theory]
    [InlineData("block_count"), InlineData("embedding_length"), InlineData("attention.head_count"), InlineData("attention.layer_norm_rms_epsilon"), InlineData("feed_forward_length"), InlineData("context_length")]
    public void A_missing_key_is_refused_by_name(string key)
    {
        using var original = LanguageCheckpoint.Open(Repository.Fixture("language", "llama"));
        Refused(Write(original, Metadata(original.Configuration, without: key)), $"llama.{key}", "missing");
    }

    [Fact]
    public void What_Lethe_has_no_model_for_is_refused_by_name()
    {
        using var original = LanguageCheckpoint.Open(Repository.Fixture("language", "llama"));
        var path = Path.Combine(folder, "other.gguf");
        void Metadata(RawGguf raw, params string[] words)
        {
            File.WriteAllBytes(path, raw.Build());
            Refused(path, words);
        }
        Metadata(new RawGguf(), "general.architecture", "missing");
        Metadata(new RawGguf().Key("general.architecture", "phi3"), "'phi3'", "llama, qwen2, qwen3, gemma2");
        Metadata(new RawGguf().Key("general.architecture", "gpt2"), "'gpt2'", "Hugging Face directories");
        Metadata(new RawGguf().Key("general.architecture", "llama").Key("llama.expert_count", 8u), "llama.expert_count is 8");
        var c = original.Configuration;
        Refused(Write(original, this.Metadata(c).Key("llama.rope.scaling.type", "yarn")), "llama.rope.scaling.type", "'yarn'");
        Refused(Write(original, this.Metadata(c).Key("llama.rope.dimension_count", 4u)), "llama.rope.dimension_count");
        Refused(Write(original, this.Metadata(c).Tensor("blk.0.attn_sinks.weight", [4], GgufType.F32, new byte[16])), "blk.0.attn_sinks.weight");
        Refused(Write(original, this.Metadata(c with { Heads = 4, KeyValueHeads = 3 })), "llama.attention.head_count_kv is 3");
        Refused(Write(original, this.Metadata(c with { HiddenSize = 48 })), "token_embd.weight", "rows of 48");
    }

    private static void Refused(string path, params string[] words)
    {
        var message = Assert.Throws<BadInputException>(() => LanguageCheckpoint.Open(path).Dispose()).Message;
        Assert.All([path, .. words], word => Assert.Contains(word, message, StringComparison.Ordinal));
    }
}
