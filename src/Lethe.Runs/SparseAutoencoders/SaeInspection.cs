using System.Text.Json;
using Lethe.Formats.Tokenizers;
using Lethe.Models.Language;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders;
using Lethe.Models.SparseAutoencoders.Files;
using Lethe.Models.SparseAutoencoders.Reading;
using Lethe.Runs.Language;
using Lethe.Runs.Language.Corpora;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.SparseAutoencoders;

/// <summary>What <c>inspect SAE --json</c> prints, and what the page of cards is drawn from.</summary>
/// <param name="Sae">The autoencoder.</param>
/// <param name="Site">Its site.</param>
/// <param name="Architecture">Its architecture.</param>
/// <param name="Width">Latents.</param>
/// <param name="Model">The model.</param>
/// <param name="Corpora">The texts.</param>
/// <param name="DeadShare">Share of latents that no text makes active.</param>
/// <param name="Density">Latents by log10 of their density over all texts.</param>
/// <param name="Latents">The cards.</param>
public sealed record SaeInspectionResult(string Sae, string Site, string Architecture, long Width, string Model, IReadOnlyList<CorpusFacts> Corpora, double DeadShare, DensityHistogram Density, IReadOnlyList<LatentCard> Latents)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.inspect-sae/1";
}

/// <summary>A corpus.</summary>
/// <param name="Label">What it is called.</param>
/// <param name="Tokens">Tokens counted.</param>
public sealed record CorpusFacts(string Label, long Tokens);

/// <summary>All that a person needs to judge a latent.</summary>
/// <param name="Latent">Its number.</param>
/// <param name="Corpora">What each corpus makes of it.</param>
/// <param name="Promoted">Tokens whose logits its direction raises most, through the final norm and the head.</param>
/// <param name="Suppressed">Tokens whose logits it lowers most.</param>
/// <param name="Similar">Latents with the most similar directions.</param>
/// <param name="Contexts">Where it is largest.</param>
public sealed record LatentCard(long Latent, IReadOnlyList<LatentCorpus> Corpora, IReadOnlyList<string> Promoted, IReadOnlyList<string> Suppressed, IReadOnlyList<SimilarLatent> Similar, IReadOnlyList<CardContext> Contexts);

/// <summary>A latent on a corpus.</summary>
/// <param name="Label">The corpus.</param>
/// <param name="Frequency">Share of tokens on which it is active.</param>
/// <param name="MeanActive">Its mean where it is active; 0 where it never is.</param>
/// <param name="Largest">Its largest value.</param>
public sealed record LatentCorpus(string Label, double Frequency, double MeanActive, double Largest);

/// <summary>A latent with a similar direction.</summary>
/// <param name="Latent">Its number.</param>
/// <param name="Cosine">Cosine of the decoder's rows.</param>
public sealed record SimilarLatent(long Latent, double Cosine);

/// <summary>A context, token by token.</summary>
/// <param name="Label">The corpus.</param>
/// <param name="Tokens">Texts of the tokens; joined they are the text. Only those around the largest value.</param>
/// <param name="Values">The latent at each.</param>
public sealed record CardContext(string Label, IReadOnlyList<string> Tokens, IReadOnlyList<double> Values);

/// <summary>What is inspected.</summary>
/// <param name="Sae">The autoencoder's file or folder, or a training run's.</param>
/// <param name="Model">The language model; null takes that of the training run.</param>
/// <param name="Corpora">Text; empty takes those of the training run's evaluation, or else of its training.</param>
/// <param name="Latents">Latents; empty lets frequency and strength choose.</param>
/// <param name="Count">Latents chosen where none are named.</param>
/// <param name="Contexts">Contexts of a card.</param>
/// <param name="ContextLength">Tokens of a context.</param>
public sealed record SaeInspectionRequest(string Sae, string? Model, IReadOnlyList<CorpusPlan> Corpora, IReadOnlyList<long> Latents, int Count = 12, int Contexts = 6, int ContextLength = 128);

/// <summary>Reads latents of an autoencoder: what they respond to, and what they write.</summary>
public static class SaeInspection
{
    // Tokens before and after the largest value that a card shows.
    private const int Before = 24, After = 8, Words = 10;

    // A latent that is chosen is active neither hardly ever nor all the time.
    private const double Rarest = 2e-4, MostFrequent = 0.05;

