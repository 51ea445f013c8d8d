using System.Text.Json;
using Lethe.Models;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Runs.Language.Topics;
using Lethe.Runs.Results;
using Lethe.Torch;
using Lethe.Unlearning.Language;
using Lethe.Unlearning.Language.Features;
using Lethe.Unlearning.Language.Subspaces;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>The stages of SSPU before it forgets: scores of all latents in one pass, the choice of layers, and the latents that span the subspaces.</summary>
internal sealed class FeatureStages
{
    private const string ScoresName = "scores.json", ChoicesName = "choices.json", CheckName = "check.json";

    private readonly LanguageUnlearnPlan plan;
    private readonly SubspaceProjectionOptions options;
    private readonly TrainingTexts texts;
    private readonly IReadOnlyList<SparseAutoencoder> saes;
    private readonly IReadOnlyList<MarginQuestion> questions;
    private readonly Artefact scored, chosen;

    /// <summary>Runs the stages.</summary>
    /// <param name="runner">The run.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="options">Its method.</param>
    /// <param name="checkpoint">The base model; the slice up to the highest autoencoder is loaded.</param>
    /// <param name="texts">What is read.</param>
    /// <param name="saes">The plan's autoencoders.</param>
    /// <param name="ground">Questions of validation, for the check of the layers.</param>
    /// <param name="questions">Questions about what is to be forgotten, for causal scores; none of the test.</param>
    /// <param name="inputs">Digests of the model and of the autoencoders.</param>
    /// <param name="device">Where it computes.</param>
    /// <exception cref="BadInputException">An autoencoder was trained on activations of another norm, or no latent fulfils what is asked.</exception>
    /// <exception cref="RunFailedException">No layer separates.</exception>
    public FeatureStages(
        StageRunner runner, LanguageUnlearnPlan plan, SubspaceProjectionOptions options, LanguageCheckpoint checkpoint, TrainingTexts texts, IReadOnlyList<SparseAutoencoder> saes, Ground ground,
        IReadOnlyList<MarginQuestion> questions, IReadOnlyList<StageInput> inputs, Device device)
    {
        (this.plan, this.options, this.texts, this.saes, this.questions) = (plan, options, texts, saes, questions);
        var environment = new EnvironmentFacts("float32", device.ToString(), Engine.Threads, Engine.Version);
        scored = runner.Run(
            new Stage { Name = "score", Method = "latent-scores", Version = 2, Options = new { plan.Features, plan.LayerChoice, plan.Ground.Split.Seed, texts = texts.Options }, Inputs = [.. inputs, .. texts.Inputs], Environment = environment },
            work => Score(work, checkpoint, device));
        var scores = Read<ScoreRecord>(scored, ScoresName);
        // Before anything is decided: where no layer separates, the check says more than the diagnosis alone.
        if (plan.LayerChoice is { CheckQuestions: > 0 } choice)
        {
            var ablated = runner.Run(
                new Stage { Name = "check-layers", Method = "site-ablation", Version = 1, Options = new { plan.Features, choice.CheckQuestions, plan.Seed, texts = texts.Options }, Inputs = [scored.As("scores"), .. inputs, .. texts.Inputs], Environment = environment },
                work => work.WriteJson(CheckName, Ablate(work, scores, checkpoint, ground, choice, device)));
            var sites = Read<SiteAblation[]>(ablated, CheckName);
            Check = new LayerCheckResult(sites, SiteAblations.Correlation(scores.Layers!.Sites, sites));
        }
        if (plan.LayerChoice is not null && scores.Layers is { Chosen.Count: 0 } none)
            throw new RunFailedException(none.Diagnosis ?? "No layer separates what is to be forgotten from what is to stay.");
        Layers = scores.Layers is { } found ? [.. found.Chosen.Select(place => LayerOf(saes[place])).Distinct().Order()] : options.Layers;
        chosen = runner.Run(
            new Stage { Name = "subspaces", Method = "latent-subspaces", Version = 1, Options = new { plan.Features, plan.Seed, Layers }, Inputs = [scored.As("scores"), .. inputs], Environment = environment },
            work => work.WriteJson(ChoicesName, Layers.Select(layer => Choose(layer, scores)).ToArray()));
        Choices = Read<FeatureLayerResult[]>(chosen, ChoicesName);
        Separation = scores.Layers?.Sites;
    }

