using System.Text.RegularExpressions;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>How stages are run; none of it changes what comes out.</summary>
public sealed record StageRunnerOptions
{
    /// <summary>Artefacts shared with other runs; null to share none.</summary>
    public ArtefactCache? Cache { get; init; }

    /// <summary>Who is told how it goes.</summary>
    public IProgressSink Progress { get; init; } = SilentProgress.Instance;

    /// <summary>Clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Asks for a stop.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>How training loops are driven.</summary>
    public TrainingDriverOptions Training { get; init; } = new();

    /// <summary>How to resume after a stop: the end of a sentence.</summary>
    public string ResumeHint { get; init; } = "run the same command again to go on from there";

    /// <summary>What provenance.json says of the machine.</summary>
    public MachineFacts? Machine { get; init; }
}

/// <summary>
/// Runs the stages of a run one after another. A stage whose artefact the run's folder or the shared cache holds, whole and unchanged,
/// is not computed again; resuming after a kill is nothing else.
/// </summary>
public sealed partial class StageRunner : IDisposable
{
    private readonly RunFolder folder;
    private readonly StageRunnerOptions options;
    private readonly MetricsLog metrics;
    private readonly List<Artefact> artefacts = [];

    /// <summary>Prepares a run's folder for its stages.</summary>
    /// <param name="folder">The folder; stays the caller's.</param>
    /// <param name="options">How.</param>
    public StageRunner(RunFolder folder, StageRunnerOptions options)
    {
        this.folder = folder;
        this.options = options;
        Directory.CreateDirectory(folder.Paths.Stages);
        Directory.CreateDirectory(folder.Paths.Work);
        metrics = new MetricsLog(folder.Paths.Metrics, options.Time);
    }

    /// <summary>The artefacts of the stages run so far, in their order.</summary>
    public IReadOnlyList<Artefact> Artefacts => artefacts;

    /// <summary>Gives the artefact of a stage: found, or else computed.</summary>
    /// <param name="stage">The stage; its name is used once in a run.</param>
    /// <param name="compute">Writes the artefact's files. Called at most once, and not at all if the artefact is found.</param>
    /// <exception cref="RunCancelledException">The run was stopped.</exception>
    /// <exception cref="RunFailedException">A training loop failed, or the disk filled up.</exception>
    public Artefact Run(Stage stage, Action<StageWork> compute)
    {
        CheckName(stage.Name);
        if (artefacts.Any(earlier => earlier.Record.Stage == stage.Name))
            throw new InvalidOperationException($"The run has two stages called '{stage.Name}'.");
        if (options.Cancellation.IsCancellationRequested)
            throw new RunCancelledException($"Stopped before stage '{stage.Name}'. The stages before it are saved; {options.ResumeHint}.", options.Cancellation);
        metrics.Begin(stage.Name);
        var digest = stage.Digest;
        Artefact artefact;
        try
        {
            artefact = Find(stage, digest) ?? FindOrComputeAlone(stage, digest, compute);
        }
        catch (IOException e) when (e.HResult == NoSpace)
        {
            throw new RunFailedException($"Stage '{stage.Name}' stopped since the disk is full: {e.Message} Make room; then {options.ResumeHint}.", e);
        }
        metrics.End();
        metrics.Flush(toDisk: false);
        artefacts.Add(artefact);
        Provenance.Write(folder, artefacts, options.Machine);
        return artefact;
    }

    /// <summary>Ends the run: metrics.jsonl ends with the last stage, artefacts of stages that the run no longer has are removed, and so is unfinished work.</summary>
    public void Complete()
    {
        metrics.Cut();
        metrics.Flush(toDisk: true);
        foreach (var stale in Directory.GetDirectories(folder.Paths.Stages).Where(stale => artefacts.All(artefact => artefact.Record.Stage != Path.GetFileName(stale))))
            FolderTree.Remove(stale);
        FolderTree.Remove(folder.Paths.Work);
    }

    /// <inheritdoc/>
    public void Dispose() => metrics.Dispose();

    internal static string CheckName(string name) => NameForm().IsMatch(name)
        ? name
        : throw new ArgumentException($"'{name}' must be lower-case letters, digits and dashes: it names a file.", nameof(name));

    /// <summary>The artefact in the run's own folder.</summary>
    private Artefact? Find(Stage stage, string digest)
    {
        var found = Artefact.TryOpen(folder.Paths.Stage(stage.Name), digest, ArtefactSource.Run, out var damage);
        if (damage is not null)
            options.Progress.Warn(stage.Name, $"the artefact in {folder.Paths.Stage(stage.Name)} is damaged and is made again: {damage}");
        // A process killed after an artefact was complete and before it had its name.
        if (found is null && Artefact.TryOpen(FilesOf(stage.Name, digest), digest, ArtefactSource.Run, out _) is { } complete)
            found = Commit(complete, stage.Name, digest);
        if (found is null)
            return null;
        // A process killed before it had shared what it made, or a cache that has been emptied since.
        if (stage.Shared)
            options.Cache?.Offer(found);
        return Reuse(found);
    }

