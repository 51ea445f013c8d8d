using System.Text.Json;
using Lethe.Formats;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.Language.Training;
using Lethe.Runs.Generative;
using Lethe.Runs.Language.Corpora;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Language.Training;

/// <summary>Trains a language model by a plan: tokenizer, tokens, training, export as a Hugging Face directory, and the loss measured on what was exported.</summary>
internal sealed class LanguageTrainer : ITrainer
{
    private const string WeightsName = "weights.safetensors", RecordName = "training.json", LossName = "losses.json", ModelName = "model";

    // Points of the curve of training losses.
    private const int CurvePoints = 100;

    private readonly TrainLanguageModelPlan plan;
    private readonly Device device;
    private readonly CorpusReader corpora;
    private readonly CorpusReader? held;
    private readonly LanguageCheckpoint? checkpoint;
    private readonly DocumentTokens? given;
    private readonly RunEstimate estimate;

    public LanguageTrainer(TrainLanguageModelPlan plan, string planFile, RunContext context)
    {
        (this.plan, device) = (plan, context.Device);
        corpora = new CorpusReader(plan.Corpora, planFile);
        held = plan.Validation.Corpora.Count > 0 ? new CorpusReader(plan.Validation.Corpora, planFile, "validation.corpora") : null;
        var training = plan.Training;
        if (training.Patience > 0 && (training.ValidateEvery == 0 || held is null && plan.Validation.Share == 0))
            throw new UsageException($"{planFile}: training.patience stops by the loss on validation text; hold some out (validation.share or validation.corpora) and set training.validate_every.");
        if (plan.Model is BaseModelPlan from)
        {
            var path = TrainedPlans.Locate(from.Path, planFile, context.BesideRun);
            checkpoint = LanguageCheckpoint.Open(LanguageModelPath.Find(path) ?? path);
        }
        try
        {
            if (checkpoint is not null)
                given = new DocumentTokens(checkpoint.Tokenizer, checkpoint.Special, checkpoint.Configuration.VocabularySize);
            else if (plan.Model is LlamaPlan { Tokenizer: TokenizerPathPlan tokenizer })
                given = TokenizerStage.Read(tokenizer, planFile, context.BesideRun);
            var positions = checkpoint?.Configuration.MaximumPositions ?? ((LlamaPlan)plan.Model).MaximumPositions;
            if (training.Length > positions)
                throw new UsageException($"{planFile}: training.length is {training.Length}; the model has {positions} positions.");
            estimate = Estimate();
            Preflight.Check(estimate, context.RunFolder ?? context.RunsFolder, ThisMachine.Instance, context.Progress);
        }
        catch
        {
            checkpoint?.Dispose();
            throw;
        }
    }

    public long DiskBytes => estimate.DiskBytes;

    public TrainResult Train(TrainRun run)
    {
        var share = held is null ? plan.Validation.Share : 0;
        var tokens = given ?? TokenizerStage.Train(run.Runner, (TrainedTokenizerPlan)((LlamaPlan)plan.Model).Tokenizer, corpora, share);
        var text = CorpusTokens.Run(run.Runner, "tokens", tokens, TokenizerStage.Digest(tokens), corpora, share, held);
        using var train = TokenCorpus.Open(text.PathOf(CorpusTokens.TrainFile));
        using var validation = held is not null || share > 0 ? TokenCorpus.Open(text.PathOf(CorpusTokens.ValidationFile)) : null;

        var trained = TrainModel(run.Runner, tokens, text, train, validation);
        var record = Read<TrainingRecord>(trained, RecordName);
        var exported = Export(run.Runner, tokens, trained);
        var measured = Measure(run.Runner, text, exported, train, validation);
        var losses = Read<LossRecord>(measured, LossName);

        CopyModel(exported, run.Paths.Model);
        using var result = LanguageCheckpoint.Open(run.Paths.Model);
        var seconds = trained.Record.Seconds;
        return new LanguageTrainResult(
            plan.Title, run.Facts(), LanguageModelDigest.OfWeights(run.Paths.Model), (plan.Model as BaseModelPlan)?.Path, LanguageModelShape.Of(result.Configuration, losses.Parameters),
            new CorpusFacts(train.Documents, train.Tokens, validation?.Documents ?? 0, validation?.Tokens ?? 0),
            new TrainingFacts(record.Steps, record.StopReason, record.BestStep, record.TokensSeen, (double)record.TokensSeen / train.Tokens, seconds, record.TokensSeen / Math.Max(seconds, 1e-3)),
            losses.Train, losses.Validation, Curve(trained, record.Steps), [.. record.Readings.Select(reading => new LossPoint(reading.Step, reading.Loss))], run.Cost());
    }

    public void Dispose() => checkpoint?.Dispose();

