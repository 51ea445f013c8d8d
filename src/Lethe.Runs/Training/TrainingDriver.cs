using System.Globalization;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>How training loops are driven; none of it changes what comes out.</summary>
public sealed record TrainingDriverOptions
{
    /// <summary>Time between checkpoints; a kill loses at most this much work (or what <see cref="CheckpointShare"/> allows).</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Largest share of the time that may go into writing checkpoints: after one that took c seconds, the next waits at least c / share.</summary>
    public double CheckpointShare { get; init; } = 0.02;

    /// <summary>A line of metrics.jsonl is written at each step that is a multiple of this, and at the last.</summary>
    public long MetricsEvery { get; init; } = 1;

    /// <summary>Whether the finished loop is saved too: worth it where the stage does more long work afterwards.</summary>
    public bool SaveFinished { get; init; } = true;
}

/// <summary>One loop to drive.</summary>
/// <param name="Stage">Name of its stage.</param>
/// <param name="Loop">Its name within the stage; null if the stage has one loop only.</param>
/// <param name="Digest">Digest of the stage; a checkpoint of another digest is not used.</param>
/// <param name="CheckpointFile">Where its checkpoint lies.</param>
/// <param name="ResumeHint">How to resume, the end of a sentence that begins "The work so far is saved;".</param>
public sealed record TrainingJob(string Stage, string? Loop, string Digest, string CheckpointFile, string ResumeHint);

/// <summary>How a loop ended.</summary>
/// <param name="Steps">Steps taken in all.</param>
/// <param name="StopReason">Why it stopped before its last step; null if it did not.</param>
/// <param name="ResumedAt">Step of the checkpoint that it went on from; 0 if it began anew.</param>
/// <param name="EarlierSeconds">Seconds that earlier attempts had spent up to that checkpoint.</param>
public sealed record TrainingOutcome(long Steps, string? StopReason, long ResumedAt, double EarlierSeconds);

/// <summary>Drives a training loop: progress, metrics.jsonl, checkpoints, resuming, stopping at a step's end, and losses that are not finite.</summary>
/// <param name="options">How.</param>
/// <param name="metrics">Where lines go; the stage has been begun.</param>
/// <param name="progress">Who is told.</param>
/// <param name="time">Clock.</param>
public sealed class TrainingDriver(TrainingDriverOptions options, MetricsLog metrics, IProgressSink progress, TimeProvider time)
{
    /// <summary>How often whoever watches is told at most.</summary>
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Drives a loop from its start, or from its checkpoint, to its end.</summary>
    /// <param name="loop">A loop that stands at its start.</param>
    /// <param name="job">What is needed around it.</param>
    /// <param name="cancellation">Asks for a stop at the end of the current step.</param>
    /// <exception cref="RunCancelledException">It was stopped; the state is saved.</exception>
    /// <exception cref="RunFailedException">A measured value is not finite; the last good checkpoint is kept.</exception>
    public TrainingOutcome Drive(ITrainingLoop loop, TrainingJob job, CancellationToken cancellation)
    {
        var from = Resume(loop, job);
        var earlier = from?.Seconds ?? 0;
        var started = time.GetTimestamp();
        var rate = new RateMeter(time, loop.Step);
        var saved = started;
        var saveCost = TimeSpan.Zero;
        var reported = -ReportInterval;

        void Save()
        {
            var before = time.GetTimestamp();
            metrics.Flush(toDisk: true);
            Checkpoint.Write(job.CheckpointFile, job.Digest, loop, earlier + time.GetElapsedTime(started).TotalSeconds);
            saved = time.GetTimestamp();
            saveCost = time.GetElapsedTime(before, saved);
        }

        RunCancelledException Stopped()
        {
            if (loop.Step > 0)
                Save();
            return new RunCancelledException($"Stopped at step {loop.Step} of {loop.TotalSteps} of {Name(job)}. The work so far is saved; {job.ResumeHint}.", cancellation);
        }

        while (!loop.Finished)
        {
            if (cancellation.IsCancellationRequested)
                throw Stopped();
            IReadOnlyList<(string Name, double Value)> values;
            try
            {
                values = Advance(loop, job);
            }
            catch (RunCancelledException)
            {
                throw Stopped(); // A step that waits for long may be stopped before it changes anything.
            }
            if (loop.Step % options.MetricsEvery == 0 || loop.Finished)
                metrics.Write(job.Loop, loop.Step, values);

            var now = time.GetElapsedTime(started);
            if (loop.Finished || now - reported >= ReportInterval)
            {
                reported = now;
                progress.Advanced(rate.Progress(job.Stage, job.Loop, loop.Step, loop.TotalSteps, values) with { Work = loop.Work });
            }
            var wait = TimeSpan.FromSeconds(Math.Max(options.CheckpointInterval.TotalSeconds, saveCost.TotalSeconds / options.CheckpointShare));
            if (!loop.Finished && time.GetElapsedTime(saved) >= wait)
                Save();
        }
        if (options.SaveFinished && loop.Step > (from?.Step ?? 0))
            Save();
        if (loop.StopReason is { } reason)
            progress.Note(job.Stage, string.Create(CultureInfo.InvariantCulture, $"stopped after {loop.Step} of {loop.TotalSteps} steps: {reason}"));
        return new TrainingOutcome(loop.Step, loop.StopReason, from?.Step ?? 0, earlier);
    }

    private CheckpointPosition? Resume(ITrainingLoop loop, TrainingJob job)
    {
        var from = Checkpoint.TryRead(job.CheckpointFile, job.Digest, loop, out var damage);
        if (damage is not null)
            progress.Warn(job.Stage, $"the checkpoint is damaged and is not used ({damage}); {Name(job)} begins anew");
        if (from is null)
            return null;
        metrics.Keep(job.Loop, from.Step);
        if (!loop.Finished)
            progress.Note(job.Stage, $"resumed {Name(job)} at step {from.Step} of {loop.TotalSteps}");
        return from;
    }

    private IReadOnlyList<(string Name, double Value)> Advance(ITrainingLoop loop, TrainingJob job)
    {
        var before = loop.Step;
        IReadOnlyList<(string Name, double Value)> values;
        try
        {
            values = loop.Advance();
        }
        catch (RunFailedException e)
        {
            throw new RunFailedException($"{e.Message} {Kept(job)}", e);
        }
        if (loop.Step != before + 1)
            throw new InvalidOperationException($"{Name(job)}: a step led from {before} to {loop.Step}.");
        foreach (var (name, value) in values)
            if (!double.IsFinite(value))
                throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"{Name(job)}: {name} is {value} at step {loop.Step}; try a smaller learning rate or strength. {Kept(job)}"));
        return values;
    }

    private static string Kept(TrainingJob job) => File.Exists(job.CheckpointFile)
        ? $"The last good checkpoint is kept in {job.CheckpointFile}."
        : "No checkpoint had been written yet.";

    private static string Name(TrainingJob job) => job.Loop is null ? $"stage '{job.Stage}'" : $"stage '{job.Stage}', loop '{job.Loop}'";
}
