using System.Text.Json;
using Lethe.Evaluation;
using Lethe.Evaluation.Features;
using Lethe.Evaluation.Judging;
using Lethe.Evaluation.Likelihood;
using Lethe.Formats;
using Lethe.Models.Classifiers;
using Lethe.Models.Generative;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Generative;

/// <summary>What is measured of one generator, before or after: the same noise for both, so that changes pair up.</summary>
public sealed class ModelReading
{
    private const string TensorsName = "reading.safetensors";
    private const string MeasuresName = "reading.json";

    private ModelReading(JudgeReadings judged, NegativeElbo bound, FeatureMeasures features, HostArray samples) =>
        (Judged, Bound, Features, Samples) = (judged, bound, features, samples);

    /// <summary>What the judge said of samples of every condition.</summary>
    public JudgeReadings Judged { get; }

    /// <summary>−ELBO of every real test image.</summary>
    public NegativeElbo Bound { get; }

    /// <summary>Distances between real images and samples of the retained conditions, in the judge's features.</summary>
    public FeatureMeasures Features { get; }

    /// <summary>Samples to look at, (conditions, n, pixels) in [0, 1], from the same latents before and after.</summary>
    public HostArray Samples { get; }

    /// <summary>The stage that reads a model.</summary>
    /// <param name="runner">Runs it.</param>
    /// <param name="name">Its name, such as "before".</param>
    /// <param name="model">The model: an artefact, or the exported file.</param>
    /// <param name="judge">The judge's artefact.</param>
    /// <param name="data">Real images.</param>
    /// <param name="plan">What is measured.</param>
    /// <param name="targets">What is forgotten and kept.</param>
    /// <param name="seed">Decides all noise.</param>
    public static ModelReading Stage(StageRunner runner, string name, ModelFile model, Artefact judge, DataSource data, MeasurePlan plan, UnlearnTargets targets, long seed)
    {
        int[] forgotten = [.. targets.Concepts.Select(concept => concept.Label).Order()];
        var artefact = runner.Run(
            new Stage
            {
                Name = name,
                Method = "generator-reading",
                Version = 1,
                Options = new { plan.Samples, plan.RetainedSamples, plan.Draws, plan.FeatureSamples, plan.GridSamples, forgotten, targets.Retained, seed },
                Inputs = [new StageInput("model", model.Sha256), judge.As("judge"), data.Input],
                Environment = GenerativeStages.Environment,
            },
            work =>
            {
                var (tensors, features) = Compute(model, judge, data, plan, forgotten, targets.Retained, (ulong)seed, work.Report);
                work.WriteJson(MeasuresName, features);
                ModelFiles.Write(work.PathOf(TensorsName), tensors);
            });
        return From(ModelFiles.Read(artefact.PathOf(TensorsName)).Tensors,
            JsonSerializer.Deserialize<FeatureMeasures>(File.ReadAllBytes(artefact.PathOf(MeasuresName)), ResultJson.Options)!, data);
    }

    /// <summary>Reads a model and writes nothing: the same measurement as <see cref="Stage"/>, for a look that is no part of a run.</summary>
    /// <param name="model">The model.</param>
    /// <param name="judge">The judge's artefact.</param>
    /// <param name="data">Real images.</param>
    /// <param name="plan">What is measured.</param>
    /// <param name="targets">What is forgotten and kept.</param>
    /// <param name="seed">Decides all noise.</param>
    /// <param name="report">Told how far it is: parts done, parts in all, what is being done.</param>
    public static ModelReading Measure(ModelFile model, Artefact judge, DataSource data, MeasurePlan plan, UnlearnTargets targets, long seed, Action<long, long, string> report)
    {
        int[] forgotten = [.. targets.Concepts.Select(concept => concept.Label).Order()];
        var (tensors, features) = Compute(model, judge, data, plan, forgotten, targets.Retained, (ulong)seed, report);
        return From(tensors, features, data);
    }

