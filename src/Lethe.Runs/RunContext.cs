using Lethe.Runs.Language.Unlearning;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>What a pipeline is given besides its plan.</summary>
public sealed record RunContext
{
    /// <summary>The folder that runs are made in.</summary>
    public string RunsFolder { get; init; } = "runs";

    /// <summary>The run's own folder; null names it after plan and digest.</summary>
    public string? RunFolder { get; init; }

    /// <summary>The folder that the run lies in, where those lie too that it needs first.</summary>
    internal string BesideRun => Beside ?? (RunFolder is null ? RunsFolder : Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(RunFolder)))!);

    /// <summary>That folder, where it is not the one around the run's: the points of a sweep have what they need beside the sweep. null for that around the run's.</summary>
    internal string? Beside { get; init; }

    /// <summary>Runs that other runs need first and that this process has seen through; contexts made of this one share it.</summary>
    internal HashSet<string> Trained { get; } = [];

    /// <summary>Whether to wait where another process works in the run's folder, as two may that need the same run first.</summary>
    internal bool WaitsForFolder { get; init; }

    /// <summary>The cache that the run shares with others; null for <see cref="ArtefactCache.DefaultFolder"/>.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>Who is told how it goes.</summary>
    public IProgressSink Progress { get; init; } = SilentProgress.Instance;

    /// <summary>Asks for a stop.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Where tensors live.</summary>
    public Device Device { get; init; } = Device.Cpu;

    /// <summary>Clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How training loops are driven.</summary>
    public TrainingDriverOptions Training { get; init; } = new();

    /// <summary>How to resume after a stop: the end of a sentence.</summary>
    public string ResumeHint { get; init; } = "run the same command again to go on from there";

    /// <summary>Slices of language models that the runs of a sweep share; null where a run stands alone.</summary>
    internal SlicePool? Slices { get; init; }

    /// <summary>Opens the run's folder.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="plan">The run's plan.</param>
    /// <param name="neededBytes">Disk space that the run is expected to take.</param>
    internal RunFolder Open(string path, IPlan plan, long neededBytes)
    {
        var told = false;
        return Lethe.Runs.RunFolder.Open(path, plan, neededBytes, time: Time, wait: !WaitsForFolder ? null : holder =>
        {
            if (!told)
                Progress.Note("prerequisite", $"waiting for {holder}, which works in {path}");
            told = true;
            if (Cancellation.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(200)))
                throw new RunCancelledException($"Stopped while waiting for {path}; {ResumeHint}.", Cancellation);
        });
    }

    /// <summary>Runs the stages of a run.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="path">Where it is; the cache lies beside it unless another is named.</param>
    internal StageRunner Runner(RunFolder folder, string path) => new(folder, new StageRunnerOptions
    {
        Cache = new ArtefactCache(CacheFolder ?? ArtefactCache.DefaultFolder(path), Time),
        Progress = Progress,
        Time = Time,
        Cancellation = Cancellation,
        Training = Training,
        ResumeHint = ResumeHint,
        Machine = MachineFacts.Here(Engine.Version),
    });

    /// <summary>Where and when a run took place, as of now.</summary>
    /// <param name="id">What it is called.</param>
    /// <param name="started">When it began.</param>
    /// <param name="seed">Its seed.</param>
    internal RunFacts Facts(string id, DateTimeOffset started, long seed) =>
        new(id, started, Time.GetUtcNow(), seed, Engine.Threads, Device.ToString(), Engine.Version, MachineFacts.LetheVersion, MachineFacts.Here(Engine.Version).Processor);
}