    /// <summary>Whether a path is an autoencoder, or a run that trained some, rather than a run of another kind.</summary>
    public static bool IsSae(string path) => File.Exists(path) || (Directory.Exists(path)
        && (new[] { SaeLensFolder.ConfigurationName, DictionaryLearningFolder.WeightsName, GemmaScopeFile.Name }.Any(name => File.Exists(Path.Combine(path, name)))
            || (Directory.Exists(Path.Combine(path, "model")) && Directory.GetDirectories(Path.Combine(path, "model")).Any(folder => File.Exists(Path.Combine(folder, SaeLensFolder.ConfigurationName))))));

    /// <summary>Reads. Call on the torch thread.</summary>
    /// <exception cref="UsageException">Neither the request nor a training run names model and texts.</exception>
    /// <exception cref="BadInputException">A file is missing or damaged, or autoencoder and model do not belong together.</exception>
    public static SaeInspectionResult Run(SaeInspectionRequest request, RunContext context)
    {
        using var scope = new TensorScope();
        using var noGrad = Autograd.NoGrad();
        using var sae = SaeFiles.Read(request.Sae, device: context.Device);
        var (modelPath, plans, planFile) = Sources(request);
        using var checkpoint = LanguageCheckpoint.Open(modelPath);
        using var model = checkpoint.Load(new LoadOptions { Device = context.Device });
        if (request.Latents.FirstOrDefault(latent => latent < 0 || latent >= sae.Width, -1) is >= 0 and var foreign)
            throw new UsageException($"--latents names {foreign}; the autoencoder has latents 0 to {sae.Width - 1}.");
        var length = (int)Math.Min(request.ContextLength, checkpoint.Configuration.MaximumPositions);
        LabelledTokens[] corpora = [.. plans.Select(plan => new LabelledTokens(
            Path.GetFileName(plan.Path), LanguageTexts.Pack(new CorpusReader([plan], planFile).Read().Select(document => document.Text), checkpoint.Tokenizer, checkpoint.Special, length)))];
        using var pass = LatentPass.Read(model, [sae], corpora, request.Contexts, advanced: (done, all) =>
        {
            context.Progress.Advanced(new StageProgress("read", null, done, all, null, null, []));
            context.Cancellation.ThrowIfCancellationRequested();
        });
        LatentReading[] readings = [.. corpora.Select((_, c) => pass.Statistics(0, c))];
        var tokens = readings.Sum(reading => reading.Activations);
        double[] frequency = [.. Enumerable.Range(0, (int)sae.Width).Select(k => readings.Sum(reading => reading.Active[k]) / tokens)];
        var chosen = request.Latents.Count > 0 ? request.Latents : Choose(frequency, readings, request.Count);
        LatentCard[] cards = [.. chosen.Select(latent => Card(latent, sae, model, checkpoint.Tokenizer, pass, corpora, readings, request.Contexts))];
        return new SaeInspectionResult(request.Sae, sae.Site!.Name, sae.Configuration.Architecture, sae.Width, modelPath, [.. corpora.Zip(readings, (corpus, reading) => new CorpusFacts(corpus.Label, reading.Activations))],
            (double)frequency.Count(share => share == 0) / frequency.Length, DensityHistogram.Of(frequency), cards);
    }

    private static (string Model, IReadOnlyList<CorpusPlan> Corpora, string PlanFile) Sources(SaeInspectionRequest request)
    {
        // A training run keeps its plan beside model/, and model/ holds a folder for each autoencoder.
        var folders = new[] { request.Sae, Path.Combine(request.Sae, ".."), Path.Combine(request.Sae, "..", "..") };
        var run = request.Model is not null && request.Corpora.Count > 0 ? null : folders.Select(folder => Path.GetFullPath(Path.Combine(folder, "plan.yaml"))).FirstOrDefault(File.Exists);
        var plan = run is null ? null : PlanReader.Read<TrainPlan>(run).Value as TrainSaePlan;
        var here = run ?? Path.GetFullPath("plan.yaml");
        var model = request.Model is { } named ? Path.GetFullPath(named) : plan is null
            ? throw new UsageException("--model is missing; name the language model that the autoencoder was trained on, or inspect it where ./lethe train left it.")
            : ModelOf(plan, here);
        return request.Corpora.Count > 0 ? (model, request.Corpora, Path.GetFullPath("plan.yaml"))
            : plan is null ? throw new UsageException("--text is missing; name one or more files of text that the model shall read.")
            : (model, plan.Evaluation?.Corpora ?? plan.Corpora, here);
    }