    private static (Dictionary<string, HostArray> Tensors, FeatureMeasures Features) Compute(
        ModelFile file, Artefact judgeArtefact, DataSource data, MeasurePlan plan, int[] forgotten, IReadOnlyList<int> retained, ulong seed, Action<long, long, string> report)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        using var model = ConditionalVae.FromState(file.Tensors);
        using var judge = GenerativeStages.ReadJudge(judgeArtefact);
        using var random = new RandomStream(RandomStream.ChildSeed(seed, "measure"));
        var tensors = new Dictionary<string, HostArray>();
        var features = new List<Tensor>();
        var parts = model.Conditions + 2;
        for (var condition = 0; condition < model.Conditions; condition++)
        {
            using var stream = random.Child($"samples {condition}");
            var count = forgotten.Contains(condition) ? plan.Samples : plan.RetainedSamples;
            var (judged, seen) = JudgeSamples(model, judge, condition, count, stream);
            tensors.Add($"log_probabilities.{condition}", judged.ToHost());
            if (retained.Contains(condition))
                features.Add(seen);
            report(condition + 1, parts, "samples");
        }
        tensors.Add("samples", Look(model, plan.GridSamples, random).ToHost());
        var (images, labels) = data.TestValues();
        var bound = NegativeElbo.Measure(model, images, labels, random, new NegativeElboOptions { Draws = plan.Draws });
        tensors.Add("negative_elbo", Tensor.FromArray(bound.Values.ToArray(), bound.Values.Count).ToHost());
        report(parts - 1, parts, "bound of real images");
        var kept = Tensor.FromArray(labels.ToArray<long>().Select((label, k) => (label, k)).Where(item => retained.Contains((int)item.label)).Select(item => (long)item.k).ToArray());
        var real = JudgeFeatures.Read(judge.Features, Some(images.IndexSelect(0, kept), plan.FeatureSamples, random));
        var generated = JudgeFeatures.Read(rows => rows, Some(Tensor.Cat([.. features]), plan.FeatureSamples, random));
        var near = Neighbourhoods.Between(real, generated);
        var distances = new FeatureMeasures(FrechetDistance.Between(real, generated), near.Precision, near.Recall);
        report(parts, parts, "features");
        return (tensors, distances);
    }

    // 1,000 at once: the judge's convolutions then take about 50 MB.
    private static (Tensor LogProbabilities, Tensor Features) JudgeSamples(ConditionalVae model, JudgeClassifier judge, int condition, int count, RandomStream stream)
    {
        var judged = new List<Tensor>();
        var features = new List<Tensor>();
        for (var done = 0; done < count; done += 1000)
        {
            using var scope = new TensorScope();
            var samples = model.Sample(Tensor.Full([Math.Min(1000, count - done)], condition, DType.Int64), stream);
            var seen = judge.Features(samples);
            features.Add(scope.Keep(seen));
            judged.Add(scope.Keep(judge.Classify(seen)));
        }
        return (Tensor.Cat([.. judged]), Tensor.Cat([.. features]));
    }

    private static Tensor Look(ConditionalVae model, int count, RandomStream random)
    {
        using var stream = random.Child("look");
        var latents = model.DrawLatents(count, stream);
        return Tensor.Stack([.. Enumerable.Range(0, model.Conditions).Select(condition => model.Generate(latents, Tensor.Full([count], condition, DType.Int64)))]);
    }

    private static Tensor Some(Tensor rows, long most, RandomStream random)
    {
        if (rows.Size(0) <= most)
            return rows;
        using var stream = random.Child("features");
        return rows.IndexSelect(0, Tensor.RandPerm(rows.Size(0), stream).Narrow(0, 0, most));
    }

    private static ModelReading From(IReadOnlyDictionary<string, HostArray> tensors, FeatureMeasures features, DataSource data)
    {
        using var scope = new TensorScope();
        var conditions = data.LabelNames.Count;
        var judged = new JudgeReadings(conditions, checked((int)tensors["log_probabilities.0"].Shape[1]));
        for (var condition = 0; condition < conditions; condition++)
            judged.Add(condition, Tensor.From(tensors[$"log_probabilities.{condition}"]));
        var bound = NegativeElbo.FromValues(Tensor.From(tensors["negative_elbo"]).ToArray<double>(), data.Test.Labels.ToArray<long>());
        return new ModelReading(judged, bound, features, tensors["samples"]);
    }
}

/// <summary>How near samples of retained conditions are to real images in the judge's features.</summary>
/// <param name="Frechet">Fréchet distance.</param>
/// <param name="Precision">Share of samples among real images.</param>
/// <param name="Recall">Share of real images among samples.</param>
public sealed record FeatureMeasures(Measure Frechet, Measure Precision, Measure Recall);
