using Lethe.Evaluation;
using Lethe.Evaluation.Judging;
using Lethe.Evaluation.Likelihood;
using Lethe.Evaluation.Statistics;
using Lethe.Evaluation.Weights;
using Lethe.Models.Generative;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Generative;

/// <summary>Makes result.json of what two readings and the stages between them say.</summary>
internal sealed class UnlearnResultBuilder(ImageUnlearnPlan plan, DataSource data, UnlearnTargets targets, ModelReading before, ModelReading after)
{
    private readonly int[] forgotten = [.. targets.Concepts.Select(concept => concept.Label)];

    public ImageUnlearnResult Build(
        RunFacts run, ModelFile original, ModelFile exported, Artefact judge, Artefact fisher, ForgettingRecord forgetting,
        IReadOnlyList<ProbeResult>? probes, IReadOnlyList<RelearnResult>? relearning, CostResult cost)
    {
        using var scope = new TensorScope();
        var information = GenerativeStages.ReadFisher(fisher);
        return new ImageUnlearnResult
        {
            Run = run,
            Request = new RequestFacts(plan.Title, Words(plan.Base), original.Sha256, data.Title, data.LabelNames,
                [.. targets.Concepts.Select(concept => new ConceptRequest(concept.Label, concept.Name, concept.Kind, concept.Target, targets.Words(concept.Plan)))], targets.Retained),
            Method = new MethodFacts("selective-amnesia", plan.Method.Preset, Options(), forgetting.Steps, forgetting.MaximumSteps, forgetting.StopReason, fisher.Content, information.Samples),
            Forget = Forget(forgotten),
            Concepts = Concepts(original, exported, judge),
            Retain = Retain(),
            Classes = [.. Enumerable.Range(0, data.LabelNames.Count).Select(Class)],
            Confusion = new ConfusionResult(before.Judged.Confusion().Shares, after.Judged.Confusion().Shares),
            Probes = probes,
            Relearning = relearning,
            Moved = Moved(original, exported, information),
            Cost = cost,
            Judge = new JudgeFacts(plan.Judge is CheckpointJudge checkpoint ? checkpoint.Path : "trained by the plan", GenerativeStages.ReadModel(judge).Sha256, GenerativeStages.JudgeAccuracy(judge, data)),
            NotTested = NotTested(probes, relearning),
        };
    }

    private ForgetResult Forget(int[] labels) => new()
    {
        Probability = Bare(after.Judged.ProbabilityOfAsked(labels, Better.Lower)),
        ProbabilityBefore = Bare(before.Judged.ProbabilityOfAsked(labels, Better.Lower)),
        Entropy = Bare(after.Judged.MeanEntropy(labels)),
        EntropyBefore = Bare(before.Judged.MeanEntropy(labels)),
        Share = Bare(after.Judged.ShareJudgedAsAsked(labels, Better.Lower)),
        ShareBefore = Bare(before.Judged.ShareJudgedAsAsked(labels, Better.Lower)),
        NegativeElbo = Bare(after.Bound.Of(labels, Better.Higher)),
        NegativeElboBefore = Bare(before.Bound.Of(labels, Better.Higher)),
    };

    private List<ConceptResult> Concepts(ModelFile original, ModelFile exported, Artefact judgeArtefact)
    {
        using var noGrad = Autograd.NoGrad();
        using var judge = GenerativeStages.ReadJudge(judgeArtefact);
        using var frozen = ConditionalVae.FromState(original.Tensors);
        using var model = ConditionalVae.FromState(exported.Tensors);
        using var random = new RandomStream(RandomStream.ChildSeed((ulong)plan.Seed, "floor"));
        var results = new List<ConceptResult>();
        foreach (var concept in targets.Concepts)
        {
            using var scope = new TensorScope();
            using var surrogate = targets.Surrogate(concept.Plan, frozen, random);
            // Noise has the mean ½ exactly; of other surrogates the mean of many draws.
            var mean = concept.Plan is NoisePlan ? Tensor.Full([.. model.ImageShape], 0.5) : surrogate.Draw(2000, random).Images.Mean(0);
            var samples = model.Sample(Tensor.Full([1000], concept.Label, DType.Int64), random);
            var floor = SurrogateFloor.Read(judge.Forward, concept.Label, mean, samples, plan.Measure.Samples, random);
            results.Add(new ConceptResult
            {
                Label = concept.Label,
                Name = concept.Name,
                Forget = Forget([concept.Label]),
                FloorProbability = floor.Probability,
                FloorEntropy = floor.Entropy,
                FloorShare = concept.Plan is NoisePlan ? Bare(floor.Share) : null,
                TargetShare = concept.Target is { } target ? Bare(after.Judged.ShareJudgedAs(concept.Label, target, Better.Higher)) : null,
                TargetShareOfBase = concept.Target is { } own ? Bare(before.Judged.ShareJudgedAs(own, own)) : null,
            });
        }
        return results;
    }

