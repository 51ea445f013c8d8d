using Lethe.Formats;
using Lethe.Models.Language.Checkpoints;
using Lethe.Runs.Language.Training;
using Lethe.Runs.Plans;
using Lethe.Testing;
using Lethe.Torch;

namespace Lethe.Runs.Tests.Language;

/// <summary>Training of language models by plans, on a hundred lines of text.</summary>
public sealed class LanguageTrainerTests : IDisposable
{
    private const string Yaml = """
        kind: causal_language_model
        title: A tiny model
        model:
          kind: llama
          layers: 2
          hidden_size: 16
          heads: 2
          key_value_heads: 1
          maximum_positions: 32
          tokenizer: {kind: train, vocabulary: 300}
        corpora:
          - {kind: text, path: text.txt, documents: line}
        validation: {share: 0.2}
        training: {steps: 12, length: 16, batch: 4, warm_up: 2, learning_rate: 0.01, validate_every: 4}
        """;

    private readonly TemporaryFolder folder = new();

    public LanguageTrainerTests() => File.WriteAllLines(folder["text.txt"], Enumerable.Range(0, 100).Select(k => $"The number {k} comes before the number {k + 1}, and after {k - 1}."));

    public void Dispose() => folder.Dispose();

    [TorchFact]
    public void A_model_from_text_is_a_hugging_face_directory_whose_measured_loss_stands_in_the_result()
    {
        var (result, paths) = Run("first");

        // 258 bytes and special tokens, and pairs as far as the text has some.
        Assert.InRange(result.Model.Vocabulary, 270, 300);
        Assert.Equal((12, 12 * 4 * 16, null), (result.Training.Steps, result.Training.TokensSeen, result.Training.StopReason));
        Assert.Equal(100, result.Corpus.Documents + result.Corpus.ValidationDocuments);
        Assert.Equal([0, 4, 8, 12], result.ValidationCurve.Select(point => point.Step));
        Assert.Equal(12, result.TrainCurve.Count);
        // ln 285 = 5.65 before training.
        Assert.InRange(result.ValidationCurve[0].Loss, 5.4, 6);
        Assert.True(result.Validation!.Loss < 5.2);
        Assert.Equal(Math.Exp(result.Validation.Loss), result.Validation.Perplexity, 1e-9);
        Assert.InRange(result.Validation.BitsPerByte!.Value, 0.5, 8);
        using var checkpoint = LanguageCheckpoint.Open(paths.Model);
        using var model = checkpoint.Load();
        Assert.Equal(result.Model.Parameters, model.ParameterCount());
        Assert.True(checkpoint.Special.AddBos);
        Assert.Equal(checkpoint.Special.Stop, [checkpoint.Special.Eos!.Value]);
        Assert.Equal("The number 7", checkpoint.Tokenizer.Decode(checkpoint.Tokenizer.Encode("The number 7")));
        Assert.All((string[])["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "generation_config.json"], file => Assert.True(File.Exists(Path.Combine(paths.Model, file)), file));
        Assert.Contains("validation_loss", File.ReadLines(paths.Metrics).First(), StringComparison.Ordinal);
    }

    [TorchFact]
    public void A_run_that_was_stopped_goes_on_to_the_same_weights()
    {
        var (undisturbed, _) = Run("undisturbed", "cache-a");
        using var stop = new CancellationTokenSource();

        Assert.Throws<RunCancelledException>(() => Run("stopped", "cache-b", new StopInTraining(stop), stop.Token));
        var (resumed, _) = Run("stopped", "cache-b");

        Assert.Equal(undisturbed.ModelDigest, resumed.ModelDigest);
        Assert.Equal(undisturbed.ValidationCurve, resumed.ValidationCurve);
        Assert.Equal(undisturbed.TrainCurve, resumed.TrainCurve);
    }

    [TorchFact]
    public void A_model_is_trained_on_from_where_it_was_and_keeps_its_files()
    {
        var (first, paths) = Run("first");

        var (second, tuned) = Run("second", overrides: ["model={kind: checkpoint, path: runs/first}", "training.steps=8"]);

        Assert.Equal("runs/first", second.Base);
        // It begins where the other ended; both are the start of the same text held out.
        Assert.Equal(first.ValidationCurve[^1].Loss, second.ValidationCurve[0].Loss, 1e-5);
        Assert.True(second.Validation!.Loss < first.Validation!.Loss);
        Assert.Equal(File.ReadAllBytes(Path.Combine(paths.Model, "tokenizer.json")), File.ReadAllBytes(Path.Combine(tuned.Model, "tokenizer.json")));
        using var a = SafetensorsFile.Open(Path.Combine(paths.Model, "model.safetensors"));
        using var b = SafetensorsFile.Open(Path.Combine(tuned.Model, "model.safetensors"));
        Assert.Equal(a.ReadAll().Keys.Order(), b.ReadAll().Keys.Order());
    }

    [TorchFact]
    public void A_second_run_of_the_same_text_finds_tokenizer_and_tokens_in_the_cache()
    {
        Run("first");

        var (second, _) = Run("second", overrides: ["training.steps=3"]);

        Assert.Equal(["tokenizer", "tokens"], second.Cost.Cached);
    }

    [SharedTorchFact]
    public void A_published_models_tokenizer_serves_a_new_model_and_the_model_is_trained_on_in_its_own_layout()
    {
        var stories = SharedData.Path("models", "stories260K");
        var (fresh, _) = Run("fresh", overrides: [$"model.tokenizer={{kind: path, path: '{stories}'}}", "training.steps=2"]);
        Assert.Equal(512, fresh.Model.Vocabulary);

        var (tuned, paths) = Run("tuned", overrides: [$"model={{kind: checkpoint, path: '{stories}'}}", "training.steps=3", "training.learning_rate=0.0001"]);
        Assert.Equal(5, tuned.Model.Layers);
        using var checkpoint = LanguageCheckpoint.Open(paths.Model);
        Assert.Equal(File.ReadAllBytes(Path.Combine(stories, "config.json")), File.ReadAllBytes(Path.Combine(paths.Model, "config.json")));
    }

    [TorchTheory]
    [InlineData("corpora.0.path=none.txt", typeof(BadInputException), "none.txt: there is no such file")]
    [InlineData("training.length=64", typeof(UsageException), "training.length is 64; the model has 32 positions")]
    [InlineData("corpora.0.documents=file", typeof(BadInputException), "document is")]
    [InlineData("corpora.0.limit=1", typeof(BadInputException), "document")]
    [InlineData("model.heads=3", typeof(UsageException), "multiple of heads")]
    [InlineData("model.key_value_heads=3", typeof(UsageException), "divide")]
    [InlineData("model={kind: checkpoint, path: none}", typeof(BadInputException), "none")]
    [InlineData("model.tokenizer={kind: path, path: tokenizer.json}", typeof(UsageException), "model.tokenizer.end")]
    [InlineData("corpora.0={kind: rows, path: text.txt}", typeof(UsageException), "either 'field'")]
    [InlineData("training={steps: 3, length: 16, patience: 2, validate_every: 0}", typeof(UsageException), "patience")]
    public void What_cannot_be_is_refused_in_one_sentence(string with, Type error, string says)
    {
        var thrown = Assert.Throws(error, () => Run("bad", overrides: [with]));

        Assert.Contains(says, thrown.Message, StringComparison.Ordinal);
    }

    private (LanguageTrainResult Result, RunPaths Paths) Run(string name, string cache = "cache", IProgressSink? progress = null, CancellationToken cancellation = default, params string[] overrides)
    {
        var (result, paths) = TrainPipeline.Run(PlanReader.Parse<TrainPlan>(Yaml, folder["plan.yaml"], overrides), new RunContext
        {
            RunFolder = folder["runs", name],
            CacheFolder = folder[cache],
            Progress = progress ?? SilentProgress.Instance,
            Cancellation = cancellation,
            Training = new TrainingDriverOptions { CheckpointInterval = TimeSpan.Zero },
        });
        return (Assert.IsType<LanguageTrainResult>(result), paths);
    }

    /// <summary>Asks for a stop when training tells for the first time how far it has come, which is after a step or a few.</summary>
    private sealed class StopInTraining(CancellationTokenSource stop) : IProgressSink
    {
        public void Advanced(StageProgress progress)
        {
            if (progress.Stage == "train")
                stop.Cancel();
        }

        public void Estimated(RunEstimate estimate) { }

        public void StageStarted(string stage) { }

        public void StageCached(string stage, ArtefactSource source, double seconds) { }

        public void StageFinished(string stage, double seconds) { }

        public void Note(string stage, string text) { }

        public void Warn(string stage, string text) { }
    }
}
