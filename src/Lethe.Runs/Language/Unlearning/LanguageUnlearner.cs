using System.Text.Json;
using Lethe.Formats;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Files;
using Lethe.Runs.Generative;
using Lethe.Runs.Language.Topics;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Runs.SparseAutoencoders;
using Lethe.Torch;
using Lethe.Unlearning.Language;
using Lethe.Unlearning.Language.Features;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>Makes a language model forget a topic by a plan: load ▸ before (and never-knew) ▸ score ▸ subspaces ▸ inputs ▸ values ▸ forget ▸ export ▸ after; scores and subspaces for methods that choose latents, inputs for those that look at what matrices read, values for a closed-form edit.</summary>
internal sealed class LanguageUnlearner : IUnlearner
{
    private const string WeightsName = "weights.safetensors", RecordName = "forgetting.json", FeaturesName = "features.json", GroundName = "ground.json";

    private readonly LanguageUnlearnPlan plan;
    private readonly string planFile;
    private readonly RunContext context;
    private readonly LanguageCheckpoint checkpoint;
    private readonly Ground ground;
    private readonly LanguageMeasuring measuring;
    private readonly TrainingTexts texts;
    private readonly Device device;
    private readonly IReadOnlyList<SparseAutoencoder> saes = [];
    private readonly IReadOnlyList<string> saeFiles = [];
    private readonly string digest;
    private readonly SlicePool? slices;
    private readonly NeverKnewModel? neverKnew;

