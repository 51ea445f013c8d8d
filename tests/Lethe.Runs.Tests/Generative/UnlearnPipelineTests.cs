using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lethe.Formats;
using Lethe.Models.Generative;
using Lethe.Runs.Generative;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Generative;

public sealed class UnlearnPipelineTests(TinyRuns runs) : IClassFixture<TinyRuns>
{
    private static readonly string[] NoTraces = ["relearn.enabled=false", "measure.probes=false"];

    [TorchFact]
    public void A_run_leaves_everything_that_the_design_promises()
    {
        var paths = runs.FirstPaths;
        Assert.All(new[] { paths.Plan, paths.Metrics, paths.Result, paths.Provenance, Path.Combine(paths.Model, "model.safetensors") }, file => Assert.True(File.Exists(file), file));
        foreach (var folder in new[] { ImageUnlearner.BeforePictures, ImageUnlearner.AfterPictures })
            Assert.Equal(10, Directory.GetFiles(Path.Combine(paths.Root, folder), "*.png").Length);
        Assert.False(Directory.Exists(paths.Work));

        string[] stages = ["base", "judge", "before", "fisher", "forget", "after", "probes", "control-3", "relearn-3"];
        Assert.Equal(stages, runs.First.Cost.Seconds.Keys);
        Assert.Empty(runs.First.Cost.Cached);
        Assert.Equal(stages.Order(StringComparer.Ordinal), Directory.GetDirectories(paths.Stages).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal([3], runs.First.Concepts.Select(concept => concept.Label));
        Assert.Equal([0, 1, 2, 4, 5, 6, 7, 8, 9], runs.First.Request.Retained);
        Assert.Equal(10, runs.First.Classes.Count);
        Assert.Equal((Roles.Forgotten, Roles.Retained), (runs.First.Classes[3].Role, runs.First.Classes[4].Role));
        Assert.NotNull(runs.First.Probes);
        Assert.Equal(ControlKinds.TrainedWithoutClass, Assert.Single(runs.First.Relearning!).ControlKind);
        Assert.Equal(14, runs.First.Moved.Count);
        // What is on disk is what was returned, and the steps of every loop are in metrics.jsonl.
        Assert.Equal(Json(runs.First), Json((ImageUnlearnResult)UnlearnPipeline.ReadResult(paths)));
        var steps = File.ReadLines(paths.Metrics).Select(line => JsonNode.Parse(line)!).GroupBy(line => (string)line["stage"]!).ToDictionary(group => group.Key, group => group.Count());
        Assert.Equal((60, 30), (steps["base"], steps["forget"]));
    }

    [TorchFact]
    public void Lineage_leads_from_the_data_to_the_exported_model()
    {
        var stages = JsonNode.Parse(File.ReadAllBytes(runs.FirstPaths.Provenance))!["stages"]!.AsArray().ToDictionary(stage => (string)stage!["name"]!, stage => stage!);
        string Input(string stage, string name) => (string)stages[stage]["inputs"]!.AsArray().First(input => (string)input!["name"]! == name)!["digest"]!;
        Assert.Equal((string)stages["base"]["content"]!, Input("fisher", "model"));
        Assert.Equal((string)stages["base"]["content"]!, Input("forget", "model"));
        Assert.Equal((string)stages["fisher"]["content"]!, Input("forget", "fisher"));
        Assert.Equal((string)stages["fisher"]["content"]!, runs.First.Method.FisherDigest);
        Assert.Equal((string)stages["judge"]["content"]!, Input("before", "judge"));
        Assert.Equal(Input("base", "data"), Input("after", "data"));

        // What was measured is the exported file itself, and it holds what forgetting gave.
        var exported = ModelFiles.Read(runs.FirstPaths.Root);
        Assert.Equal(exported.Sha256, Input("after", "model"));
        var forgotten = ModelFiles.Read(Path.Combine(runs.FirstPaths.Stage("forget"), "model.safetensors"));
        Assert.Equal(Bytes(forgotten), Bytes(exported));
        using var model = ConditionalVae.FromState(exported.Tensors);
        Assert.Equal((10, 784L), (model.Conditions, model.Options.Pixels));
    }

    [TorchFact]
    public void A_second_invocation_computes_nothing_and_leaves_the_result_byte_for_byte()
    {
        var (result, model) = (File.ReadAllBytes(runs.FirstPaths.Result), Hash(runs.FirstPaths));
        var recorder = new Recorder();
        var (again, _) = runs.Run(runs.Plan(), "first", recorder);
        Assert.Equal(result, File.ReadAllBytes(runs.FirstPaths.Result));
        Assert.Equal(Json(runs.First), Json(again));
        Assert.Equal(model, Hash(runs.FirstPaths));
        Assert.DoesNotContain(recorder.Lines, line => line.StartsWith("started", StringComparison.Ordinal));
        Assert.Equal(9, recorder.Lines.Count(line => line.StartsWith("cached", StringComparison.Ordinal)));
    }

    [TorchFact]
    public void A_result_that_does_not_fit_the_stages_is_written_anew()
    {
        // What an earlier version may have left beside stages that are all found.
        var (right, paths) = runs.Run("stale", NoTraces);
        File.WriteAllText(paths.Result, File.ReadAllText(paths.Result).Replace("\"title\": \"Forget the fourth bar\"", "\"title\": \"Something else\"", StringComparison.Ordinal));
        Assert.Contains("Something else", File.ReadAllText(paths.Result), StringComparison.Ordinal);
        runs.Run("stale", NoTraces);
        Assert.Equal(right.Request.Title, ((ImageUnlearnResult)UnlearnPipeline.ReadResult(paths)).Request.Title);
    }

    [TorchFact]
    public void Another_concept_reuses_model_judge_and_Fisher_information()
    {
        var recorder = new Recorder();
        var (result, _) = runs.Run(runs.Plan([.. NoTraces, "forget.0.label=7"]), "seven", recorder);
        foreach (var stage in new[] { "base", "judge", "fisher" })
            Assert.Contains($"cached {stage} Cache", recorder.Lines);
        Assert.Contains("started forget", recorder.Lines);
        Assert.Equal(runs.First.Method.FisherDigest, result.Method.FisherDigest);
        Assert.Equal(runs.First.Request.ModelDigest, result.Request.ModelDigest);
        Assert.Contains(NotTestedCodes.LinearProbes, result.NotTested);
        Assert.Contains(NotTestedCodes.Relearning, result.NotTested);
    }

    [TorchFact]
    public void The_result_of_a_run_is_the_base_of_the_next()
    {
        var yaml = TinyData.UnlearnPlan(runs["."]).Replace("base: {", "base: {kind: checkpoint, path: runs/first} #", StringComparison.Ordinal);
        var plan = PlanReader.Parse<UnlearnPlan>(yaml, runs["plan.yaml"], [.. NoTraces, "forget.0.label=5", "retain=[0, 1, 2, 4, 6, 7, 8, 9]"]);
        var (result, paths) = runs.Run(plan, "second");
        Assert.Equal(ModelFiles.Read(runs.FirstPaths.Root).Sha256, result.Request.ModelDigest);
        Assert.Equal((Roles.Free, Roles.Forgotten), (result.Classes[3].Role, result.Classes[5].Role));
        // What it measures before is what the first run measured after, image by image.
        Assert.Equal(runs.First.Classes[5].After.NegativeElbo.Value, result.Classes[5].Before.NegativeElbo.Value, tolerance: 1e-9);
        // Nobody forgets or replays 3, so what it alone reads stays where the first run put it.
        var (first, second) = (ModelFiles.Read(runs.FirstPaths.Root), ModelFiles.Read(paths.Root));
        float[] Column(ModelFile file, long column) => Tensor.From(file.Tensors["fc1.weight"]).Select(1, column).ToArray<float>();
        Assert.All(Column(first, 784 + 3).Zip(Column(second, 784 + 3)), pair => Assert.Equal(pair.First, pair.Second, tolerance: 1e-6));
        Assert.NotEqual(Column(first, 784 + 5), Column(second, 784 + 5));
    }

    [TorchFact]
    public void Every_kind_of_surrogate_goes_through_and_several_concepts_at_once()
    {
        Directory.CreateDirectory(runs["pictures"]);
        for (var k = 0; k < 3; k++)
            Png.Write(runs["pictures", $"{k}.png"], new PngImage(28, 28, 1, [.. Enumerable.Repeat((byte)(60 * (k + 1)), 784)]));
        var yaml = TinyData.UnlearnPlan(runs["."]).Replace("forget: [{label: 3}]", """
            forget:
              - {label: 3, surrogate: {kind: images, folder: pictures}}
              - {label: 5, surrogate: {kind: blend, weight: 0.25, first: {kind: noise}, second: {kind: label, target: 1, samples: 50}}}
              - {label: 6, surrogate: {kind: label, target: 2, samples: 50}}
            """, StringComparison.Ordinal);
        var plan = PlanReader.Parse<UnlearnPlan>(yaml, runs["plan.yaml"], [.. NoTraces, "method.check_every=5", "method.minimum_steps=20"]);
        var (result, paths) = runs.Run(plan, "kinds");
        Assert.Equal(["images", "blend", "label"], result.Request.Concepts.Select(concept => concept.Surrogate));
        Assert.Equal("3 images given by the user", result.Request.Concepts[0].Detail);
        Assert.Equal("0.25 × (uniform noise) + 0.75 × (samples of 1)", result.Request.Concepts[1].Detail);
        Assert.Equal([null, null, 2], result.Request.Concepts.Select(concept => concept.Target));
        Assert.NotNull(result.Concepts[2].TargetShare);
        var forgetting = GenerativeStages.ReadForgetting(Artefact.Open(paths, "forget"));
        // Images and blends have no floor: the first reading has nothing to compare with.
        Assert.Equal([null, null, true], forgetting.Readings[0].Forget.Select(nats => nats.HasValue ? true : (bool?)null));
        Assert.All(forgetting.Readings[1].Forget, nats => Assert.NotNull(nats));
    }

    [TorchFact]
    public void A_half_precision_model_comes_back_in_half_precision_with_its_metadata()
    {
        var original = ModelFiles.Read(Path.Combine(runs.FirstPaths.Stage("base"), "model.safetensors"));
        var half = original.Tensors.ToDictionary(entry => entry.Key, entry => Tensor.From(entry.Value).To(DType.Float16).ToHost());
        Directory.CreateDirectory(runs["half"]);
        ModelFiles.Write(runs["half", "weights.safetensors"], half, new Dictionary<string, string> { ["author"] = "me" });
        File.WriteAllText(runs["half", "config.json"], "{\"kind\": \"vae\"}");
        var yaml = TinyData.UnlearnPlan(runs["."]).Replace("base: {", "base: {kind: checkpoint, path: half} #", StringComparison.Ordinal);
        var (_, paths) = runs.Run(PlanReader.Parse<UnlearnPlan>(yaml, runs["plan.yaml"], NoTraces), "half-run");
        var exported = ModelFiles.Read(paths.Root);
        Assert.Equal("weights.safetensors", Path.GetFileName(exported.File));
        Assert.All(exported.Tensors.Values, array => Assert.Equal(DType.Float16, array.Type));
        Assert.Equal("me", exported.Metadata["author"]);
        Assert.Equal("{\"kind\": \"vae\"}", File.ReadAllText(Path.Combine(paths.Model, "config.json")));
    }

    private static string Json(ImageUnlearnResult result) => JsonSerializer.Serialize(result, ResultJson.Options);

    private static string Hash(RunPaths paths) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(paths.Model, "model.safetensors"))));

    private static byte[] Bytes(ModelFile file) => [.. file.Tensors.OrderBy(entry => entry.Key, StringComparer.Ordinal).SelectMany(entry => entry.Value.Bytes.ToArray())];
}
