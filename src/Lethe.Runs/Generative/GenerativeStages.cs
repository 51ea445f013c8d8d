using System.Globalization;
using System.Text.Json;
using Lethe.Evaluation;
using Lethe.Evaluation.Judging;
using Lethe.Models.Classifiers;
using Lethe.Models.Generative;
using Lethe.Runs.Results;
using Lethe.Torch;
using Lethe.Unlearning.Generative;

namespace Lethe.Runs.Generative;

/// <summary>The stages that make models: each a function of its options, its inputs' digests and the environment, run by a <see cref="StageRunner"/>.</summary>
public sealed class GenerativeStages(StageRunner runner, DataSource data, string planFile)
{
    private const string ModelName = "model.safetensors";

    /// <summary>What the numbers depend on besides.</summary>
    public static EnvironmentFacts Environment => new("float32", "cpu", Engine.Threads, Engine.Version);

    /// <summary>The model that is to forget: checked and taken over, or trained.</summary>
    public Artefact Base(ModelPlan plan, long seed, string name = "base", IReadOnlyList<int>? leaveOut = null) => plan switch
    {
        CheckpointModel checkpoint => TakeOver(name, "generator-checkpoint", ReadGenerator(checkpoint, data, planFile)),
        TrainedModel trained => Train(name, trained, seed, leaveOut ?? []),
        _ => throw new NotSupportedException($"{plan.GetType().Name} is no kind of model."),
    };

    /// <summary>The judge: checked and taken over, or trained.</summary>
    public Artefact Judge(JudgePlan plan, long seed) => plan switch
    {
        CheckpointJudge checkpoint => TakeOver("judge", "judge-checkpoint", ReadJudge(checkpoint, data, planFile)),
        TrainedJudge trained => TrainJudge(trained.Training, seed),
        _ => throw new NotSupportedException($"{plan.GetType().Name} is no kind of judge."),
    };

    /// <summary>The Fisher information of a model; the same for every concept.</summary>
    public Artefact Fisher(Artefact model, FisherOptions options, long seed) => runner.Run(
        new Stage { Name = "fisher", Method = "fisher-information", Version = 1, Options = new { options, seed }, Inputs = [model.As("model")], Environment = Environment },
        work =>
        {
            using var vae = ReadVae(model);
            using var estimator = new FisherEstimator(vae, options, (ulong)seed);
            work.Train(estimator);
            var fisher = estimator.Result();
            ModelFiles.Write(work.PathOf("fisher.safetensors"), fisher.Tensors, new Dictionary<string, string>
            {
                ["conditions"] = fisher.Conditions.ToString(CultureInfo.InvariantCulture),
                ["samples"] = fisher.Samples.ToString(CultureInfo.InvariantCulture),
                ["seed"] = seed.ToString(CultureInfo.InvariantCulture),
            });
        });

    /// <summary>Reads what <see cref="Fisher"/> wrote.</summary>
    public static FisherInformation ReadFisher(Artefact artefact)
    {
        var file = ModelFiles.Read(artefact.PathOf("fisher.safetensors"));
        long Number(string key) => long.Parse(file.Metadata[key], CultureInfo.InvariantCulture);
        return new FisherInformation((int)Number("conditions"), Number("samples"), (ulong)Number("seed"), file.Tensors);
    }

    /// <summary>Forgets.</summary>
    public Artefact Forget(Artefact model, Artefact fisher, UnlearnTargets targets, SelectiveAmnesiaOptions options, long seed) => runner.Run(
        new Stage
        {
            Name = "forget",
            Method = "selective-amnesia",
            Version = 3,
            Options = new { options, seed, targets.Retained, concepts = targets.Concepts.Select(concept => new { concept.Label, concept.Plan }) },
            Inputs = [model.As("model"), fisher.As("fisher"), .. targets.ImageInputs],
            Environment = Environment,
        },
        work =>
        {
            using var scope = new TensorScope();
            using var frozen = ReadVae(model);
            using var forgetting = ReadVae(model);
            using var random = new RandomStream(RandomStream.ChildSeed((ulong)seed, "surrogates"));
            using var method = new SelectiveAmnesia(forgetting, frozen, ReadFisher(fisher), targets.Make(frozen, random), targets.Retained, options, (ulong)seed);
            var outcome = work.Train(method);
            method.Finish();
            ModelFiles.Write(work.PathOf(ModelName), forgetting.StateDict());
            work.WriteJson("forgetting.json", new ForgettingRecord(outcome.Steps, method.TotalSteps, method.StopReason is null ? null : method.CriterionMet ? StopReasons.CriterionMet : StopReasons.NoProgress, method.StopReason, method.Readings));
        });

    /// <summary>Reads how <see cref="Forget"/> went.</summary>
    public static ForgettingRecord ReadForgetting(Artefact artefact) =>
        JsonSerializer.Deserialize<ForgettingRecord>(File.ReadAllBytes(artefact.PathOf("forgetting.json")), ResultJson.Options)!;

    /// <summary>The weights in an artefact of this class.</summary>
    public static ModelFile ReadModel(Artefact artefact) => ModelFiles.Read(artefact.PathOf(ModelName));

    /// <summary>The generator in an artefact of this class.</summary>
    public static ConditionalVae ReadVae(Artefact artefact) => ConditionalVae.FromState(ReadModel(artefact).Tensors);

