using System.Text.Json;
using Lethe.Formats;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>What a stage is given while it computes: a folder for its files, and everything that must not interest a method: progress, metrics, checkpoints, stopping.</summary>
public sealed class StageWork
{
    private readonly Stage stage;
    private readonly string workFolder;
    private readonly MetricsLog metrics;
    private readonly StageRunnerOptions options;
    private readonly HashSet<string> loops = [];
    private RateMeter? rate;
    private string? ratePart;

    internal StageWork(Stage stage, string workFolder, MetricsLog metrics, StageRunnerOptions options)
    {
        this.stage = stage;
        this.workFolder = workFolder;
        this.metrics = metrics;
        this.options = options;
    }

    /// <summary>The folder that becomes the artefact: whatever is in it when the stage returns.</summary>
    public string Folder => Path.Combine(workFolder, "files");

    /// <summary>Asks for a stop; pass it on to what waits.</summary>
    public CancellationToken Cancellation => options.Cancellation;

    internal double EarlierSeconds { get; private set; }

    /// <summary>Path of a file to write, its folder created.</summary>
    /// <param name="file">Name below <see cref="Folder"/>; may hold "/".</param>
    public string PathOf(string file)
    {
        var path = Path.Combine(Folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    /// <summary>Writes a value as a JSON file.</summary>
    public void WriteJson(string file, object value) => AtomicFile.Write(PathOf(file), stream => JsonSerializer.Serialize(stream, value, ResultJson.Options));

    /// <summary>
    /// Drives a training loop to its end: progress, metrics.jsonl, checkpoints, resuming after a kill, stopping.
    /// </summary>
    /// <param name="loop">A loop that stands at its start.</param>
    /// <param name="name">Its name, for a stage with several loops: lower-case letters, digits and dashes; null for the only one.</param>
    /// <param name="training">How it is driven; the run's options if null.</param>
    /// <exception cref="RunCancelledException">The run was stopped; the state is saved.</exception>
    /// <exception cref="RunFailedException">A measured value is not finite.</exception>
    public TrainingOutcome Train(ITrainingLoop loop, string? name = null, TrainingDriverOptions? training = null)
    {
        if (!loops.Add(name ?? ""))
            throw new InvalidOperationException($"Stage '{stage.Name}' drives two loops called '{name}': their checkpoints would overwrite each other.");
        var job = new TrainingJob(stage.Name, name, stage.Digest, Path.Combine(workFolder, name is null ? "checkpoint.safetensors" : $"checkpoint-{StageRunner.CheckName(name)}.safetensors"), options.ResumeHint);
        var outcome = new TrainingDriver(training ?? options.Training, metrics, options.Progress, options.Time).Drive(loop, job, Cancellation);
        EarlierSeconds += outcome.EarlierSeconds;
        return outcome;
    }

    /// <summary>Says how far a computation has come that is no training loop, and stops it here if the user asked for that.</summary>
    /// <param name="done">Parts done.</param>
    /// <param name="total">Parts in all.</param>
    /// <param name="part">What is being done; null if the stage does one thing only.</param>
    /// <exception cref="RunCancelledException">The run was stopped; this stage begins anew when it is resumed.</exception>
    public void Report(long done, long total, string? part = null)
    {
        if (rate is null || ratePart != part)
            rate = new RateMeter(options.Time, done);
        ratePart = part;
        options.Progress.Advanced(rate.Progress(stage.Name, part, done, total, []));
        ThrowIfCancelled();
    }

    /// <summary>Stops the computation here if the user asked for that.</summary>
    /// <exception cref="RunCancelledException">The run was stopped; this stage begins anew when it is resumed.</exception>
    public void ThrowIfCancelled()
    {
        if (Cancellation.IsCancellationRequested)
            throw new RunCancelledException($"Stopped in stage '{stage.Name}'. The stages before it are saved; {options.ResumeHint}.", Cancellation);
    }

    /// <summary>Writes a line into metrics.jsonl.</summary>
    /// <param name="step">The step that it belongs to.</param>
    /// <param name="values">What was measured.</param>
    /// <param name="loop">Which of the stage's loops; null if it has one only.</param>
    public void Measure(long step, IReadOnlyList<(string Name, double Value)> values, string? loop = null) => metrics.Write(loop, step, values);

    /// <summary>Tells whoever watches something worth knowing.</summary>
    public void Note(string text) => options.Progress.Note(stage.Name, text);
}
