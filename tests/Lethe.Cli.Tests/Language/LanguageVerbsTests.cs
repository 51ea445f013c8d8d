using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Cli.Tests.Language;

public sealed class LanguageVerbsTests : IDisposable
{
    private readonly ScratchFolder place = new();

    private string this[string name] => Path.Combine(place.Path, name);

    private static string Fixture(string name) => Repository.Fixture("language", name);

    public void Dispose() => place.Dispose();

    [Theory]
    [InlineData("llama")]
    [InlineData("llama3_scaled")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("gemma2")]
    [InlineData("gpt2")]
    [InlineData("gpt_neox")]
    public async Task Activations_are_those_of_transformers(string name)
    {
        var golden = Path.Combine(Fixture(name), "golden.safetensors");
        var result = await CommandLine.Run("activations", Fixture(name), "--ids", golden, "--out", this["out.safetensors"], "--json");
        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
        using var expected = SafetensorsFile.Open(golden);
        using var written = SafetensorsFile.Open(this["out.safetensors"]);
        Assert.Equal(expected.Entries.Select(entry => entry.Name).Where(entry => entry != "greedy").Order(), written.Entries.Select(entry => entry.Name).Order());
        Assert.Equal(expected.Read("input_ids").Bytes.ToArray(), written.Read("input_ids").Bytes.ToArray());
        var mask = Numbers<long>(expected.Read("attention_mask"));
        foreach (var entry in expected.Entries.Where(entry => entry.Name.StartsWith("hidden_", StringComparison.Ordinal) || entry.Name == "logits"))
        {
            var (x, y) = (Numbers<float>(expected.Read(entry.Name)), Numbers<float>(written.Read(entry.Name)));
            var width = x.Length / mask.Length;
            for (var k = 0; k < x.Length; k++)
                // The tolerance of fixtures/README.md.
                Assert.True(mask[k / width] == 0 || Math.Abs(x[k] - y[k]) <= 1e-4 * Math.Max(1, Math.Abs(x[k])), $"{entry.Name}[{k}] is {y[k]}, not {x[k]}");
        }
    }

    [Fact]
    public async Task Chosen_layers_and_sites_are_written_and_no_others()
    {
        var golden = Path.Combine(Fixture("gemma2"), "golden.safetensors");
        var result = await CommandLine.Run("activations", Fixture("gemma2"), "--ids", golden, "--layers", "0,1-2", "--no-logits", "--site", "blocks.1.hook_mlp_out", "--site", "layers.0.heads", "--out", this["out.safetensors"], "--json");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["attention_mask", "hidden_0", "hidden_1", "hidden_2", "input_ids", "layers.0.heads", "layers.1.mlp_added"], result.Json.GetProperty("tensors").EnumerateObject().Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Equal([2, 20, 64], result.Json.GetProperty("tensors").GetProperty("layers.0.heads").EnumerateArray().Select(size => size.GetInt32()));
        using var expected = SafetensorsFile.Open(golden);
        using var written = SafetensorsFile.Open(this["out.safetensors"]);
        // Row 0 has no padding.
        foreach (var (x, y) in Numbers<float>(expected.Read("hidden_2")).Zip(Numbers<float>(written.Read("hidden_2"))).Take(20 * 32))
            Assert.Equal(x, y, 1e-4 * Math.Max(1, Math.Abs(x)));
    }

