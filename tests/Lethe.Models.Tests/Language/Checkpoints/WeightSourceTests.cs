using System.Runtime.InteropServices;
using System.Text.Json;
using Lethe.Formats;
using Lethe.Formats.Gguf;
using Lethe.Models.Language.Checkpoints;
using Lethe.Torch;

namespace Lethe.Models.Tests.Language.Checkpoints;

public sealed class WeightSourceTests
{
    private static float[] Floats(HostArray array)
    {
        var values = new float[array.Count];
        Casting.ToFloats(array.Type, array.Bytes.Span, values);
        return values;
    }

    [Fact]
    public void A_GGUF_file_holds_the_model_under_Hugging_Faces_names_with_queries_and_keys_put_right()
    {
        using var original = LanguageCheckpoint.Open(Repository.Fixture("language", "llama"));
        using var packed = LanguageCheckpoint.Open(Repository.Fixture("gguf", "llama_f32.gguf"));
        Assert.Equal(original.Weights.Names.Order(), packed.Weights.Names.Order());
        foreach (var name in original.Weights.Names)
        {
            var (expected, actual) = (original.Weights.Read(name), packed.Weights.Read(name));
            Assert.Equal(expected.Shape, actual.Shape);
            Assert.True(expected.Bytes.Span.SequenceEqual(actual.Bytes.Span), name);
        }
        Assert.Contains("llama_f32.gguf: blk.1.attn_q.weight", packed.Weights.Where("model.layers.1.self_attn.q_proj.weight"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_GGUF_files_metadata_say_what_config_json_says()
    {
        using var original = LanguageCheckpoint.Open(Repository.Fixture("language", "llama"));
        using var packed = LanguageCheckpoint.Open(Repository.Fixture("gguf", "llama_q4_0.gguf"));
        var (a, b) = (original.Configuration, packed.Configuration);
        Assert.Equal((a.ModelType, a.HiddenSize, a.IntermediateSize, a.Layers, a.Heads, a.KeyValueHeads, a.HeadSize, a.VocabularySize, a.MaximumPositions), (b.ModelType, b.HiddenSize, b.IntermediateSize, b.Layers, b.Heads, b.KeyValueHeads, b.HeadSize, b.VocabularySize, b.MaximumPositions));
        Assert.Equal((a.NormEpsilon, a.RopeTheta, a.TieEmbeddings, a.QueryScale), (b.NormEpsilon, b.RopeTheta, b.TieEmbeddings, b.QueryScale));
        Assert.Equal((1, 2), (packed.Special.Bos, packed.Special.Eos));
        Assert.False(packed.Special.AddBos);
    }

    [Theory]
    [InlineData("language/llama"), InlineData("gguf/llama_f32.gguf"), InlineData("gguf/llama_bf16.gguf"), InlineData("gguf/llama_q8_0.gguf"), InlineData("gguf/llama_q4_1.gguf")]
    public void Rows_are_those_of_the_whole_in_any_order(string fixture)
    {
        using var checkpoint = LanguageCheckpoint.Open(Repository.Fixture(fixture.Split('/')));
        var weights = checkpoint.Weights;
        foreach (var name in (string[])["model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "model.layers.2.self_attn.k_proj.weight", "model.layers.1.mlp.down_proj.weight", "model.norm.weight"])
        {
            var whole = weights.Read(name);
            var (shape, type) = weights.Describe(name);
            Assert.Equal(shape, whole.Shape);
            Assert.Equal(type, whole.Type);
            var rowBytes = (int)(whole.Bytes.Length / shape[0]);
            long[] rows = [shape[0] - 1, 0, 5, 5, 1];
            var gathered = weights.ReadRows(name, rows);
            Assert.Equal([5, .. shape.Skip(1)], gathered.Shape);
            for (var i = 0; i < rows.Length; i++)
                Assert.True(whole.Bytes.Span.Slice((int)rows[i] * rowBytes, rowBytes).SequenceEqual(gathered.Bytes.Span.Slice(i * rowBytes, rowBytes)), $"{name} row {rows[i]}");
            var some = new byte[3 * rowBytes];
            weights.ReadRows(name, 4, 3, some);
            Assert.Equal(whole.Bytes.Slice(4 * rowBytes, 3 * rowBytes).ToArray(), some);
            Assert.Throws<ArgumentOutOfRangeException>(() => weights.ReadRows(name, [shape[0]]));
            Assert.Throws<ArgumentOutOfRangeException>(() => weights.ReadRows(name, shape[0] - 2, 3, some));
            Assert.Throws<ArgumentException>(() => weights.ReadRows(name, 0, 2, some));
        }
        Assert.Contains("'nothing'", Assert.Throws<BadInputException>(() => weights.Read("nothing")).Message, StringComparison.Ordinal);
    }

    [SharedFact]
    public void SmolLM2s_tensors_are_dequantised_and_put_right_as_the_reference_does()
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(SharedData.Path("fixtures", "scores", "smollm2_tensors.json")));
        using var checkpoint = LanguageCheckpoint.Open(SharedData.Path("models", "smollm2-135m-instruct"));
        using var file = GgufFile.Open(checkpoint.Path);
        foreach (var tensor in golden.RootElement.GetProperty("tensors").EnumerateArray())
        {
            var parameter = tensor.GetProperty("parameter").GetString();
            var name = tensor.GetProperty("name").GetString()!;
            var read = parameter is null ? file.Read(name) : checkpoint.Weights.Read(parameter);
            Assert.Equal(tensor.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()), read.Shape);
            Assert.Equal(tensor.GetProperty("type").GetString(), file.Tensor(name).Type.ToString());
            var values = MemoryMarshal.Cast<byte, float>(read.Bytes.Span);
            var columns = (int)read.Shape[^1];
            var (sum, squares, byRow) = (0.0, 0.0, 0.0);
            for (var i = 0; i < values.Length; i++)
            {
                sum += values[i];
                squares += (double)values[i] * values[i];
                byRow += (double)values[i] * (i / columns);
            }
            // The file rounds corners to nine digits; sums were taken in float64, in another order.
            var corner = tensor.GetProperty("corner");
            var flat = corner[0].ValueKind == JsonValueKind.Array ? corner.EnumerateArray().SelectMany((row, r) => row.EnumerateArray().Select((value, c) => (r * columns + c, value.GetDouble()))) : corner.EnumerateArray().Select((value, c) => (c, value.GetDouble()));
            foreach (var (at, expected) in flat)
                Assert.Equal((float)expected, values[at], 1e-8f * (1 + Math.Abs((float)expected)));
            Assert.Equal(tensor.GetProperty("sum").GetDouble(), sum, 1e-6 * (1 + Math.Abs(sum)));
            Assert.Equal(tensor.GetProperty("sum_squares").GetDouble(), squares, 1e-9 * squares);
            if (read.Shape.Count > 1)
                Assert.Equal(tensor.GetProperty("sum_times_row").GetDouble(), byRow, 1e-6 * (1 + Math.Abs(byRow)));
        }
        Assert.True(checkpoint.Configuration is { TieEmbeddings: true, Layers: 30, RopeTheta: 100000, NormEpsilon: 1e-5, VocabularySize: 49152, KeyValueHeads: 3 });
        Assert.DoesNotContain("lm_head.weight", checkpoint.Weights.Names);
    }

    [SharedFact]
    public void A_llama2c_file_is_the_model_that_was_converted_from_it()
    {
        using var original = LanguageCheckpoint.Open(SharedData.Path("models", "stories260K"));
        using var packed = LanguageCheckpoint.Open(SharedData.Path("models", "stories260K", "stories260K.bin"));
        foreach (var name in packed.Weights.Names)
            Assert.True(original.Weights.Read(name).Bytes.Span.SequenceEqual(packed.Weights.Read(name).Bytes.Span), name);
        Assert.Equal(original.Weights.Names.Where(name => name != "lm_head.weight").Order(), packed.Weights.Names.Order());
        var (a, b) = (original.Configuration, packed.Configuration);
        Assert.Equal(ConfigurationWriter.Text(ConfigurationWriter.Json(a, DType.Float32)), ConfigurationWriter.Text(ConfigurationWriter.Json(b, DType.Float32)));
    }

    [Fact]
    public void Halves_are_left_as_they_are_stored()
    {
        using var packed = LanguageCheckpoint.Open(Repository.Fixture("gguf", "llama_bf16.gguf"));
        Assert.Equal(DType.BFloat16, packed.Weights.Describe("model.layers.0.self_attn.q_proj.weight").Stored);
        Assert.Equal(DType.Float32, packed.Weights.Describe("model.norm.weight").Stored);
        using var half = LanguageCheckpoint.Open(Repository.Fixture("gguf", "llama_f16.gguf"));
        Assert.Equal(DType.Float16, half.Weights.Describe("lm_head.weight").Stored);
        Assert.All(Floats(half.Weights.Read("lm_head.weight")), value => Assert.True(float.IsFinite(value)));
    }
}
