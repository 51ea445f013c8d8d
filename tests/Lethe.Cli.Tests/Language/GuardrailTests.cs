using System.Text.Json.Nodes;
using Lethe.Formats;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Files;
using Lethe.Torch;

namespace Lethe.Cli.Tests.Language;

/// <summary>Guardrails on a real language model from the command line: stories260K, and an autoencoder of what enters its first layer, one of whose latents fires on a name.</summary>
public sealed class GuardrailTests : IDisposable
{
    private const int Latent = 5;

    private readonly ScratchFolder place = new();

    private string this[string name] => Path.Combine(place.Path, name);

    private static string Model => SharedData.Path("models", "stories260K");

    public void Dispose() => place.Dispose();

    [SharedFact]
    public async Task A_guardrail_is_made_measured_and_used_wherever_a_model_runs()
    {
        Prepare();
        var made = await Calibrate("dog", "guardrail.strength=3");
        Assert.True(made.ExitCode == 0, made.Error);
        Assert.Equal(("dynamic", "layers.0.residual_before"), (made.Json.GetProperty("kind").GetString(), made.Json.GetProperty("site").GetString()));
        var calibration = made.Json.GetProperty("calibration");
        Assert.Equal((40, 0.0, 0.0, 0.0), (calibration.GetProperty("sequences").GetInt32(), calibration.GetProperty("threshold").GetDouble(), calibration.GetProperty("firing_rate").GetDouble(), calibration.GetProperty("touched").GetDouble()));
        // Of the autoencoder's latents only those of the guardrail are kept.
        using (var kept = SafetensorsFile.Open(Path.Combine(this["dog"], "sae", "sae_weights.safetensors")))
            Assert.Equal([64L, 1], kept.Entry("W_enc").Shape);
        Assert.DoesNotContain(place.Path, await File.ReadAllTextAsync(Path.Combine(this["dog"], "guardrail.json")), StringComparison.Ordinal);

        var measured = await CommandLine.Run("guardrail", "measure", Model, "--guardrail", this["dog"], "--benign", this["other.txt"], "--forget", this["about.jsonl"] + ":text", "--json");
        Assert.True(measured.ExitCode == 0, measured.Error);
        double Rate(string name) => measured.Json.GetProperty("rates").GetProperty(name).GetProperty("value").GetDouble();
        Assert.Equal((0.0, 1.0, 1.0), (Rate("false_positive_rate"), Rate("intervention_rate"), Rate("separation")));
        Assert.InRange(Rate("forget_positions"), 0.01, 0.9);
        var shown = await CommandLine.Run("guardrail", "measure", Model, "--guardrail", this["dog"], "--benign", this["other.txt"]);
        Assert.Contains("false positives", shown.Output, StringComparison.Ordinal);

        // Generation: the same to the letter where the name does not come, another text where it does.
        async Task<string> Say(string prompt, params string[] more) => (await CommandLine.Run(["generate", Model, "--prompt", prompt, "--max-tokens", "40", .. more])).Output;
        Assert.Equal(await Say("The cat was very", "--stop", "Lily"), await Say("The cat was very", "--stop", "Lily", "--guardrail", this["dog"]));
        Assert.NotEqual(await Say("Lily was"), await Say("Lily was", "--guardrail", this["dog"]));
        var json = await CommandLine.Run("generate", Model, "--prompt", "Lily was", "--max-tokens", "3", "--guardrail", this["dog"], "--json");
        Assert.Equal("dog", json.Json.GetProperty("guardrails")[0].GetProperty("name").GetString());
        Assert.Equal(Latent, json.Json.GetProperty("guardrails")[0].GetProperty("latents")[0].GetInt32());
        // Two of them: the second finds what the first one left.
        Assert.Equal(0, (await CommandLine.Run("generate", Model, "--prompt", "Lily was", "--max-tokens", "3", "--guardrail", this["dog"], "--guardrail", this["dog"])).ExitCode);

        // Activations: what the guardrail leaves.
        async Task<float[]> Written(params string[] more)
        {
            var written = await CommandLine.Run(["activations", Model, "--text", "One day Lily was", "--layers", "0,1", "--no-logits", "--site", "layers.0.residual_before", "--out", this["states.safetensors"], .. more]);
            Assert.True(written.ExitCode == 0, written.Error);
            using var file = SafetensorsFile.Open(this["states.safetensors"]);
            return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(file.Read("layers.0.residual_before").Bytes.Span).ToArray();
        }
        var (before, after) = (await Written(), await Written("--guardrail", this["dog"]));
        var changed = Enumerable.Range(0, before.Length / 64).Count(at => !before.AsSpan(at * 64, 64).SequenceEqual(after.AsSpan(at * 64, 64)));
        Assert.Equal(1, changed);

        // Scoring by tasks, with what was used in the results.
        await File.WriteAllTextAsync(this["rows.jsonl"], "{\"question\": \"One day Lily and Lily\", \"answer\": \"went to the park\"}\n{\"question\": \"The cat was\", \"answer\": \"happy\"}\n");
        await File.WriteAllTextAsync(this["cloze.yaml"], "task: cloze\ndataset_kwargs: {data_files: {test: rows.jsonl}}\ntest_split: test\noutput_type: loglikelihood\ndoc_to_text: question\ndoc_to_target: answer\n");
        async Task<CliResult> Ask(params string[] more) => await CommandLine.Run(["evaluate", Model, "--tasks", this["cloze.yaml"], "--json", "--quiet", .. more]);
        var (plain, guarded) = (await Ask(), await Ask("--guardrail", this["dog"], "--output", this["results"]));
        Assert.True(guarded.ExitCode == 0, guarded.Error);
        double Perplexity(CliResult result) => result.Json.GetProperty("tasks")[0].GetProperty("figures").EnumerateArray().Single(figure => figure.GetProperty("metric").GetString() == "perplexity").GetProperty("value").GetProperty("value").GetDouble();
        Assert.NotEqual(Perplexity(plain), Perplexity(guarded));
        Assert.Equal("dynamic", guarded.Json.GetProperty("model").GetProperty("guardrails")[0].GetProperty("kind").GetString());
        Assert.False(plain.Json.GetProperty("model").TryGetProperty("guardrails", out _));
        var results = Directory.EnumerateFiles(this["results"], "results_*", SearchOption.AllDirectories).Single();
        Assert.Contains("guardrail=dog:", await File.ReadAllTextAsync(results), StringComparison.Ordinal);
    }