    // What is drawn of texts belongs to the ground and not to the run, so that runs of several seeds share the scores.
    private ulong TextSeed => (ulong)plan.Ground.Split.Seed;

    /// <summary>The layers that are steered.</summary>
    public IReadOnlyList<int> Layers { get; }

    /// <summary>What was chosen at each of them.</summary>
    public IReadOnlyList<FeatureLayerResult> Choices { get; }

    /// <summary>How well each site separates; null where the plan names the layers.</summary>
    public IReadOnlyList<SiteSeparation>? Separation { get; }

    /// <summary>The check of the layers; null where none was asked for.</summary>
    public LayerCheckResult? Check { get; }

    /// <summary>What forgetting is told of it.</summary>
    public StageInput Input => chosen.As("subspaces");

    /// <summary>Whether a method needs subspaces at all.</summary>
    public static bool Needed(LanguageMethodOptions method) => method is SubspaceProjectionOptions sspu && (sspu.Target == TargetKind.Irrelevant || sspu.Confinement != Confinement.None);

    /// <summary>Whether every layer read has an autoencoder, which then says in latents what became of the topic, whatever it is steered to.</summary>
    public static bool Explains(SubspaceProjectionOptions sspu, IReadOnlyList<SparseAutoencoder> saes) => sspu.Layers.All(layer => saes.Any(sae => LayerOf(sae) == layer));

    /// <summary>The layer whose output an autoencoder reads.</summary>
    /// <exception cref="BadInputException">It reads something else.</exception>
    public static int LayerOf(SparseAutoencoder sae) => Site.Parse(sae.Site!.Name) is { Kind: SiteKind.ResidualAfter } site ? site.Layer
        : throw new BadInputException($"sspu reads what leaves a layer, such as layers.7.residual_after; the autoencoder belongs to {sae.Site}.");

    /// <summary>The subspaces by layer; the caller's.</summary>
    /// <param name="cache">The slice, for the directions in which hidden states vary.</param>
    /// <param name="forget">Forget text.</param>
    /// <param name="retain">Retain text.</param>
    public Dictionary<int, SubspacePair> Pairs(SliceCache cache, TextBatches forget, TextBatches retain)
    {
        var pairs = new Dictionary<int, SubspacePair>();
        foreach (var choice in Choices)
        {
            var own = SiteSubspaces.OfLatents(Autoencoder(choice.Layer), ChoiceOf(choice));
            if (options.Subspaces == SubspaceSource.Autoencoder)
            {
                pairs.Add(choice.Layer, own);
                continue;
            }
            using (own)
                pairs.Add(choice.Layer, options.Subspaces == SubspaceSource.Random ? SiteSubspaces.Random(own, RandomStream.ChildSeed((ulong)plan.Seed, $"layer {choice.Layer}")) : Principal(own, cache, choice.Layer, forget, retain));
        }
        return pairs;
    }

    /// <summary>Autoencoder and chosen latents by layer, for the explanation.</summary>
    public IReadOnlyDictionary<int, (SparseAutoencoder Autoencoder, LatentChoice Choice)> Latents => Choices.ToDictionary(choice => choice.Layer, choice => (Autoencoder(choice.Layer), ChoiceOf(choice)));

    private SparseAutoencoder Autoencoder(int layer) => saes.First(sae => LayerOf(sae) == layer);

    private static LatentChoice ChoiceOf(FeatureLayerResult choice) => new(choice.Relevant, choice.Irrelevant, choice.Threshold, choice.RelevantCandidates, choice.IrrelevantCandidates);