    private RetainResult Retain()
    {
        var retained = targets.Retained;
        var changes = retained.Select(label => (Label: label, Change: Accuracy(after, label).Value - Accuracy(before, label).Value)).ToList();
        var (worst, change) = changes.MinBy(entry => entry.Change);
        return new RetainResult
        {
            AccuracyBefore = Bare(before.Judged.ShareJudgedAsAsked(retained, Better.Higher)),
            AccuracyAfter = Bare(after.Judged.ShareJudgedAsAsked(retained, Better.Higher)),
            AccuracyChange = Bare(PairedDifference.Of(Right(before, retained), Right(after, retained), Better.Higher)),
            NegativeElboChange = Bare(NegativeElbo.Change(before.Bound, after.Bound, [.. retained], Better.Lower)),
            JudgeFrechetBefore = before.Features.Frechet,
            JudgeFrechetAfter = after.Features.Frechet,
            JudgePrecisionBefore = before.Features.Precision,
            JudgePrecisionAfter = after.Features.Precision,
            JudgeRecallBefore = before.Features.Recall,
            JudgeRecallAfter = after.Features.Recall,
            WorstLabel = worst,
            WorstChange = change,
        };
    }

    private ClassResult Class(int label) => new()
    {
        Label = label,
        Name = data.LabelNames[label],
        Role = targets.Role(label),
        Before = Measures(before, label),
        After = Measures(after, label),
        NegativeElboChange = Bare(NegativeElbo.Change(before.Bound, after.Bound, [label])),
    };

    // Samples of both models come from the same noise, so they pair up.
    private static double[] Right(ModelReading reading, IReadOnlyList<int> labels) =>
        [.. reading.Judged.ShareJudgedAsAsked(labels).Items!];

    private ClassMeasures Measures(ModelReading reading, int label) => new(
        Bare(reading.Judged.ProbabilityOfAsked([label])), Bare(reading.Judged.MeanEntropy([label])), Accuracy(reading, label), Bare(reading.Bound.Of([label])));

    private static Measure Accuracy(ModelReading reading, int label) => Bare(reading.Judged.ShareJudgedAsAsked([label]));

    private List<TensorMove> Moved(ModelFile original, ModelFile exported, Unlearning.Generative.FisherInformation fisher)
    {
        using var model = ConditionalVae.FromState(original.Tensors);
        var diagonal = fisher.Diagonal(targets.Retained, forgotten, plan.Method.OwnInformation, model.TrainedParameters);
        var weights = model.TrainedParameters.Select((entry, k) => (entry.Name, Array: diagonal[k].ToHost())).ToDictionary(entry => entry.Name, entry => entry.Array);
        return [.. TensorMovement.Compare(original.Tensors, exported.Tensors, weights)
            .Select(move => new TensorMove(move.Name, move.Shape, move.Norm, move.Relative, move.FisherWeighted ?? 0, move.Largest))];
    }

    private Dictionary<string, object?> Options() =>
        PlanSection.Of(plan.Method.GetType()).Keys.ToDictionary(key => key.Name, key => key.Property.GetValue(plan.Method));

    private static List<string> NotTested(IReadOnlyList<ProbeResult>? probes, IReadOnlyList<RelearnResult>? relearning)
    {
        List<string> open =
        [
            NotTestedCodes.MembershipInference, NotTestedCodes.TrainingImageExtraction, NotTestedCodes.WhiteBoxWeights, NotTestedCodes.MixedConditions,
            NotTestedCodes.IndirectGeneration, NotTestedCodes.TrainingDataDeletion, NotTestedCodes.EarlierModels, NotTestedCodes.RetrainedReference,
            NotTestedCodes.OtherJudges, NotTestedCodes.HumanRating, NotTestedCodes.RealPhotographs, NotTestedCodes.Quantisation,
            NotTestedCodes.NonlinearProbes, NotTestedCodes.OtherSeeds,
        ];
        if (probes is null)
            open.Add(NotTestedCodes.LinearProbes);
        open.Add(relearning is null ? NotTestedCodes.Relearning : NotTestedCodes.RelearningOtherData);
        return open;
    }

    private static string Words(ModelPlan plan) => plan switch
    {
        CheckpointModel checkpoint => checkpoint.Path,
        _ => "conditional VAE, trained by the plan",
    };

    // Values of single items stay in the reading's artefact.
    private static Measure Bare(Measure measure) => measure with { Items = null };
}