    // The language model of a training run: of a training plan the run that it made, which the result names.
    private static string ModelOf(TrainSaePlan plan, string planFile)
    {
        if (!TrainedPlans.Is(plan.Model))
        {
            var path = PlanPaths.Resolve(plan.Model, planFile);
            return LanguageModelPath.Find(path) ?? path;
        }
        var run = new RunPaths(Path.GetDirectoryName(planFile)!);
        using var result = File.Exists(run.Result) ? JsonDocument.Parse(File.ReadAllBytes(run.Result)) : null;
        return result is not null && result.RootElement.TryGetProperty("model_run", out var trained)
            ? Path.GetFullPath(Path.Combine(run.Root, trained.GetString()!, "model"))
            : throw new BadInputException($"{run.Root} does not say which run trained its language model; train it to its end, or name the model with --model.");
    }

    // Strong ones first, of those that are neither rare nor always on; strength is the largest value over the mean where active.
    private static long[] Choose(double[] frequency, LatentReading[] readings, int count)
    {
        double Peak(int k) => readings.Max(reading => reading.Active[k] == 0 ? 0 : reading.Largest[k] / (reading.Sum[k] / reading.Active[k]));
        var ordered = Enumerable.Range(0, frequency.Length).Where(k => frequency[k] > 0)
            .OrderBy(k => frequency[k] is >= Rarest and <= MostFrequent ? 0 : 1).ThenByDescending(Peak).ThenBy(k => k);
        return [.. ordered.Take(count).Select(k => (long)k).Order()];
    }

    private static LatentCard Card(long latent, SparseAutoencoder sae, CausalLanguageModel model, Tokenizer tokenizer, LatentPass pass, LabelledTokens[] corpora, LatentReading[] readings, int contexts)
    {
        using var scope = new TensorScope();
        var direction = sae.Decoder.Select(0, latent);
        string[] promoted = [], suppressed = [];
        if (sae.InputSize == model.HiddenSize)
        {
            var logits = model.Head(direction.Unsqueeze(0)).Select(0, 0);
            promoted = Texts(logits.TopK(Words)[1]);
            suppressed = Texts(logits.TopK(Words, largest: false)[1]);
        }
        var cosines = sae.Decoder.MatMul(direction) / (sae.Decoder.Norm(2, [1]) * direction.Norm()).Clamp(minimum: 1e-12);
        var near = cosines.TopK(Math.Min(6, sae.Width));
        SimilarLatent[] similar = [.. near[1].ToArray<long>().Zip(near[0].ToArray<float>(), (other, cosine) => new SimilarLatent(other, cosine)).Where(other => other.Latent != latent).Take(5)];
        return new LatentCard(latent, [.. corpora.Zip(readings, (corpus, reading) => new LatentCorpus(corpus.Label, reading.Active[latent] / reading.Activations,
                reading.Active[latent] == 0 ? 0 : reading.Sum[latent] / reading.Active[latent], reading.Largest[latent]))],
            promoted, suppressed, similar, [.. pass.Contexts(0, latent, contexts).Select(found => Excerpt(found, tokenizer))]);

        string[] Texts(Tensor ids) => [.. ids.ToArray<long>().Where(id => tokenizer.Has((int)id)).Select(id => tokenizer.TokenOf((int)id))];
    }

    private static CardContext Excerpt(LatentContext found, Tokenizer tokenizer)
    {
        var peak = found.Values.Index().MaxBy(entry => entry.Item).Index;
        var (from, to) = (Math.Max(0, peak - Before), Math.Min(found.Tokens.Count, peak + After + 1));
        // Pieces as a stream decodes them: a character of several tokens stands at its last one.
        var decoder = tokenizer.Stream(skipSpecialTokens: false);
        List<string> pieces = [.. found.Tokens.Skip(from).Take(to - from).Select(decoder.Push)];
        pieces[^1] += decoder.Finish();
        return new CardContext(found.Label, pieces, [.. found.Values.Skip(from).Take(to - from)]);
    }
}