    /// <summary>The judge in an artefact of this class, in evaluation mode.</summary>
    public static JudgeClassifier ReadJudge(Artefact artefact) => JudgeClassifier.FromState(ReadModel(artefact).Tensors);

    /// <summary>Reads the generator that a plan names.</summary>
    /// <exception cref="BadInputException">There is none, it is damaged, or it does not fit the data.</exception>
    public static ModelFile ReadGenerator(CheckpointModel plan, DataSource data, string planFile)
    {
        var file = ModelFiles.Read(PlanPaths.Resolve(plan.Path, planFile));
        try
        {
            using var model = ConditionalVae.FromState(file.Tensors);
            if (model.Conditions != data.LabelNames.Count)
                throw new BadInputException($"The model has {model.Conditions} conditions; {data.Title} has {data.LabelNames.Count} labels.");
            if (model.Options.Pixels != DataSource.Pixels)
                throw new BadInputException($"The model makes images of {model.Options.Pixels} pixels; those of {data.Title} have {DataSource.Pixels}.");
            CheckFinite(model.NamedParameters());
        }
        catch (BadInputException error)
        {
            throw new BadInputException($"{file.File}: {error.Message}", error);
        }
        return file;
    }

    /// <summary>Reads the judge that a plan names.</summary>
    /// <exception cref="BadInputException">There is none, it is damaged, or it does not fit the data.</exception>
    public static ModelFile ReadJudge(CheckpointJudge plan, DataSource data, string planFile)
    {
        var file = ModelFiles.Read(PlanPaths.Resolve(plan.Path, planFile));
        try
        {
            using var judge = JudgeClassifier.FromState(file.Tensors);
            if (judge.Classes != data.LabelNames.Count)
                throw new BadInputException($"The judge knows {judge.Classes} classes; {data.Title} has {data.LabelNames.Count}.");
            CheckFinite(judge.NamedParameters());
        }
        catch (BadInputException error)
        {
            throw new BadInputException($"{file.File}: {error.Message}", error);
        }
        return file;
    }

    private static void CheckFinite(IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        using var scope = new TensorScope();
        foreach (var (name, tensor) in tensors)
            if (tensor.IsFinite().All().Item() == 0)
                throw new BadInputException($"The tensor '{name}' holds a value that is not finite.");
    }

    private Artefact TakeOver(string name, string method, ModelFile file) => runner.Run(
        new Stage { Name = name, Method = method, Version = 1, Inputs = [new StageInput("file", file.Sha256)], Environment = Environment },
        work => ModelFiles.Write(work.PathOf(ModelName), file.Tensors, file.Metadata));

    private Artefact Train(string name, TrainedModel plan, long seed, IReadOnlyList<int> leaveOut) => runner.Run(
        new Stage { Name = name, Method = "conditional-vae-training", Version = 1, Options = new { plan, seed, leaveOut }, Inputs = [data.Input], Environment = Environment },
        work =>
        {
            using var scope = new TensorScope();
            using var initial = new RandomStream(RandomStream.ChildSeed((ulong)seed, "initial"));
            using var model = new ConditionalVae(new ConditionalVaeOptions
            {
                Pixels = data.Train.Images.Size(1),
                Conditions = data.LabelNames.Count,
                Outer = plan.Outer,
                Inner = plan.Inner,
                Latent = plan.Latent,
            }, initial);
            using var seen = leaveOut.Count == 0 ? null : data.Train.Only(label => !leaveOut.Contains((int)label));
            using var training = new LikelihoodTraining(model, seen ?? data.Train, plan.Training, (ulong)seed);
            work.Train(training);
            training.Finish();
            ModelFiles.Write(work.PathOf(ModelName), model.StateDict());
        });

    private Artefact TrainJudge(ClassifierTrainingOptions options, long seed) => runner.Run(
        new Stage { Name = "judge", Method = "judge-training", Version = 1, Options = new { options, seed }, Inputs = [data.Input], Environment = Environment },
        work =>
        {
            using var scope = new TensorScope();
            using var random = new RandomStream(RandomStream.ChildSeed((ulong)seed, "judge"));
            using var judge = new JudgeClassifier(data.LabelNames.Count, random);
            using var training = new ClassifierTraining(judge, data.Train, options, random, (ulong)seed);
            work.Train(training);
            judge.Eval();
            ModelFiles.Write(work.PathOf(ModelName), judge.StateDict());
        });

    /// <summary>Share of the test images that a judge gets right.</summary>
    public static Measure JudgeAccuracy(Artefact artefact, DataSource data)
    {
        using var judge = ReadJudge(artefact);
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var (images, labels) = data.TestValues();
        var readings = new JudgeReadings(data.LabelNames.Count, judge.Classes);
        for (var label = 0; label < data.LabelNames.Count; label++)
            readings.Read(label, images.Index(labels.Eq(label)), judge.Forward);
        return readings.ShareJudgedAsAsked([.. Enumerable.Range(0, data.LabelNames.Count)], Better.Higher) with { Items = null };
    }
}

/// <summary>How forgetting went.</summary>
/// <param name="Steps">Steps taken.</param>
/// <param name="MaximumSteps">Steps allowed.</param>
/// <param name="StopReason">A code of <see cref="StopReasons"/>; null if all steps were taken.</param>
/// <param name="StopDetail">The same in words.</param>
/// <param name="Readings">What the validation samples said.</param>
public sealed record ForgettingRecord(long Steps, long MaximumSteps, string? StopReason, string? StopDetail, IReadOnlyList<ForgettingReading> Readings);