    public LanguageUnlearner(LanguageUnlearnPlan plan, string planFile, RunContext context)
    {
        (this.plan, device, slices) = (plan, context.Device, context.Slices);
        ground = Ground.Read(plan.Ground, planFile);
        checkpoint = Open(plan.Model, planFile, context.BesideRun);
        (this.planFile, this.context) = (planFile, context);
        try
        {
            saeFiles = [.. plan.SparseAutoencoders.SelectMany(path => SaeTrainer.FilesOf(path, planFile, context.BesideRun))];
            saes = [.. saeFiles.Select(path => Autoencoder(path, checkpoint, device))];
            LanguageForgetting.Check(plan.Method, checkpoint, saes, plan.LayerChoice is not null);
            measuring = new LanguageMeasuring(plan.Measure, ground, checkpoint, planFile, device);
            texts = new TrainingTexts(plan, ground, checkpoint, measuring.Documents, planFile);
            digest = LanguageModelDigest.Of(checkpoint.Path);
            neverKnew = plan.NeverKnew is { } control ? NeverKnewModel.Open(control, planFile, context.BesideRun, checkpoint, digest, plan.Measure) : null;
            Estimate = LanguageEstimates.Of(plan, checkpoint, measuring, device);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public RunEstimate Estimate { get; }

    /// <summary>Opens the model that a plan names.</summary>
    /// <param name="model">As the plan writes it.</param>
    /// <param name="planFile">The plan's file.</param>
    /// <param name="runsFolder">Where the run lies of a plan that trains it.</param>
    public static LanguageCheckpoint Open(string model, string planFile, string runsFolder)
    {
        var path = TrainedPlans.Locate(model, planFile, runsFolder);
        return LanguageCheckpoint.Open(LanguageModelPath.Find(path) ?? path);
    }

    public UnlearnResult Unlearn(UnlearnRun run)
    {
        var runner = run.Runner;
        Load(runner);
        var before = measuring.Stage(runner, "before", checkpoint.Path, digest);
        var control = neverKnew is null ? null : measuring.Stage(runner, NeverKnewModel.StageName, neverKnew.Path, neverKnew.Digest);
        var autoencoders = saeFiles.Select((path, k) => new StageInput($"autoencoder-{k}", LanguageModelDigest.Of(path))).ToArray();
        var features = plan.Method is SubspaceProjectionOptions sspu && (FeatureStages.Needed(sspu) || plan.LayerChoice is not null || FeatureStages.Explains(sspu, saes))
            ? new FeatureStages(runner, plan, sspu, checkpoint, texts, saes, ground, Margins(), [new("model", digest), .. autoencoders], device)
            : null;
        var inputs = InputStage.Run(runner, plan, features, checkpoint, digest, texts, device);
        var values = plan.Method is ClosedFormEditOptions edit ? new ValueStage(runner, edit, checkpoint, digest, texts, device) : null;
        var forgotten = Forget(runner, features, inputs, values, autoencoders);
        var exported = LanguageExport.Stage(runner, checkpoint, digest, forgotten, () => Found(forgotten), plan.Guard is null ? plan.Method.Strength : 1);
        LanguageExport.Show(exported, run.Paths.Model);
        var after = measuring.Stage(runner, "after", LanguageExport.FolderOf(exported), exported.Content);
        var record = JsonSerializer.Deserialize<LanguageForgettingRecord>(File.ReadAllBytes(forgotten.PathOf(RecordName)), ResultJson.Options)!;
        using var result = LanguageCheckpoint.Open(LanguageExport.FolderOf(exported));
        var moving = forgotten.Record.Files.Any(file => file.Name == FeaturesName) ? JsonSerializer.Deserialize<LanguageFeaturesResult>(File.ReadAllBytes(forgotten.PathOf(FeaturesName)), ResultJson.Options) : null;
        // How sites compare decides nothing of forgetting but the layers, and stands in no digest of it.
        return Result(run.Facts(), before, after, control, TrainedPlans.RunOf(plan.Model, planFile, context, run.Paths), Method(record), moving is null ? null : moving with { Sites = features?.Separation, Check = features?.Check }, LanguageExport.Moved(checkpoint, result, Found(forgotten).Keys), run.Cost());
    }

    public void Dispose()
    {
        foreach (var sae in saes)
            sae.Dispose();
        checkpoint.Dispose();
    }

    // What the run stands on, for whoever looks into its folder; measured questions and texts hang on the ground's digest.
    private void Load(StageRunner runner) => runner.Run(
        new Stage { Name = "load", Method = "language-ground", Version = 1, Inputs = [new("model", digest), new("ground", ground.Digest)], Environment = new("none", "cpu", 1, "none"), Shared = false },
        work =>
        {
            work.WriteJson(GroundName, ground.Counts);
            work.Note($"{texts.Forget.Count} texts to forget, {texts.Retain.Count} to retain; {measuring.Tests.Trained.Questions.Count} questions about trained entities, {measuring.Tests.Unseen?.Questions.Count ?? 0} about unseen ones, {measuring.Tests.Retain.Questions.Count} about retain topics{(measuring.Tests.GivenAway > 0 ? $"; {measuring.Tests.GivenAway} that give their answer away are not asked" : "")}");
        });

    private Artefact Forget(StageRunner runner, FeatureStages? features, InputStage? inputs, ValueStage? values, IReadOnlyList<StageInput> autoencoders)
    {
        // Without a guard the strength decides nothing but the export, so that one forgetting serves all strengths of a sweep; a guard looks at the weights that are exported.
        var options = plan.Guard is null ? plan.Method with { Strength = 1 } : plan.Method;
        return runner.Run(
            new Stage
            {
                Name = "forget",
                Method = MethodName(plan.Method),
                // 2: long states count neither in losses of SSPU and masked RMU nor in what they are divided by.
                Version = 2,
                Options = new { options, plan.Seed, texts = texts.Options },
                Inputs = [new("model", digest), .. texts.Inputs, .. autoencoders, .. features is null ? [] : new[] { features.Input }, .. inputs is null ? [] : new[] { inputs.Input }, .. values is null ? [] : new[] { values.Input }],
                Environment = new("float32", device.ToString(), Engine.Threads, Engine.Version),
            },
            work =>
            {
                using var scope = new TensorScope();
                using var guard = plan.Guard is { } guarded ? new UtilityGuard(checkpoint, texts.Guard, guarded, device) : null;
                using var moments = inputs?.Read();
                using var forgetting = LanguageForgetting.Make(options, (ulong)plan.Seed, checkpoint, digest, texts, saes, features, moments, values, device, slices, guard is null ? null : guard.Check);
                var outcome = work.Train(forgetting.Loop);
                SafetensorsWriter.Write(work.PathOf(WeightsName), forgetting.Loop.Changed());
                if (forgetting.Explain is { } explain)
                    work.WriteJson(FeaturesName, explain());
                work.WriteJson(RecordName, new LanguageForgettingRecord(outcome.Steps, forgetting.Loop.TotalSteps, outcome.StopReason, forgetting.TokensSeen(), forgetting.TrainedNumbers));
            });
    }

    // Questions of the validation part: what is chosen by them is chosen without the test.
    private IReadOnlyList<MarginQuestion> Margins()
    {
        if (plan.Features.Importance != LatentImportance.Causal)
            return [];
        var encoding = LanguageMeasuring.EncodingOf(checkpoint);
        return [.. ground.Forget(GroundPart.Validation, GroundSide.Trained).Where(question => question.Choices.Count > 1).Select(question =>
        {
            var answers = question.Choices.Select(choice => encoding.Pair(question.Context, ground.Plan.Delimiter + choice)).ToArray();
            return new MarginQuestion(answers[0].Context, [.. answers.Select(answer => answer.Continuation)], question.Right);
        })];
    }

    // Size and layer are known before anything is computed; the norm shows when the model reads.
    private static SparseAutoencoder Autoencoder(string path, LanguageCheckpoint checkpoint, Device device)
    {
        var sae = SaeFiles.Read(path, device: device);
        try
        {
            if (sae.Site is null)
                throw new BadInputException($"{path}: the autoencoder does not say which site it belongs to; give one whose files name it (cfg.json).");
            sae.Check($"site {sae.Site} of {checkpoint.Path}", checkpoint.Configuration.HiddenSize, checkpoint.Configuration.Layers);
            return sae;
        }
        catch
        {
            sae.Dispose();
            throw;
        }
    }

    private static IReadOnlyDictionary<string, HostArray> Found(Artefact forgotten)
    {
        using var file = SafetensorsFile.Open(forgotten.PathOf(WeightsName));
        return file.ReadAll();
    }

    private LanguageMethodFacts Method(LanguageForgettingRecord record) => new(
        MethodName(plan.Method), PlanSection.Of(plan.Method.GetType()).Keys.ToDictionary(key => key.Name, key => key.Property.GetValue(plan.Method)),
        record.Steps, record.MaximumSteps, record.StopReason, record.TokensSeen, record.TrainedNumbers, texts.Forget.Count, texts.Retain.Count);

    private LanguageUnlearnResult Result(RunFacts run, LanguageReading before, LanguageReading after, LanguageReading? control, string? modelRun, LanguageMethodFacts method, LanguageFeaturesResult? features, IReadOnlyList<LanguageTensorMove> moved, CostResult cost)
    {
        var builder = new LanguageResultBuilder(ground, measuring.Tests, measuring.Shown, before, after, control);
        return new LanguageUnlearnResult
        {
            Run = run,
            Request = new LanguageRequestFacts(plan.Title, plan.Scope, plan.Model, digest, checkpoint.Configuration.ModelType, checkpoint.Configuration.Layers, ground.ForgetTopic, ground.Neighbours, ground.RetainTopics,
                plan.Measure.Part == GroundPart.Test ? "test" : "validation", ground.Counts, ground.Digest) { NeverKnew = plan.NeverKnew, NeverKnewDigest = neverKnew?.Digest, ModelRun = modelRun },
            Method = method,
            Forget = builder.Forget(),
            Retain = builder.Retain(),
            Perplexity = builder.Perplexity(),
            Answers = builder.Answers(),
            Features = features,
            Moved = moved,
            Cost = cost,
            // A model that never knew it is the reference that was asked for.
            NotTested = neverKnew is null ? NotTested : [.. NotTested.Where(code => code != NotTestedCodes.RetrainedReference)],
        };
    }

    private static readonly IReadOnlyList<string> NotTested =
    [
        NotTestedCodes.TextRelearning, NotTestedCodes.InnerLayers, NotTestedCodes.AdversarialPrompts, NotTestedCodes.OtherWords, NotTestedCodes.TextMembership, NotTestedCodes.FewerBits,
        NotTestedCodes.OtherAbilities, NotTestedCodes.RetrainedReference, NotTestedCodes.OtherSeeds, NotTestedCodes.TrainingDataDeletion, NotTestedCodes.EarlierModels,
    ];

    private static string MethodName(LanguageMethodOptions options) => PlanKindAttribute.Of(typeof(LanguageMethodOptions)).First(kind => kind.Type == options.GetType()).Name;
}

/// <summary>How forgetting went: forgetting.json of the stage "forget".</summary>
/// <param name="Steps">Steps taken.</param>
/// <param name="MaximumSteps">Steps allowed.</param>
/// <param name="StopReason">Why it stopped before; null if it did not.</param>
/// <param name="TokensSeen">Tokens read.</param>
/// <param name="TrainedNumbers">Numbers that were trained.</param>
internal sealed record LanguageForgettingRecord(long Steps, long MaximumSteps, string? StopReason, long TokensSeen, long TrainedNumbers);