    private void Score(StageWork work, LanguageCheckpoint checkpoint, Device device)
    {
        using var scope = new TensorScope();
        // Effects on answers go through the whole model; everything else ends at the highest autoencoder.
        var causal = plan.Features.Importance == LatentImportance.Causal;
        using var model = checkpoint.Load(new LoadOptions { ToLayer = causal ? null : saes.Max(LayerOf) + 1, Head = causal, Device = device });
        var effects = causal ? CausalScores.Read(model, saes, questions, advanced: done => work.Report(done, questions.Count, "questions")) : null;
        // Text that stands there several times, as neighbours' may, is read once.
        using var pass = LatentTextPass.Read(model, saes, [new("forget", EvenSample.Of(texts.Forget, plan.Features.Texts)), new("retain", EvenSample.Of([.. texts.Retain.Distinct()], plan.Features.Texts))], length: texts.Length, advanced: (done, all) => work.Report(done, all, "texts"));
        SiteScores[] scores = [.. saes.Select((sae, k) => new SiteScores(
            LayerOf(sae), LatentScores.Of(pass.Statistics(k, 0), pass.Statistics(k, 1), effects?[k]), causal ? null : FeatureStability.Of(pass.Texts(k, 0), pass.Texts(k, 1), plan.Features, TextSeed)))];
        var layers = plan.LayerChoice is { } choice
            ? LayerChoice.Choose([.. saes.Select((sae, k) => new SiteTexts(sae.Site!.Name, pass.Texts(k, 0), pass.Texts(k, 1)))], plan.Features, choice, TextSeed)
            : null;
        work.WriteJson(ScoresName, new ScoreRecord(scores, layers));
        if (layers is not null)
            work.Note(layers.Diagnosis ?? $"chosen: {string.Join(", ", layers.Chosen.Select(place => saes[place].Site!.Name))}");
    }

    private IReadOnlyList<SiteAblation> Ablate(StageWork work, ScoreRecord scores, LanguageCheckpoint checkpoint, Ground ground, LayerChoiceOptions choice, Device device)
    {
        SubspacePair[] pairs = [.. saes.Select((sae, k) => SiteSubspaces.OfLatents(sae, LatentSelection.Choose(scores.Sites[k].Scores, plan.Features, TextSeed)))];
        try
        {
            return SiteAblations.Read(
                checkpoint, [.. saes.Zip(pairs, (sae, pair) => (Site.Parse(sae.Site!.Name), pair.Relevant))], ground, LanguageMeasuring.EncodingOf(checkpoint), texts.Retain, choice, device, work.Report);
        }
        finally
        {
            foreach (var pair in pairs)
                pair.Dispose();
        }
    }

    private FeatureLayerResult Choose(int layer, ScoreRecord scores)
    {
        var of = scores.Sites.First(site => site.Layer == layer);
        var choice = LatentSelection.Choose(of.Scores, plan.Features, (ulong)plan.Seed);
        using var pair = SiteSubspaces.OfLatents(Autoencoder(layer), choice);
        return new FeatureLayerResult(
            layer, choice.Relevant, choice.Irrelevant, choice.Threshold, choice.RelevantCandidates, choice.IrrelevantCandidates, of.Stability?.Jaccard, of.Stability?.ByChance, pair.Read());
    }

    private static SubspacePair Principal(SubspacePair like, SliceCache cache, int layer, TextBatches forget, TextBatches retain)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        var place = cache.Reads.Index().First(entry => entry.Item == layer).Index;
        Tensor Covariance(TextBatches batches)
        {
            using var moments = new SecondMoments(cache.Configuration.HiddenSize);
            foreach (var batch in batches.Batches)
            {
                using var one = new TensorScope();
                var counted = batch.Mask(DType.Float32, cache.Device).View(-1).Nonzero().View(-1);
                var state = cache.Frozen(batch)[place];
                moments.Add(state.Reshape(-1, state.Size(-1)).IndexSelect(0, counted));
            }
            return moments.Covariance();
        }
        return SiteSubspaces.Principal(like, Covariance(forget), Covariance(retain));
    }

    private static T Read<T>(Artefact artefact, string file) => JsonSerializer.Deserialize<T>(File.ReadAllBytes(artefact.PathOf(file)), ResultJson.Options)!;

    private sealed record SiteScores(int Layer, LatentScores Scores, FeatureStability? Stability);

    private sealed record ScoreRecord(IReadOnlyList<SiteScores> Sites, LayerChoice? Layers);
}