    private Artefact TrainModel(StageRunner runner, DocumentTokens tokens, Artefact text, TokenCorpus train, TokenCorpus? validation)
    {
        var inputs = new List<StageInput> { text.As("tokens") };
        if (checkpoint is not null)
            inputs.Add(new("base", LanguageModelDigest.Of(checkpoint.Path)));
        var sizes = plan.Model is LlamaPlan llama ? llama.Configuration(tokens.VocabularySize) : null;
        return runner.Run(new Stage { Name = "train", Method = "language-model-training", Version = 1, Options = new { sizes, plan.Training, plan.Seed }, Inputs = inputs, Environment = Environment }, work =>
        {
            using var scope = new TensorScope();
            using var model = sizes is null ? checkpoint!.Load(new LoadOptions { Device = device, TrainAll = true }) : Initialise(sizes);
            using var training = new LanguageTraining(model, train, validation, plan.Training, (ulong)plan.Seed);
            work.Train(training);
            training.Finish();
            ModelFiles.Write(work.PathOf(WeightsName), model.StateDict());
            work.WriteJson(RecordName, new TrainingRecord(training.Step, training.StopReason, training.Best?.Step, training.TokensSeen, training.Readings));
        });
    }

    private CausalLanguageModel Initialise(LanguageModelConfiguration sizes)
    {
        using var initial = new RandomStream(RandomStream.ChildSeed((ulong)plan.Seed, "initial"), device);
        return CausalLanguageModel.Initialise(sizes, initial);
    }

    private Artefact Export(StageRunner runner, DocumentTokens tokens, Artefact trained)
    {
        var inputs = new List<StageInput> { trained.As("weights"), new("tokenizer", TokenizerStage.Digest(tokens)) };
        if (checkpoint is not null)
            inputs.Add(new("base", LanguageModelDigest.Of(checkpoint.Path)));
        var sizes = plan.Model is LlamaPlan llama ? llama.Configuration(tokens.VocabularySize) : null;
        var options = new { sizes, tokens.Special.Bos, tokens.Special.Eos, tokens.Special.Stop, tokens.Special.Texts };
        return runner.Run(new Stage { Name = "export", Method = "hugging-face-folder", Version = 1, Options = options, Inputs = inputs, Environment = new("float32", "cpu", 1, "none"), Shared = false }, work =>
        {
            var folder = Path.Combine(work.Folder, ModelName);
            using var weights = SafetensorsFile.Open(trained.PathOf(WeightsName));
            if (checkpoint is not null)
            {
                checkpoint.Save(folder, weights.ReadAll());
                return;
            }
            Directory.CreateDirectory(folder);
            HuggingFaceFolder.Write(folder, sizes!, weights.ReadAll().Select(entry => SafetensorsItem.From(entry.Key, entry.Value)), DType.Float32, tokens.Tokenizer, tokens.Special);
        });
    }

    private Artefact Measure(StageRunner runner, Artefact text, Artefact exported, TokenCorpus train, TokenCorpus? validation)
    {
        var options = new { plan.Training.Length, plan.Training.SeparateDocuments, plan.Training.Batch, plan.Training.RowsAtOnce };
        return runner.Run(new Stage { Name = "measure", Method = "next-token-loss", Version = 1, Options = options, Inputs = [exported.As("model"), text.As("tokens")], Environment = Environment }, work =>
        {
            using var scope = new TensorScope();
            using var opened = LanguageCheckpoint.Open(Path.Combine(exported.Folder, ModelName));
            using var model = opened.Load(new LoadOptions { Device = device });
            PackedRows Rows(TokenCorpus corpus) => new(corpus, plan.Training.Length, null, plan.Training.SeparateDocuments);
            var heldOut = validation is null ? null : Rows(validation);
            var learned = Rows(train);
            // As much of the training text as is held out, so that the two figures are of one kind; where nothing is held out, a little.
            var some = Math.Min(learned.PerEpoch, heldOut?.PerEpoch ?? plan.Training.ValidationRows);
            var trainLoss = Loss(model, learned, some, null, done => work.Report(done, some, "training text"));
            var heldLoss = heldOut is null ? null : Loss(model, heldOut, heldOut.PerEpoch, validation, done => work.Report(done, heldOut.PerEpoch, "validation text"));
            // The tied head is counted once, as it is stored.
            var parameters = opened.Weights.Names.Sum(name => opened.Weights.Describe(name).Shape.Aggregate(1L, (product, size) => product * size));
            work.WriteJson(LossName, new LossRecord(parameters, trainLoss, heldLoss));
        });
    }