    [Theory]
    [InlineData(2, "activations reads texts or tokens", "--out", "x.safetensors")]
    [InlineData(2, "activations writes a file", "--text", "a")]
    [InlineData(2, "There is no hidden state 5", "--ids", "golden", "--layers", "5", "--out", "x.safetensors")]
    [InlineData(2, "--layers is '3-1'", "--ids", "golden", "--layers", "3-1", "--out", "x.safetensors")]
    [InlineData(2, "'blocks.1.nothing' is no site", "--ids", "golden", "--site", "blocks.1.nothing", "--out", "x.safetensors")]
    [InlineData(2, "There is no site layers.4.heads", "--ids", "golden", "--site", "layers.4.heads", "--out", "x.safetensors")]
    [InlineData(3, "has no tokenizer", "--text", "a", "--out", "x.safetensors")]
    [InlineData(3, "has no tensor 'input_ids'", "--ids", "weights", "--out", "x.safetensors")]
    public async Task Wrong_options_of_activations_end_with_one_sentence(int exitCode, string sentence, params string[] options)
    {
        string[] given = [.. options.Select(option => option switch { "golden" => Path.Combine(Fixture("llama"), "golden.safetensors"), "weights" => Path.Combine(Fixture("llama"), "model.safetensors"), _ => option })];
        var result = await CommandLine.Run(["activations", Fixture("llama"), .. given]);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tokens_masks_and_positions_that_are_not_the_models_are_refused()
    {
        async Task<string> Refused(params (string Name, long[] Values, long[] Shape)[] tensors)
        {
            SafetensorsWriter.Write(this["ids.safetensors"], tensors.Select(tensor => KeyValuePair.Create(tensor.Name, new HostArray(DType.Int64, tensor.Shape, System.Runtime.InteropServices.MemoryMarshal.AsBytes(tensor.Values.AsSpan()).ToArray()))));
            var result = await CommandLine.Run("activations", Fixture("llama"), "--ids", this["ids.safetensors"], "--out", this["out.safetensors"]);
            Assert.Equal(3, result.ExitCode);
            Assert.False(File.Exists(this["out.safetensors"]));
            return result.Error;
        }
        Assert.Contains("'input_ids' has 160; the model's vocabulary has 160 tokens", await Refused(("input_ids", [1, 160], [1, 2])), StringComparison.Ordinal);
        Assert.Contains("'attention_mask' has 2; 0 stands for padding", await Refused(("input_ids", [1, 5], [1, 2]), ("attention_mask", [2, 1], [1, 2])), StringComparison.Ordinal);
        Assert.Contains("must have the same shape", await Refused(("input_ids", [1, 5], [1, 2]), ("attention_mask", [1], [1, 1])), StringComparison.Ordinal);
        Assert.Contains("'position_ids' has 128; the model has 128 positions", await Refused(("input_ids", [1, 5], [1, 2]), ("position_ids", [0, 128], [1, 2])), StringComparison.Ordinal);
        Assert.Contains("129 tokens in a row", await Refused(("input_ids", new long[129], [1, 129])), StringComparison.Ordinal);
        Assert.Contains("[tokens] or [rows, tokens]", await Refused(("input_ids", [1], [1, 1, 1])), StringComparison.Ordinal);
    }

    [SharedFact]
    public async Task Generate_continues_texts_the_same_way_for_the_same_seed()
    {
        string[] call = ["generate", SharedData.Path("models", "stories260K"), "--prompt", "Once upon a time", "--prompt", "One day", "--max-tokens", "12", "--temperature", "0.8", "--top-p", "0.9", "--json"];
        var (first, again, other) = (await CommandLine.Run(call), await CommandLine.Run(call), await CommandLine.Run([.. call, "--seed", "9"]));
        Assert.Equal(0, first.ExitCode);
        Assert.Equal(first.Output, again.Output);
        Assert.NotEqual(first.Json.GetProperty("results").ToString(), other.Json.GetProperty("results").ToString());
        Assert.Equal("maximum_tokens", first.Json.GetProperty("results")[1].GetProperty("stopped_by").GetString());

        var text = await CommandLine.Run("generate", SharedData.Path("models", "stories260K", "stories260K.bin"), "--prompt", "Once upon a time", "--max-tokens", "30", "--stop", "Lily");
        Assert.Equal("", text.Error);
        Assert.StartsWith(", there was a little girl named", text.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Lily", text.Output, StringComparison.Ordinal);
    }

    [SharedFact]
    public async Task Generate_answers_in_a_chat()
    {
        var answer = await CommandLine.Run("generate", SharedData.Path("models", "smollm2-135m-instruct"), "--chat", "--prompt", "What is the capital of Japan?", "--max-tokens", "20");
        Assert.Contains("Tokyo", answer.Output, StringComparison.Ordinal);
        var none = await CommandLine.Run("generate", SharedData.Path("models", "stories260K"), "--chat", "--prompt", "Hello");
        Assert.Equal(2, none.ExitCode);
        Assert.Contains("has no chat template", none.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--label is for image models, and MODEL is a language model.", "--prompt", "a", "--label", "3")]
    [InlineData("generate continues a text: give it with --prompt TEXT.")]
    [InlineData("--system is part of a chat; add --chat.", "--prompt", "a", "--system", "b")]
    [InlineData("The top-p is 2; it has to be over 0 and at most 1.", "--prompt", "a", "--top-p", "2")]
    [InlineData("--temperature is 'hot'; it takes a number.", "--prompt", "a", "--temperature", "hot")]
    public async Task Wrong_options_of_generate_end_with_one_sentence(string sentence, params string[] options)
    {
        var result = await CommandLine.Run(["generate", Fixture("llama"), .. options]);
        Assert.Equal(2, result.ExitCode);
        Assert.Equal($"error: {sentence}\n", result.Error);
    }

    [Fact]
    public async Task Generate_from_nothing_ends_with_one_sentence()
    {
        var result = await CommandLine.Run("generate", "nowhere", "--prompt", "a");
        Assert.Equal(3, result.ExitCode);
        Assert.StartsWith("error: nowhere: there is no such file or folder;", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Families_without_a_file_are_refused_by_name()
    {
        var folder = Directory.CreateDirectory(this["phi3"]).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "config.json"), """{"model_type": "phi3", "hidden_size": 32}""");
        foreach (var verb in (string[][])[["generate", folder, "--prompt", "a"], ["activations", folder, "--text", "a", "--out", this["x.safetensors"]]])
        {
            var result = await CommandLine.Run(verb);
            Assert.Equal(3, result.ExitCode);
            Assert.Contains("'phi3'", result.Error, StringComparison.Ordinal);
            Assert.Contains("gemma2", result.Error, StringComparison.Ordinal);
        }
    }

    private static T[] Numbers<T>(HostArray array) where T : unmanaged => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, T>(array.Bytes.Span).ToArray();
}