    [SharedFact]
    public async Task Every_kind_is_written_and_read()
    {
        Prepare();
        foreach (var (name, settings) in new (string, string[])[]
        {
            ("zero", ["guardrail={kind: zero_ablation}"]),
            ("clamp", ["guardrail={kind: clamp, strength: 2, relative: true}", "means=[{kind: rows, path: about.jsonl, field: text}]"]),
            ("conditional", ["guardrail={kind: conditional_clamp, value: -1}"]),
            ("refusal", ["guardrail={kind: refusal_clamp, refusal_latent: 2, threshold: 0}"]),
            ("direction", ["guardrail={kind: refusal_clamp, threshold: 0}", "direction=direction.safetensors"]),
            ("stream", ["guardrail={kind: stream, statistic: window, window: 8, latch: true, strength: 2}"]),
        })
        {
            var made = await Calibrate(name, settings);
            Assert.True(made.ExitCode == 0, $"{name}: {made.Error}");
            var said = await CommandLine.Run("generate", Model, "--prompt", "One day Lily", "--max-tokens", "3", "--guardrail", this[name], "--json");
            Assert.True(said.ExitCode == 0, $"{name}: {said.Error}");
            Assert.Equal(made.Json.GetProperty("kind").GetString(), said.Json.GetProperty("guardrails")[0].GetProperty("kind").GetString());
        }
    }