    private Artefact FindOrComputeAlone(Stage stage, string digest, Action<StageWork> compute)
    {
        if (!stage.Shared || options.Cache is not { } cache)
            return Compute(stage, digest, compute);
        using var alone = Take(cache, stage, digest);
        var cached = cache.TryOpen(digest, out var damage);
        if (damage is not null)
            options.Progress.Warn(stage.Name, $"the artefact in the cache is damaged and is made again: {damage}");
        if (cached is not null)
        {
            var files = Empty(FilesOf(stage.Name, digest));
            cached.LinkInto(files);
            return Reuse(Commit(cached with { Folder = files }, stage.Name, digest));
        }
        var computed = Compute(stage, digest, compute);
        cache.Add(computed, replace: damage is not null);
        return computed;
    }

    private FileLock Take(ArtefactCache cache, Stage stage, string digest)
    {
        try
        {
            return cache.Take(digest, holder => options.Progress.Note(stage.Name, $"waiting for {holder}, which computes the same"), options.Cancellation);
        }
        catch (OperationCanceledException)
        {
            throw new RunCancelledException($"Stopped while stage '{stage.Name}' waited for another run. The stages before it are saved; {options.ResumeHint}.", options.Cancellation);
        }
    }

    private Artefact Compute(Stage stage, string digest, Action<StageWork> compute)
    {
        options.Progress.StageStarted(stage.Name);
        var started = options.Time.GetTimestamp();
        var files = Empty(FilesOf(stage.Name, digest));
        // What an attempt with another digest left is of no use any more.
        foreach (var stale in Directory.GetDirectories(Path.Combine(folder.Paths.Work, stage.Name)).Where(stale => stale != WorkOf(stage.Name, digest)))
            FolderTree.Remove(stale);
        var work = new StageWork(stage, WorkOf(stage.Name, digest), metrics, options);
        compute(work);
        foreach (var reserved in new[] { Artefact.RecordName, Artefact.MetricsName })
            if (File.Exists(Path.Combine(files, reserved)))
                throw new InvalidOperationException($"Stage '{stage.Name}' wrote {reserved}, a name that every artefact uses for itself.");
        metrics.Flush(toDisk: true);
        if (metrics.End() is { Length: > 0 } lines)
            File.WriteAllBytes(Path.Combine(files, Artefact.MetricsName), lines);
        var seconds = work.EarlierSeconds + options.Time.GetElapsedTime(started).TotalSeconds;
        Artefact.Seal(files, stage, seconds, options.Time.GetUtcNow());
        var sealedOne = Artefact.TryOpen(files, digest, ArtefactSource.Computed, out var damage)
            ?? throw new RunFailedException($"The artefact of stage '{stage.Name}' does not read back as it was written: {damage ?? "its record is missing"}. Check the disk under {files}.");
        var artefact = Commit(sealedOne, stage.Name, digest);
        options.Progress.StageFinished(stage.Name, seconds);
        return artefact;
    }

    /// <summary>Gives a complete artefact its name in the run.</summary>
    private Artefact Commit(Artefact complete, string name, string digest)
    {
        var place = folder.Paths.Stage(name);
        if (Directory.Exists(place))
        {
            // Folders cannot be exchanged in one step; a kill in between finds the complete artefact where it is now.
            var old = Path.Combine(WorkOf(name, digest), "replaced");
            FolderTree.Remove(old);
            FolderTree.Move(place, old);
        }
        FolderTree.Move(complete.Folder, place);
        FolderTree.Remove(Path.Combine(folder.Paths.Work, name));
        return complete with { Folder = place };
    }

    private Artefact Reuse(Artefact artefact)
    {
        var lines = Path.Combine(artefact.Folder, Artefact.MetricsName);
        if (artefact.Record.Files.Any(file => file.Name == Artefact.MetricsName))
            metrics.Copy(File.ReadAllBytes(lines));
        options.Progress.StageCached(artefact.Record.Stage, artefact.Source, artefact.Record.Seconds);
        return artefact;
    }

    private string WorkOf(string name, string digest) => Path.Combine(folder.Paths.Work, name, digest[..16]);

    private string FilesOf(string name, string digest) => Path.Combine(WorkOf(name, digest), "files");

    private static string Empty(string path)
    {
        FolderTree.Remove(path);
        Directory.CreateDirectory(path);
        return path;
    }

    /// <summary>ENOSPC, which .NET passes through as it is on Linux.</summary>
    private const int NoSpace = 28;

    [GeneratedRegex("^[a-z0-9]+(-[a-z0-9]+)*$", RegexOptions.CultureInvariant)]
    private static partial Regex NameForm();
}
