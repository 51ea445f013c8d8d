namespace Lethe.Cli.Tests.Language;

/// <summary>SSPU with sparse autoencoders of a tiny language model, through the command line: scores, the choice of a layer, the explanation, and autoencoders that do not fit.</summary>
public sealed class SubspaceProjectionTests(LanguageUnlearningTests.World world) : IClassFixture<LanguageUnlearningTests.World>
{
    [Fact]
    public async Task Subspace_projection_scores_latents_chooses_the_layer_and_explains_what_moved()
    {
        await File.WriteAllTextAsync(world["sae.yaml"], """
            kind: sparse_autoencoder
            title: Tiny autoencoders
            model: runs/base/model
            corpora: [{kind: text, path: all.txt, documents: line}]
            autoencoders: [{site: layers.0.residual_after, width: 64}, {site: layers.1.residual_after, width: 64}]
            context: 16
            rows: 4
            training: {tokens: 6000, batch: 64, buffer: 256, warm_up: 5, dead_after: 2000, sparsity: {kind: top_k, active: 4}}
            """);
        var trained = await CommandLine.Run("train", world["sae.yaml"], "--output", world["runs", "sae"], "--quiet", "--threads", "1");
        Assert.True(trained.ExitCode == 0, trained.Error);
        string[] plan =
        [
            "unlearn", world.Plan, "--json", "--threads", "1", "--set", "method={kind: sspu, steps: 6, learning_rate: 0.01, layers: [1]}",
            "--set", "sparse_autoencoders=[runs/sae]", "--set", "features={relevant: 6, irrelevant: 6, percentile: 50}",
        ];

        var run = await CommandLine.Run([.. plan, "--output", world["runs", "sspu"], "--set", "layer_choice={permutations: 39, level: 0.5, check_questions: 8}"]);

        Assert.True(run.ExitCode == 0, run.Error);
        var features = run.Json.GetProperty("features");
        Assert.Equal(2, features.GetProperty("sites").GetArrayLength());
        // The criterion is checked by taking the subspaces out of the untouched model.
        var check = features.GetProperty("check");
        Assert.Equal(["layers.0.residual_after", "layers.1.residual_after"], check.GetProperty("sites").EnumerateArray().Select(site => site.GetProperty("site").GetString()!));
        Assert.All(check.GetProperty("sites").EnumerateArray(), site => Assert.NotEqual(0, site.GetProperty("forget_fall").GetProperty("value").GetDouble()));
        Assert.False(check.TryGetProperty("rank_correlation", out _)); // two sites have no order worth a number
        Assert.True(run.Json.GetProperty("cost").GetProperty("seconds").TryGetProperty("check-layers", out _));
        var chosen = features.GetProperty("chosen")[0];
        Assert.Equal(6, chosen.GetProperty("relevant").GetArrayLength());
        Assert.Equal(6, chosen.GetProperty("subspaces").GetProperty("relevant_rank").GetInt32());
        Assert.True(chosen.GetProperty("subspaces").GetProperty("overlap").GetDouble() < 1e-6);
        var layer = features.GetProperty("explanation").GetProperty("layers")[0];
        Assert.Equal(12, layer.GetProperty("latents").GetArrayLength());
        Assert.True(layer.GetProperty("target").GetProperty("after").GetDouble() < layer.GetProperty("target").GetProperty("before").GetDouble());
        foreach (var stage in new[] { "score", "subspaces" })
            Assert.True(run.Json.GetProperty("cost").GetProperty("seconds").TryGetProperty(stage, out _));
        Assert.Contains("Features and subspaces", await File.ReadAllTextAsync(world["runs", "sspu", "report.html"]), StringComparison.Ordinal);
        Assert.Contains("take the relevant subspace out of the untouched model", await File.ReadAllTextAsync(world["runs", "sspu", "report.html"]), StringComparison.Ordinal);

        // An autoencoder says what became of its latents whatever the target is; without one there is nothing to say.
        foreach (var (name, saes, latents, other) in new[] { ("explained", "[runs/sae]", 12, "seed=1"), ("plain", "[]", 0, "method.retain_weight=5") })
        {
            var positive = await CommandLine.Run([.. plan, "--output", world["runs", name], "--set", "method.target=positive", "--set", $"sparse_autoencoders={saes}", "--set", other]);
            Assert.True(positive.ExitCode == 0, positive.Error);
            Assert.Equal(latents, positive.Json.GetProperty("features").GetProperty("explanation").GetProperty("layers")[0].GetProperty("latents").GetArrayLength());
            // What the matrices read is looked at once, whatever the seed, the target and the weights.
            string Looked(string of) => File.ReadAllText(world["runs", of, "stages", "inputs", "artefact.json"]);
            Assert.Equal(Looked("sspu"), Looked(name));
        }

        // One of activations that are a number shorter.
        Directory.CreateDirectory(world["narrow"]);
        await File.WriteAllTextAsync(world["narrow", "cfg.json"], (await File.ReadAllTextAsync(world["runs", "sae", "model", "layers.1.residual_after", "cfg.json"])).Replace("\"d_in\": 16", "\"d_in\": 15", StringComparison.Ordinal));
        Torch.HostArray Zeros(params long[] shape) => new(Torch.DType.Float32, shape, new byte[4 * shape.Aggregate(1L, (product, size) => product * size)]);
        Formats.SafetensorsWriter.Write(world["narrow", "sae_weights.safetensors"], new Dictionary<string, Torch.HostArray> { ["W_enc"] = Zeros(15, 64), ["W_dec"] = Zeros(64, 15), ["b_enc"] = Zeros(64), ["b_dec"] = Zeros(15) });

        var chance = await CommandLine.Run([.. plan, "--output", world["runs", "chance"], "--set", "layer_choice={permutations: 19, level: 0.001}"]);
        Assert.Equal(1, chance.ExitCode);
        Assert.Contains("No site tells the texts to forget from those to retain", chance.ErrorMessage, StringComparison.Ordinal);
        foreach (var (exitCode, sentence, change) in new[]
        {
            (2, "needs a sparse autoencoder of what leaves each of method.layers (1)", "sparse_autoencoders=[runs/sae/model/layers.0.residual_after]"),
            (3, "takes activations of size 15", "sparse_autoencoders=[narrow]"),
            (3, "belongs to layer 3", $"sparse_autoencoders=[{Repository.Fixture("sae", "gemma_scope", "layer_3", "width_48", "average_l0_9")}]"),
        })
        {
            var refused = await CommandLine.Run([.. plan, "--output", world["runs", "refused"], "--set", change]);
            Assert.Contains(sentence, refused.ErrorMessage, StringComparison.Ordinal);
            Assert.Equal(exitCode, refused.ExitCode);
        }
        // As if it had been trained on other activations.
        var configuration = world["runs", "sae", "model", "layers.1.residual_after", "cfg.json"];
        await File.WriteAllTextAsync(configuration, System.Text.RegularExpressions.Regex.Replace(await File.ReadAllTextAsync(configuration), "(\"lethe_activation_norm\": *)[0-9.eE+]+", "${1}0.001"));
        var foreign = await CommandLine.Run([.. plan, "--output", world["runs", "foreign"]]);
        Assert.Equal(3, foreign.ExitCode);
        Assert.Contains("was trained on activations with a mean norm of 0.001", foreign.ErrorMessage, StringComparison.Ordinal);
    }
}
