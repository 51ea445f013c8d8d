using System.Text.Json;
using Lethe.Evaluation.Attacks;
using Lethe.Evaluation.Probing;
using Lethe.Models.Generative;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Generative;

/// <summary>What is left of a forgotten concept: linear probes inside the model, and relearning.</summary>
public sealed class Traces(StageRunner runner, DataSource data, MeasurePlan measure, RelearnPlan relearn, long seed)
{
    /// <summary>Fits probes on both models, layer by layer.</summary>
    public IReadOnlyList<ProbeResult> Probe(ModelFile before, ModelFile after, UnlearnTargets targets)
    {
        int[] labels = [.. targets.Concepts.Select(concept => concept.Label)];
        var artefact = runner.Run(
            new Stage
            {
                Name = "probes",
                Method = "linear-probes",
                Version = 1,
                Options = new { measure.ProbeImages, labels, seed },
                Inputs = [new StageInput("before", before.Sha256), new StageInput("after", after.Sha256), data.Input],
                Environment = GenerativeStages.Environment,
            },
            work => work.WriteJson("probes.json", labels.SelectMany(label => Probe(work, before, after, label, labels.Length)).ToList()));
        return JsonSerializer.Deserialize<List<ProbeResult>>(File.ReadAllBytes(artefact.PathOf("probes.json")), ResultJson.Options)!;
    }

    /// <summary>Attacks the forgotten model and the control with real images of each concept.</summary>
    /// <param name="after">The forgotten model.</param>
    /// <param name="judge">The judge's artefact.</param>
    /// <param name="concept">The concept.</param>
    /// <param name="control">A model that never saw it.</param>
    /// <param name="controlKind">How the control was made, a code of <see cref="ControlKinds"/>.</param>
    /// <param name="boundBefore">−ELBO of real images of the concept before it was forgotten, nats an image.</param>
    public RelearnResult Relearn(ModelFile after, Artefact judge, UnlearnConcept concept, ModelFile control, string controlKind, double boundBefore)
    {
        var artefact = runner.Run(
            new Stage
            {
                Name = $"relearn-{concept.Label}",
                Method = "relearning",
                Version = 1,
                Options = new { relearn.Steps, relearn.LearningRate, relearn.Threshold, concept.Label, boundBefore, seed },
                Inputs = [new StageInput("after", after.Sha256), new StageInput("control", control.Sha256), judge.As("judge"), data.Input],
                Environment = GenerativeStages.Environment,
            },
            work =>
            {
                var (steps, curve) = Attack(work, after, judge, concept.Label, "forgotten");
                var (controlSteps, controlCurve) = Attack(work, control, judge, concept.Label, "control");
                // "Explained again": within a tenth of what the model gave real images of the class before it forgot.
                var explained = 1.1 * boundBefore;
                work.WriteJson("relearning.json", new RelearnResult(concept.Label, steps, controlSteps, relearn.Threshold, relearn.Steps, curve, controlCurve, controlKind)
                {
                    ExplainedNats = explained,
                    ExplainedForgotten = Explained(curve, explained),
                    ExplainedControl = Explained(controlCurve, explained),
                });
            });
        return JsonSerializer.Deserialize<RelearnResult>(File.ReadAllBytes(artefact.PathOf("relearning.json")), ResultJson.Options)!;
    }

    private IEnumerable<ProbeResult> Probe(StageWork work, ModelFile before, ModelFile after, int label, int labels)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var count = Math.Min(measure.ProbeImages, data.Test.Count);
        using var random = new RandomStream(RandomStream.ChildSeed((ulong)seed, "probe images"));
        var (images, imageLabels) = data.Test.Batch(Tensor.RandPerm(data.Test.Count, random).Narrow(0, 0, count));
        bool[] positive = [.. imageLabels.ToArray<long>().Select(value => value == label)];
        if (positive.Count(value => value) is var shown and < 2)
            throw new BadInputException($"{shown} of the {count} test images that probes read show {data.LabelNames[label]}; a probe needs two, to fit and to test. Raise measure.probe_images, or set measure.probes to false.");
        // One and the same condition for all images, or the probe would read the condition: that of the concept itself.
        var condition = Tensor.Full([count], label, DType.Int64);
        var (old, now) = (Activations(before, images, condition), Activations(after, images, condition));
        var results = new List<ProbeResult>();
        foreach (var (layer, activations) in old)
        {
            var options = new LinearProbeOptions { Seed = (ulong)seed };
            var was = LinearProbe.Fit(activations, positive, options);
            var left = LinearProbe.Fit(now.First(entry => entry.Layer == layer).Activations, positive, options);
            results.Add(new ProbeResult(label, layer, was.Area with { Items = null }, left.Area with { Items = null }) { Change = LinearProbeResult.Change(was, left) with { Items = null } });
            work.Report(results.Count, old.Count, labels == 1 ? null : $"label {label}");
        }
        return results;
    }

    private static IReadOnlyList<(string Layer, Tensor Activations)> Activations(ModelFile file, Tensor images, Tensor condition)
    {
        using var model = ConditionalVae.FromState(file.Tensors);
        return model.Activations(images, condition);
    }

    private (long? Steps, IReadOnlyList<RelearnPoint> Curve) Attack(StageWork work, ModelFile file, Artefact judgeArtefact, int label, string name)
    {
        using var scope = new TensorScope();
        using var model = ConditionalVae.FromState(file.Tensors);
        using var judge = GenerativeStages.ReadJudge(judgeArtefact);
        using var random = new RandomStream(RandomStream.ChildSeed((ulong)seed, $"relearning {label}"));
        using var attack = new Relearning(model, label, Of(data.Train, label), Of(data.Test, label), judge.Forward, random, new RelearningOptions
        {
            Steps = relearn.Steps,
            LearningRate = relearn.LearningRate,
            Threshold = relearn.Threshold,
            StopWhenBack = false,
        });
        work.Train(attack, name);
        return (attack.ReturnStep, [.. attack.Curve.Select(point => new RelearnPoint(point.Step, point.Share, point.NegativeElbo))]);
    }

    private static long? Explained(IReadOnlyList<RelearnPoint> curve, double nats) => curve.FirstOrDefault(point => point.NegativeElbo.Value <= nats)?.Step;

    private static Tensor Of(ImageTensors data, int label) => data.Images.Index(data.Labels.Eq(label)).To(DType.Float32) / 255;
}
