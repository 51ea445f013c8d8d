using Lethe.Torch;
using Lethe.Formats;

namespace Lethe.Cli.Tests;

public sealed class SaeTests
{
    [Fact]
    public async Task Sae_encode_gives_the_fixtures_values_under_their_names_for_a_file_that_names_no_site()
    {
        using var folder = new ScratchFolder();
        var fixture = Repository.Fixture("sae", "saelens", "topk");
        var golden = Path.Combine(fixture, "golden.safetensors");
        var output = Path.Combine(folder.Path, "z.safetensors");

        var result = await CommandLine.Run("sae", "encode", fixture, "--input", golden, "--out", output, "--json");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(("lethe.sae-encode/1", 48, 7), (result.Json.GetProperty("schema").GetString(), result.Json.GetProperty("width").GetInt32(), result.Json.GetProperty("rows").GetInt32()));
        using var expected = SafetensorsFile.Open(golden);
        using var actual = SafetensorsFile.Open(output);
        Assert.Equal(["x", "x_hat", "z"], actual.Entries.Select(entry => entry.Name).Order());
        Engine.Run(() =>
        {
            using var scope = new TensorScope();
            foreach (var name in new[] { "x", "z", "x_hat" })
                Assert.InRange((Tensor.From(expected.Read(name)) - Tensor.From(actual.Read(name))).Abs().Max().Item(), 0, 1e-5);
        });
    }

    [Theory]
    [InlineData(3, "one tensor, or one of that name", "saelens/topk", "metrics/features.safetensors", "z.safetensors")]
    [InlineData(3, "there is no such file", "saelens/topk", "nowhere.safetensors", "z.safetensors")]
    [InlineData(3, "there is no such autoencoder", "nowhere", "sae/saelens/topk/golden.safetensors", "z.safetensors")]
    [InlineData(2, "cannot be written", "saelens/topk", "sae/saelens/topk/golden.safetensors", "missing/z.safetensors")]
    public async Task Bad_input_gets_a_sentence(int exitCode, string sentence, string sae, string input, string output)
    {
        using var folder = new ScratchFolder();
        var result = await CommandLine.Run("sae", "encode", Repository.Fixture(["sae", .. sae.Split('/')]), "--input", Repository.Fixture(input.Split('/')), "--out", Path.Combine(folder.Path, output));
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_options_are_named()
    {
        var result = await CommandLine.Run("sae", "encode", "somewhere");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--input is missing", result.Error, StringComparison.Ordinal);
    }
}
