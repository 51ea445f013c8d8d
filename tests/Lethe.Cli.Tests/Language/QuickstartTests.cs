using System.Text.Json;

namespace Lethe.Cli.Tests.Language;

/// <summary>The demo's language part at reduced size: the real program in a checkout of the test's own, which is this one but for its plans. The demo itself is run by the tests of the commands that the pages name.</summary>
public sealed class QuickstartTests : IDisposable
{
    private readonly ScratchFolder folder = new();

    public QuickstartTests()
    {
        Directory.CreateDirectory(At("home", "plans"));
        foreach (var name in new[] { "eng", "native", "artifacts" })
            Directory.CreateSymbolicLink(At("home", name), Path.Combine(Repository.Root, name));
        TinyKnowledge.Write(At("home", "plans"));
        Write("never.yaml", File.ReadAllText(At("home", "plans", "never.yaml")).Replace("path: runs/base", "path: model.yaml", StringComparison.Ordinal));
        Write("sae.yaml", """
            kind: sparse_autoencoder
            title: A tiny autoencoder
            model: model.yaml
            corpora: [{kind: text, path: all.txt, documents: line}]
            autoencoders: [{site: layers.1.residual_after, width: 32}]
            context: 16
            rows: 4
            training: {tokens: 2000, batch: 64, buffer: 256, warm_up: 5, dead_after: 2000, sparsity: {kind: top_k, active: 4}}
            """);
        Write("plan.yaml", TinyKnowledge.Plan("model.yaml"));
        Write("quickstart-methods.yaml", """
            title: Tiny methods
            plan: plan.yaml
            set: {guard: null, never_knew: never.yaml, sparse_autoencoders: [sae.yaml], features: {relevant: 6, irrelevant: 6, percentile: 50}, ground.split.validation: 0.5}
            grid:
              method:
                - {kind: sspu, steps: 4, learning_rate: 0.01, layers: [1]}
                - {kind: rmu, steps: 4, learning_rate: 0.01, layer: 1, edited_layers: [0, 1]}
                - {kind: gradient_ascent, steps: 2, learning_rate: 0.01}
            """);
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Its_methods_stand_beside_the_model_that_never_knew_and_a_second_call_computes_nothing()
    {
        var first = await Run("--json", "--seed", "5");

        Assert.True(first.ExitCode == 0, first.Error);
        var document = JsonDocument.Parse(first.Output).RootElement;
        Assert.False(document.TryGetProperty("images", out _));
        var language = document.GetProperty("language");
        var methods = language.GetProperty("methods").EnumerateArray().ToList();
        Assert.Equal(["sspu", "rmu", "gradient_ascent"], methods.Select(method => method.GetProperty("method").GetString()));
        foreach (var method in methods)
        {
            var run = JsonDocument.Parse(await File.ReadAllBytesAsync(At("runs", "demo-language", method.GetProperty("run").GetString()!, "result.json"))).RootElement;
            Assert.Equal(5, run.GetProperty("run").GetProperty("seed").GetInt64());
            Assert.Equal(run.GetProperty("forget").GetProperty("swap_after").GetDouble(), method.GetProperty("swap_after").GetProperty("value").GetDouble());
            Assert.Equal(run.GetProperty("retain").GetProperty("worst_change").GetDouble(), method.GetProperty("worst_change").GetDouble());
            Assert.Equal(run.GetProperty("perplexity").GetProperty("after").GetDouble(), method.GetProperty("perplexity_after").GetDouble());
            // Measuring costs more than forgetting here, and is not the method's.
            Assert.InRange(method.GetProperty("seconds").GetDouble(), run.GetProperty("cost").GetProperty("seconds").GetProperty("forget").GetDouble(), run.GetProperty("cost").GetProperty("seconds").EnumerateObject().Sum(stage => stage.Value.GetDouble()));
        }
        Assert.Equal("sspu", language.GetProperty("result").GetProperty("method").GetProperty("name").GetString());
        var control = language.GetProperty("never_knew");
        var topics = language.GetProperty("result").GetProperty("retain").GetProperty("topics").EnumerateArray().Select(topic => topic.GetProperty("knowledge")).ToList();
        Assert.Equal(language.GetProperty("result").GetProperty("forget").GetProperty("trained").GetProperty("swap_never_knew").GetRawText(), control.GetProperty("swap").GetRawText(), ignoreAllWhiteSpace: true);
        Assert.Equal(topics.Min(topic => topic.GetProperty("swap_never_knew").GetProperty("value").GetDouble() - topic.GetProperty("swap_before").GetProperty("value").GetDouble()), control.GetProperty("worst_change").GetDouble());
        var shown = At("runs", "demo-language", methods[0].GetProperty("run").GetString()!);
        foreach (var page in new[] { Path.Combine(shown, "report.html"), Path.Combine(shown, "report.ja.html"), At("runs", "demo-language", "sweep.html"), At("runs", "demo-language", "sweep.ja.html") })
            System.Xml.Linq.XDocument.Parse(await File.ReadAllTextAsync(page));

        var again = await Run("--seed", "5");

        Assert.True(again.ExitCode == 0, again.Error);
        Assert.DoesNotContain(": started", again.Error, StringComparison.Ordinal);
        foreach (var word in new[] { "Forget the stones", "swap before", "sspu", "rmu", "gradient_ascent", "never knew it", Path.Combine(shown, "report.html"), At("runs", "demo-language", "sweep.ja.html") })
            Assert.Contains(word, again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistake_in_the_second_parts_plan_is_told_before_the_first_part_is_run()
    {
        Write("quickstart-methods.yaml", "title: Tiny methods\nplan: plan.yaml\ngrid: {method.stepps: [1, 2]}\n");

        var refused = await Start([]);

        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("stepps", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("runs")));
    }

    [Fact]
    public async Task A_part_that_does_not_exist_is_refused()
    {
        var refused = await CommandLine.Run("quickstart", "--only", "sounds");

        Assert.Equal(2, refused.ExitCode);
        Assert.Equal("error: --only is 'sounds'; it takes images or language.\n", refused.Error);
    }

    private Task<ShellResult> Run(params string[] arguments) => Start(["--only", "language", .. arguments]);

    private Task<ShellResult> Start(string[] arguments) => Shell.Run(
        "dotnet", ["exec", typeof(LetheCommandLine).Assembly.Location, "quickstart", "--threads", "1", "--output", At("runs", "demo"), .. arguments], folder.Path, ("LETHE_HOME", At("home")), ("LETHE_CACHE", null));

    private void Write(string name, string text) => File.WriteAllText(At("home", "plans", name), text);

    private string At(params string[] parts) => Path.Combine([folder.Path, .. parts]);
}
