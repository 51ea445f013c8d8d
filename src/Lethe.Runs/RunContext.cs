using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>What a pipeline is given besides its plan.</summary>
public sealed record RunContext
{
    /// <summary>The folder that runs are made in.</summary>
    public string RunsFolder { get; init; } = "runs";

    /// <summary>The run's own folder; null names it after plan and digest.</summary>
    public string? RunFolder { get; init; }

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
}