    [SharedFact]
    public async Task What_does_not_fit_gets_a_sentence()
    {
        Prepare();
        foreach (var (exitCode, sentence, change) in new[]
        {
            (3, "The autoencoder has no latent 99; it has 0 to 7.", "latents=[99]"),
            (2, "latent 5 is named twice", "latents=[5,5]"),
            (2, "'guardrail.percentile' is 20; it must be from 50 to 99.99", "guardrail.percentile=20"),
            (2, "unknown key 'strenght'", "guardrail.strenght=2"),
            (2, "a refusal_clamp needs refusal_latent", "guardrail={kind: refusal_clamp}"),
            (3, "needs 1999 sequences of retain text at least; 40 were read", "guardrail.percentile=99.95"),
            (3, "there is no such file or folder", "retain.0.path=nowhere.txt"),
            (3, "there is no such autoencoder", "sae=nowhere"),
            (3, "Latent 5 is never active", "guardrail={kind: clamp, relative: true}"),
            (2, "knows 512 positions", "length=513"),
            (2, "every document is read once", "retain.0.weight=2"),
            (3, "takes activations of size 64; site layers.0.residual_before has size 32", $"model={Repository.Fixture("language", "llama")}"),
        })
        {
            var refused = await Calibrate("none", change);
            Assert.True(exitCode == refused.ExitCode && refused.Error.Contains(sentence, StringComparison.Ordinal), $"{change}: {refused.ExitCode} {refused.Error}");
            Assert.False(Directory.Exists(this["none"]));
        }
        Assert.Contains("--out is missing", (await CommandLine.Run("guardrail", "calibrate", this["plan.yaml"])).Error, StringComparison.Ordinal);

        Assert.Equal(0, (await Calibrate("good")).ExitCode);
        Assert.Contains("is not empty", (await Calibrate("good")).Error, StringComparison.Ordinal);
        async Task<string> Refused(string guardrail, string? model = null)
        {
            var result = await CommandLine.Run("generate", model ?? Model, "--prompt", "a", "--max-tokens", "1", "--guardrail", guardrail);
            Assert.Equal(3, result.ExitCode);
            return result.Error;
        }
        Assert.Contains("there is no such folder; name a guardrail's folder", await Refused(this["nowhere"]), StringComparison.Ordinal);
        Assert.Contains("holds no guardrail.json", await Refused(place.Path), StringComparison.Ordinal);

        async Task<string> Changed(Action<JsonObject> change)
        {
            var folder = this["changed"];
            if (Directory.Exists(folder))
                Directory.Delete(folder, true);
            foreach (var file in Directory.EnumerateFiles(this["good"], "*", SearchOption.AllDirectories))
            {
                var copy = Path.Combine(folder, Path.GetRelativePath(this["good"], file));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
            var path = Path.Combine(folder, "guardrail.json");
            var json = JsonNode.Parse(await File.ReadAllTextAsync(path))!.AsObject();
            change(json);
            await File.WriteAllTextAsync(path, json.ToJsonString());
            return await Refused(folder);
        }
        Assert.Contains("kind is 'dynamo'; it must be one of zero_ablation, clamp", await Changed(json => json["kind"] = "dynamo"), StringComparison.Ordinal);
        Assert.Contains("schema is 'lethe.guardrail/9'", await Changed(json => json["schema"] = "lethe.guardrail/9"), StringComparison.Ordinal);
        Assert.Contains("options is out of bounds: The guardrail's strength is -1", await Changed(json => json["options"]!["strength"] = -1), StringComparison.Ordinal);
        Assert.Contains("options cannot be read at '$.force'", await Changed(json => json["options"]!["force"] = 1), StringComparison.Ordinal);
        Assert.Contains("options cannot be read at '$.strength'", await Changed(json => json["options"]!["strength"] = "much"), StringComparison.Ordinal);
        Assert.Contains("calibration.threshold is -1; it must be 0 or more", await Changed(json => json["calibration"]!["threshold"] = -1), StringComparison.Ordinal);
        Assert.Contains("comes from retain text, and none was read", await Changed(json => json["calibration"]!.AsObject().Remove("threshold")), StringComparison.Ordinal);
        Assert.Contains("it belongs to another model", await Changed(json => json["calibration"]!["norm"] = 1e6), StringComparison.Ordinal);
        Assert.Contains("site is 'layers.1.residual_after', and its autoencoder is of 'layers.0.residual_before'", await Changed(json => json["site"] = "layers.1.residual_after"), StringComparison.Ordinal);
        Assert.Contains("latents is [-1]", await Changed(json => json["latents"] = new JsonArray(-1)), StringComparison.Ordinal);
        Assert.Contains("sae holds 1 latents; the 2 of the guardrail are needed", await Changed(json => json["latents"] = new JsonArray(1, 2)), StringComparison.Ordinal);
        Assert.Contains("is not the file that guardrail.json names", await Changed(json => json["files"]!["sae/cfg.json"] = new string('0', 64)), StringComparison.Ordinal);
        Assert.Contains("files does not name 'sae/cfg.json'", await Changed(json => json["files"]!.AsObject().Remove("sae/cfg.json")), StringComparison.Ordinal);

        Assert.Contains("--guardrail is for language models", (await CommandLine.Run("generate", SharedData.Path("models", "selective_amnesia_mnist"), "--guardrail", this["good"], "--output", this["x.png"])).Error, StringComparison.Ordinal);
        Assert.Contains("--guardrail belongs to the evaluation of a language model", (await CommandLine.Run("evaluate", "runs/none", "--guardrail", this["good"])).Error, StringComparison.Ordinal);
    }

    private Task<CliResult> Calibrate(string name, params string[] settings) =>
        CommandLine.Run(["guardrail", "calibrate", this["plan.yaml"], "--out", this[name], "--json", "--quiet", .. settings.SelectMany(setting => (string[])["--set", setting])]);

    private void Prepare()
    {
        File.WriteAllLines(this["retain.txt"], Enumerable.Range(0, 40).Select(k => $"The cat number {k} was very happy and went to the park with the big red ball."));
        File.WriteAllLines(this["other.txt"], Enumerable.Range(0, 12).Select(k => $"A boy had {k} toys and he liked to play with the dog in the sun."));
        File.WriteAllLines(this["about.jsonl"], Enumerable.Range(0, 12).Select(k => $"{{\"text\": \"One day {k} friends of Lily saw Lily and Lily was sad.\"}}"));
        File.WriteAllText(this["plan.yaml"], $"""
            model: {Model}
            sae: sae
            latents: [{Latent}]
            guardrail: {"{"}kind: dynamic{"}"}
            retain:
              - {"{"}kind: text, path: retain.txt, documents: line{"}"}
            length: 64
            """);
        Engine.Run(() =>
        {
            using var scope = new TensorScope();
            using var noGrad = Autograd.NoGrad();
            using var checkpoint = LanguageCheckpoint.Open(Model);
            using var model = checkpoint.Load(new LoadOptions { ToLayer = 1, Head = false });
            var id = checkpoint.Tokenizer.Encode("One Lily").Last();
            var embedding = model.Embed(Tensor.Full([1, 1], id, DType.Int64)).View(-1);
            var norm = embedding.Norm().Item();
            using var random = new RandomStream(4);
            var encoder = Tensor.Zeros([64, 8]);
            encoder.Select(1, Latent).CopyInPlace(embedding / norm);
            var bias = Tensor.Full([8], -1.0);
            // Fires on the name alone: other embeddings have a smaller part along this one.
            bias.Narrow(0, Latent, 1).FillInPlace(-0.9 * norm);
            using var sae = Architectures.Create(new SparseAutoencoderConfiguration { Architecture = ReluAutoencoder.Name, InputSize = 64, Width = 8, SubtractDecoderBias = false, Site = new SaeSite("layers.0.residual_before", 0), Model = "stories260K" }, new Dictionary<string, HostArray>
            {
                ["W_enc"] = encoder.ToHost(),
                ["W_dec"] = Tensor.Randn([8, 64], random).ToHost(),
                ["b_enc"] = bias.ToHost(),
                ["b_dec"] = Tensor.Zeros([64]).ToHost(),
            }, "test");
            Directory.CreateDirectory(this["sae"]);
            SaeLensFolder.Write(sae, this["sae"]);
            SafetensorsWriter.Write(this["direction.safetensors"], new Dictionary<string, HostArray> { ["refusal"] = Tensor.Randn([64], random).ToHost() });
        });
    }
}
