using System.Text.Json;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Files;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Models.SparseAutoencoders.Training;
using Lethe.Runs.Language;
using Lethe.Runs.Language.Corpora;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.SparseAutoencoders;

/// <summary>
/// Trains sparse autoencoders by a plan: all sites in one pass through the slice of the model below the highest, then measures each on text that training did not see.
/// </summary>
internal sealed class SaeTrainer : ITrainer
{
    private const string ReadingsName = "readings.json";

    private readonly TrainSaePlan plan;
    private readonly string planFile, modelPath;
    private readonly LanguageCheckpoint checkpoint;
    private readonly Device device;
    private readonly List<Site> sites;
    private readonly IReadOnlyList<SaeJob> jobs;
    private readonly PackedTokens tokens;
    private readonly CorpusReader corpora;
    private readonly CorpusReader? held;

    public SaeTrainer(TrainSaePlan plan, string planFile, RunContext context)
    {
        (this.plan, this.planFile, device) = (plan, planFile, context.Device);
        modelPath = TrainedPlans.Locate(plan.Model, planFile, context.BesideRun);
        modelPath = LanguageModelPath.Find(modelPath) ?? modelPath;
        checkpoint = LanguageCheckpoint.Open(modelPath);
        try
        {
            var layers = checkpoint.Configuration.Layers;
            sites = [.. plan.Autoencoders.Select(target => Site.Parse(target.Site)).Distinct()];
            foreach (var site in sites)
                if (site.Layer >= layers)
                    throw new BadInputException($"{checkpoint.Path}: the model has no site {site}; its layers are 0 to {layers - 1}.");
            jobs = [.. plan.Autoencoders.Zip(Names(plan), (target, name) => new SaeJob(name, sites.IndexOf(Site.Parse(target.Site)), target.Width))];
            corpora = new CorpusReader(plan.Corpora, planFile);
            held = plan.Evaluation is { } evaluation ? new CorpusReader(evaluation.Corpora, planFile, "evaluation.corpora") : null;
            tokens = Pack(corpora);
            Preflight.Check(Estimate(), context.RunFolder ?? context.RunsFolder, ThisMachine.Instance, context.Progress);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>The autoencoders that a path of a plan means: itself, or all that the training plan or the run there trained.</summary>
    /// <param name="path">As the plan writes it.</param>
    /// <param name="planFile">The plan's file.</param>
    /// <param name="runsFolder">Where the run lies of a plan that trains them.</param>
    public static IEnumerable<string> FilesOf(string path, string planFile, string runsFolder)
    {
        var located = TrainedPlans.Locate(path, planFile, runsFolder);
        return TrainedPlans.Read(path, planFile) is TrainSaePlan plan ? Names(plan).Select(name => Path.Combine(located, "model", name)) : SaeFiles.AllOf(located);
    }

    public long DiskBytes => (64L << 20) + 8 * ParameterBytes;

    private long ParameterBytes => jobs.Sum(job => 2L * checkpoint.Configuration.HiddenSize * job.Width * sizeof(float));

    private string Name => Path.GetFileName(Path.TrimEndingDirectorySeparator(checkpoint.Path));

    public TrainResult Train(TrainRun run)
    {
        var model = new StageInput("model", LanguageModelDigest.Of(modelPath));
        var environment = new EnvironmentFacts("float32", device.ToString(), Engine.Threads, Engine.Version);
        var trained = run.Runner.Run(
            new Stage
            {
                Name = "train",
                Method = "sparse-autoencoder-training",
                Version = 1,
                Options = TrainingOptions(),
                Inputs = [model, new("corpora", corpora.Digest)],
                Environment = environment,
            },
            Train);
        var measured = plan.Evaluation is not { } evaluation ? null : run.Runner.Run(
            new Stage
            {
                Name = "evaluate",
                Method = "sparse-autoencoder-evaluation",
                Version = 1,
                Options = new { plan.Context, plan.Rows, evaluation.LossContexts },
                Inputs = [model, trained.As("autoencoders"), new("corpora", held!.Digest)],
                Environment = environment,
            },
            stage => Evaluate(stage, trained, evaluation));
        var readings = measured is null ? null : JsonSerializer.Deserialize<IReadOnlyList<SaeMeasurement>>(File.ReadAllBytes(measured.PathOf(ReadingsName)), ResultJson.Options);
        var digests = new List<string>();
        foreach (var (k, job) in jobs.Index())
        {
            // Beside the weights SAELens keeps how often each latent is active, which the evaluation tells.
            using var sae = SaeFiles.Read(Path.Combine(trained.Folder, job.Name));
            var target = Path.Combine(run.Paths.Model, job.Name);
            Directory.CreateDirectory(target);
            SaeLensFolder.Write(sae, target, readings?[k].Frequency);
            digests.Add(FolderTree.Sha256(Path.Combine(target, SaeLensFolder.WeightsName)));
        }
        return new SaeTrainResult("sparse_autoencoder", plan.Title, run.Facts(), CanonicalJson.Digest(digests), plan.Model, (long)tokens.Count * tokens.Length,
            (plan.Training.Tokens + plan.Training.Batch - 1) / plan.Training.Batch * plan.Training.Batch,
            [.. jobs.Select((job, k) => new TrainedSae(job.Name, sites[job.Site].ToString(), job.Width, readings?[k].Quality, readings?[k].Loss))], run.Cost())
        {
            ModelRun = TrainedPlans.RunOf(plan.Model, planFile, run.Context, run.Paths),
        };
    }

    public void Dispose() => checkpoint.Dispose();

    // Each autoencoder's folder is named after its site, and its width where a site has several.
    private static IEnumerable<string> Names(TrainSaePlan plan)
    {
        var several = plan.Autoencoders.GroupBy(target => Site.Parse(target.Site)).Any(group => group.Count() > 1);
        return plan.Autoencoders.Select(target => several ? $"{Site.Parse(target.Site)}-{target.Width}" : Site.Parse(target.Site).ToString());
    }

    // Artefacts of plans from before there were products stay known.
    private object TrainingOptions() => plan.Products == ActivationStorage.Float32
        ? new { plan.Autoencoders, plan.Context, plan.Rows, plan.Training, plan.Seed }
        : new { plan.Autoencoders, plan.Context, plan.Rows, plan.Products, plan.Training, plan.Seed };

    // At 60 GFLOP/s, two cores of a common server processor: the slice, and for each autoencoder one dense product and four sparse ones.
    private RunEstimate Estimate()
    {
        var configuration = checkpoint.Configuration;
        var slice = (sites.Max(site => site.Layer) + 1) * (2.0 * configuration.HiddenSize * (2 * configuration.HiddenSize + 3.0 * configuration.IntermediateSize));
        var products = jobs.Sum(job => 5.0 * configuration.HiddenSize * job.Width);
        var buffer = plan.Training.Buffer * configuration.HiddenSize * sites.Count * (plan.Training.Storage == ActivationStorage.Float32 ? 4 : 2);
        return new RunEstimate(TimeSpan.FromSeconds(plan.Training.Tokens * (slice + products) / 60e9), (1L << 30) + buffer + 6 * ParameterBytes, DiskBytes, "at about 60 GFLOP/s");
    }

    private void Train(StageWork stage)
    {
        using var scope = new TensorScope();
        var rounded = plan.Products == ActivationStorage.Bfloat16;
        using var model = checkpoint.Load(new LoadOptions
        {
            ToLayer = sites.Max(site => site.Layer) + 1, Head = false, Device = device, DType = rounded ? DType.BFloat16 : DType.Float32, RoundedProducts = rounded,
        });
        using var stream = new LanguageActivations(model, sites, tokens, plan.Rows, RandomStream.ChildSeed((ulong)plan.Seed, "texts"), Name);
        using var training = new SaeTraining(stream, jobs, plan.Training, (ulong)plan.Seed, device, (done, all) => stage.Report(done, all, "reading activations"));
        stage.Train(training);
        foreach (var (sae, job) in training.Export().Zip(jobs))
            using (sae)
            {
                Directory.CreateDirectory(Path.Combine(stage.Folder, job.Name));
                SaeLensFolder.Write(sae, Path.Combine(stage.Folder, job.Name));
            }
    }

    private void Evaluate(StageWork stage, Artefact trained, SaeEvaluationPlan evaluation)
    {
        using var scope = new TensorScope();
        using var model = checkpoint.Load(new LoadOptions { Device = device });
        var texts = Pack(held!);
        SparseAutoencoder[] saes = [.. jobs.Select(job => SaeFiles.Read(Path.Combine(trained.Folder, job.Name), device: device))];
        ReconstructionQuality[] qualities = [.. saes.Select(sae => new ReconstructionQuality(sae.InputSize, sae.Width, device))];
        using (var stream = new LanguageActivations(model, sites, texts, plan.Rows, null, Name))
            for (var batch = 0L; batch < stream.Batches; batch++)
            {
                using var inner = new TensorScope();
                var activations = stream.Read(0, batch);
                foreach (var (k, job) in jobs.Index())
                {
                    using var one = new TensorScope();
                    var z = saes[k].Encode(activations[job.Site]);
                    qualities[k].Add(activations[job.Site], z, saes[k].Decode(z, activations[job.Site]));
                }
                stage.Report(batch + 1, stream.Batches, "reconstruction");
            }
        var losses = SpliceLoss.Measure(model, saes, texts, contexts: evaluation.LossContexts, advanced: done => stage.Report(done, Math.Min(texts.Count, evaluation.LossContexts), "loss"));
        var readings = new List<SaeMeasurement>();
        foreach (var (k, sae) in saes.Index())
        {
            var quality = qualities[k].Read();
            readings.Add(new SaeMeasurement(SaeQuality.Of(quality), losses[k], quality.Frequency));
            qualities[k].Dispose();
            sae.Dispose();
        }
        stage.WriteJson(ReadingsName, readings);
    }

    /// <summary>What the evaluation stage keeps of one autoencoder.</summary>
    private sealed record SaeMeasurement(SaeQuality Quality, SpliceReading Loss, IReadOnlyList<double> Frequency);

    private PackedTokens Pack(CorpusReader reader)
    {
        if (plan.Context > checkpoint.Configuration.MaximumPositions)
            throw new UsageException($"context is {plan.Context}; the model knows {checkpoint.Configuration.MaximumPositions} positions.");
        var special = checkpoint.Special;
        return LanguageTexts.Pack(reader.Read().SelectMany(document => Enumerable.Repeat(document.Text, document.Times)), checkpoint.Tokenizer, special, plan.Context);
    }
}
