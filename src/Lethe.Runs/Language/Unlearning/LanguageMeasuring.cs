using System.Text.Json;
using Lethe.Evaluation.Language;
using Lethe.Models;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders.Training;
using Lethe.Runs.Language.Corpora;
using Lethe.Runs.Language.Topics;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>Measures a model: all questions, perplexity and a few written answers, in one load.</summary>
internal sealed class LanguageMeasuring
{
    /// <summary>The file of the stages "before", "never-knew" and "after".</summary>
    public const string ReadingName = "reading.json";

    private readonly LanguageMeasurePlan plan;
    private readonly Ground ground;
    private readonly RequestEncoding encoding;
    private readonly CorpusReader corpora;
    private readonly Device device;
    private readonly int[][] texts;

    /// <summary>Reads the texts; no model is needed yet.</summary>
    /// <param name="plan">What is measured.</param>
    /// <param name="ground">The questions.</param>
    /// <param name="checkpoint">The base model, for its tokenizer.</param>
    /// <param name="planFile">The plan's file.</param>
    /// <param name="device">Where models compute.</param>
    /// <exception cref="BadInputException">There are too few questions, or no text is long enough for perplexity.</exception>
    public LanguageMeasuring(LanguageMeasurePlan plan, Ground ground, LanguageCheckpoint checkpoint, string planFile, Device device)
    {
        (this.plan, this.ground, this.device) = (plan, ground, device);
        encoding = EncodingOf(checkpoint);
        Tests = new KnowledgeTests(ground, plan, encoding);
        corpora = new CorpusReader(plan.Perplexity, planFile, "measure.perplexity");
        if (plan.PerplexityTokens > checkpoint.Configuration.MaximumPositions)
            throw new UsageException($"{planFile}: measure.perplexity_tokens is {plan.PerplexityTokens}; the model has {checkpoint.Configuration.MaximumPositions} positions.");
        Documents = [];
        var found = new List<int[]>();
        foreach (var document in corpora.Read())
        {
            // Long documents need no whole encoding: a token takes far less than 32 characters on average.
            var ids = encoding.Encode(document.Text.Length > 32 * plan.PerplexityTokens ? document.Text[..(32 * plan.PerplexityTokens)] : document.Text);
            if (ids.Length < plan.PerplexityTokens)
                continue;
            found.Add(ids[..plan.PerplexityTokens]);
            Documents.Add(document.Text);
            if (found.Count == plan.PerplexityTexts)
                break;
        }
        texts = [.. found];
        if (texts.Length == 0)
            throw new BadInputException($"{corpora.Files[0]}: no document has {plan.PerplexityTokens} tokens; lower measure.perplexity_tokens, or give longer text.");
        Shown = [.. EvenSample.Of(Tests.Trained.Questions, plan.Answers), .. EvenSample.Of(Tests.Retain.Questions, plan.Answers)];
    }

    /// <summary>The questions.</summary>
    public KnowledgeTests Tests { get; }

    /// <summary>The documents of perplexity, which nobody may train on.</summary>
    public HashSet<string> Documents { get; }

    /// <summary>The questions whose answers are written out.</summary>
    public IReadOnlyList<KnowledgeQuestion> Shown { get; }

    /// <summary>A model's tokenizer for questions and texts.</summary>
    public static RequestEncoding EncodingOf(LanguageCheckpoint checkpoint) => new(checkpoint.Tokenizer, checkpoint.Special.Bos ?? checkpoint.Special.Eos);

    /// <summary>Measures as a stage.</summary>
    /// <param name="runner">The run.</param>
    /// <param name="name">"before", "never-knew" or "after".</param>
    /// <param name="path">The model.</param>
    /// <param name="digest">What it is known by.</param>
    public LanguageReading Stage(StageRunner runner, string name, string path, string digest)
    {
        // The split's part and share of questions stand in the plan, what is asked in the ground.
        var options = new { plan = plan with { Perplexity = [] } };
        var artefact = runner.Run(new Stage
        {
            Name = name,
            Method = "language-knowledge",
            Version = 1,
            Options = options,
            Inputs = [new("model", digest), new("ground", ground.Digest), new("perplexity", corpora.Digest)],
            Environment = new("float32", device.ToString(), Engine.Threads, Engine.Version),
        }, work => work.WriteJson(ReadingName, Measure(path, work.Report, work.Cancellation)));
        return JsonSerializer.Deserialize<LanguageReading>(File.ReadAllBytes(artefact.PathOf(ReadingName)), ResultJson.Options)!;
    }

    /// <summary>Measures.</summary>
    /// <param name="path">The model.</param>
    /// <param name="report">Told how far it is: done, all, part.</param>
    /// <param name="cancellation">Asks for a stop.</param>
    public LanguageReading Measure(string path, Action<long, long, string?> report, CancellationToken cancellation)
    {
        var rounded = plan.Products == ActivationStorage.Bfloat16;
        using var scope = new TensorScope();
        using var checkpoint = LanguageCheckpoint.Open(path);
        using var model = checkpoint.Load(rounded ? new LoadOptions { Device = device, DType = DType.BFloat16, RoundedProducts = true } : new LoadOptions { Device = device });
        var scorer = new LanguageScorer(model);
        KnowledgeReading? Read(KnowledgeTest? test, string part) => test?.Read(scorer, (done, all) => report(done, all, part), cancellation);
        var scores = scorer.Score([.. texts.Select(ids => encoding.Prefix is { } prefix ? new ScoredRequest([prefix], ids) : new ScoredRequest([ids[0]], ids[1..]))], (done, all) => report(done, all, "perplexity"), cancellation);
        IReadOnlyList<int> ends = [.. (checkpoint.Special.Eos is { } eos ? checkpoint.Special.Stop.Prepend(eos) : checkpoint.Special.Stop).Distinct()];
        var answers = Shown.Count == 0 ? [] : new GreedyAnswers(model, encoding, ends).Answer(
            [.. Shown.Select(question => new AnswerRequest(question.Context, [], plan.AnswerTokens))], (done, all) => report(done, all, "answers"), cancellation);
        return new LanguageReading(
            Read(Tests.Trained, "trained entities")!, Read(Tests.Unseen, "unseen entities"), Read(Tests.Retain, "retain topics")!, Read(Tests.TrainedNames, "floor"), Read(Tests.UnseenNames, "floor of unseen entities"), Read(Tests.Kept, "what stays of trained entities"),
            [.. scores.Select(score => score.LogProbability)], [.. scores.Select(score => (long)score.Tokens)], [.. answers.Select(answer => FirstLine(answer.Text))]);
    }

    // Chat models like to begin with a line end.
    private static string FirstLine(string text) => text.Trim().Split('\n')[0].TrimEnd();
}
