namespace Lethe.Cli.Tests;

/// <summary>Training and reading an autoencoder on a real language model, from the command line.</summary>
public sealed class SaeTrainingTests
{
    private const string Small = "--set training.tokens=60000 --set training.buffer=8192 --set training.batch=1024 --set evaluation.loss_contexts=3 --set corpora.0.path=${shared}/data/text/tinystories_excerpt.txt.gz";

    [SharedFact]
    public async Task An_autoencoder_on_stories260k_is_trained_measured_and_shown()
    {
        using var folder = new ScratchFolder();
        var run = Path.Combine(folder.Path, "sae");
        var plan = Path.Combine(Repository.Root, "plans", "stories260K-sae.yaml");

        // Measured on the excerpt itself: the test is about the way, the figures of docs/sae.md come from other text.
        var trained = await CommandLine.Run(["train", plan, "--output", run, "--json", .. Small.Split(' '), "--set", "evaluation.corpora.0.path=${shared}/data/text/tinystories_excerpt.txt.gz"]);

        Assert.True(trained.ExitCode == 0, trained.Error);
        var sae = trained.Json.GetProperty("autoencoders")[0];
        Assert.True(sae.GetProperty("quality").GetProperty("explained_variance").GetDouble() > 0.3, trained.Output);
        Assert.Equal(16, sae.GetProperty("quality").GetProperty("active_latents").GetDouble(), 1.0);
        Assert.True(sae.GetProperty("loss").GetProperty("recovered").GetDouble() > 0.5, trained.Output);
        Assert.True(File.Exists(Path.Combine(run, "model", "layers.2.residual_after", "sparsity.safetensors")));

        var page = Path.Combine(folder.Path, "cards.html");
        var shown = await CommandLine.Run("inspect", run, "--latents", "3,7", "--out", page, "--json");

        Assert.True(shown.ExitCode == 0, shown.Error);
        Assert.Equal([3, 7], shown.Json.GetProperty("latents").EnumerateArray().Select(card => card.GetProperty("latent").GetInt32()));
        var html = await File.ReadAllTextAsync(page);
        Assert.Contains("Latent 7", html, StringComparison.Ordinal);
        Assert.Contains("<mark", html, StringComparison.Ordinal);
        System.Xml.Linq.XDocument.Parse(html);

        // As if it had been trained on other activations.
        var configuration = Path.Combine(run, "model", "layers.2.residual_after", "cfg.json");
        var text = System.Text.RegularExpressions.Regex.Replace(await File.ReadAllTextAsync(configuration), "(\"lethe_activation_norm\": *)[0-9.eE+]+", "${1}0.001");
        Assert.Contains("0.001", text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(configuration, text);
        var foreign = await CommandLine.Run("inspect", run, "--latents", "3", "--out", Path.Combine(folder.Path, "foreign.html"));
        Assert.Contains("was trained on activations with a mean norm of 0.001; site layers.2.residual_after has", foreign.Error, StringComparison.Ordinal);
        Assert.Equal(3, foreign.ExitCode);
    }

    [SharedFact]
    public async Task What_cannot_be_trained_gets_a_sentence()
    {
        foreach (var (exitCode, sentence, change) in new[]
        {
            (3, "has no site layers.5.residual_after", "autoencoders.0.site=layers.5.residual_after"),
            (2, "is no site of a language model", "autoencoders.0.site=layer 5"),
            (3, "one shuffle buffer takes 900000", "training.buffer=900000"),
            (3, "there is no such file or folder", "corpora.0.path=nowhere.txt"),
            (2, "knows 512 positions", "context=513"),
            (2, "can have 512 active at most", "training.sparsity.active=600"),
        })
            await Refused(exitCode, sentence, change);
    }

    private static async Task Refused(int exitCode, string sentence, string change)
    {
        using var folder = new ScratchFolder();
        var plan = Path.Combine(Repository.Root, "plans", "stories260K-sae.yaml");
        var result = await CommandLine.Run("train", plan, "--output", Path.Combine(folder.Path, "sae"), "--set", change);
        Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
        Assert.Equal(exitCode, result.ExitCode);
    }

    [Fact]
    public async Task An_autoencoder_without_a_run_asks_for_model_and_text()
    {
        var sae = Repository.Fixture("sae", "dictionary_learning", "relu");
        Assert.Contains("--model is missing", (await CommandLine.Run("inspect", sae)).Error, StringComparison.Ordinal);
        var model = await CommandLine.Run("inspect", sae, "--model", Repository.Fixture("language", "llama"));
        Assert.Contains("--text is missing", model.Error, StringComparison.Ordinal);
        Assert.Equal(2, model.ExitCode);
    }
}