    private TextLoss Loss(CausalLanguageModel model, PackedRows rows, long count, TokenCorpus? whole, Action<long> advanced)
    {
        var (nats, asked) = (0.0, 0L);
        var atOnce = Math.Min(plan.Training.RowsAtOnce ?? plan.Training.Batch, plan.Training.Batch);
        for (var first = 0L; first < count; first += atOnce)
        {
            var (part, positions) = NextTokenLoss.Measure(model, rows.Take(first, (int)Math.Min(atOnce, count - first)), plan.Training.SeparateDocuments);
            (nats, asked) = (nats + part, asked + positions);
            advanced(Math.Min(count, first + atOnce));
        }
        var loss = nats / Math.Max(1, asked);
        if (!double.IsFinite(loss))
            throw new RunFailedException("The loss of the exported model is not finite. Lower training.learning_rate.");
        return new TextLoss(loss, Math.Exp(loss), asked, whole is { TextBytes: > 0 } ? nats / Math.Log(2) / whole.TextBytes : null);
    }

    private EnvironmentFacts Environment => new("float32", device.ToString(), Engine.Threads, Engine.Version);

    // Forward and backward take six operations a weight and token; two cores of a common server processor reach about 60 GFLOP/s.
    private RunEstimate Estimate()
    {
        var c = checkpoint?.Configuration ?? ((LlamaPlan)plan.Model).Configuration(given?.VocabularySize ?? ((TrainedTokenizerPlan)((LlamaPlan)plan.Model).Tokenizer).Vocabulary);
        var layer = 2.0 * c.HiddenSize * c.HeadSize * (c.Heads + c.KeyValueHeads) + 3.0 * c.HiddenSize * c.IntermediateSize;
        var (inLayers, vocabulary) = (c.Layers * layer, (double)c.VocabularySize * c.HiddenSize);
        var attention = 2.0 * c.Layers * plan.Training.Length * c.Heads * c.HeadSize;
        var tokens = (double)plan.Training.Steps * plan.Training.Batch * plan.Training.Length;
        var weights = 4 * (inLayers + (c.TieEmbeddings ? 1 : 2) * vocabulary);
        // Some twenty values a layer and position of the width wait for backward.
        var rows = Math.Min(plan.Training.RowsAtOnce ?? plan.Training.Batch, plan.Training.Batch);
        var waiting = 4.0 * rows * plan.Training.Length * c.Layers * (12.0 * c.HiddenSize + 4.0 * c.IntermediateSize + 3.0 * c.Heads * plan.Training.Length);
        var time = device == Device.Cpu ? TimeSpan.FromSeconds(tokens * 6 * (inLayers + vocabulary + attention) / 60e9) : (TimeSpan?)null;
        return new RunEstimate(time, (long)(512e6 + 5 * weights + waiting), (long)(64e6 + 8 * weights + 4 * corpora.Files.Sum(file => new FileInfo(file).Length)), "at about 60 GFLOP/s, nothing found in the cache");
    }

    private static IReadOnlyList<LossPoint> Curve(Artefact trained, long steps)
    {
        if (trained.Record.Files.All(file => file.Name != Artefact.MetricsName))
            return [];
        var stretch = Math.Max(1, (steps + CurvePoints - 1) / CurvePoints);
        var lines = File.ReadLines(trained.PathOf(Artefact.MetricsName)).Select(line =>
        {
            using var json = JsonDocument.Parse(line);
            return new LossPoint(json.RootElement.GetProperty("step").GetInt64(), json.RootElement.GetProperty("loss").GetDouble());
        });
        return [.. lines.GroupBy(point => (point.Step - 1) / stretch).Select(group => new LossPoint(group.Max(point => point.Step), group.Average(point => point.Loss)))];
    }

    // The model in the run is replaced whole.
    private static void CopyModel(Artefact exported, string target)
    {
        // Whoever reads the model just now keeps it: a plan that names this one asks for it again each time.
        if (Directory.Exists(target) && FolderTree.Files(target).Order(StringComparer.Ordinal).Select(file => (ModelName + "/" + file, FolderTree.Sha256(Path.Combine(target, file))))
            .SequenceEqual(exported.Record.Files.Where(file => file.Name.StartsWith(ModelName + "/", StringComparison.Ordinal)).OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => (file.Name, file.Sha256))))
            return;
        var partial = target + ".partial";
        FolderTree.Remove(partial);
        foreach (var file in exported.Record.Files.Select(file => file.Name).Where(name => name.StartsWith(ModelName + "/", StringComparison.Ordinal)))
        {
            var to = Path.Combine(partial, file[(ModelName.Length + 1)..]);
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            AtomicFile.Copy(Path.Combine(exported.Folder, file), to);
        }
        FolderTree.Flush(partial);
        FolderTree.Remove(target);
        FolderTree.Move(partial, target);
    }

    private static T Read<T>(Artefact artefact, string file) => JsonSerializer.Deserialize<T>(File.ReadAllBytes(artefact.PathOf(file)), ResultJson.Options)!;
}
