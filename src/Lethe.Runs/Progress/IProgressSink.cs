namespace Lethe.Runs;

/// <summary>How far a computation has come.</summary>
/// <param name="Stage">Its stage.</param>
/// <param name="Part">Which part of the stage; null if it has one only.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Total">Steps in all; it may end earlier.</param>
/// <param name="Rate">Steps a second of late; null where too little is known.</param>
/// <param name="Left">Time left at that rate; null where too little is known.</param>
/// <param name="Values">What was measured in the latest step.</param>
public sealed record StageProgress(string Stage, string? Part, long Step, long Total, double? Rate, TimeSpan? Left, IReadOnlyList<(string Name, double Value)> Values)
{
    /// <summary>What a step works through, such as ("tokens", 4096): the rate is told in it; null tells steps.</summary>
    public (string Unit, double PerStep)? Work { get; init; }
}

/// <summary>What a run is expected to take, shown before it begins.</summary>
/// <param name="Time">Wall-clock time; null where nothing is known.</param>
/// <param name="MemoryBytes">Peak memory; 0 where nothing is known.</param>
/// <param name="DiskBytes">Disk space in all; 0 where nothing is known.</param>
/// <param name="Basis">What the figures rest on, such as "a trial of 20 steps".</param>
public sealed record RunEstimate(TimeSpan? Time, long MemoryBytes, long DiskBytes, string Basis);

/// <summary>Who is told how a run goes. Calls come from one thread at a time; they return at once and never throw for want of a terminal.</summary>
public interface IProgressSink
{
    /// <summary>What the run is expected to take.</summary>
    void Estimated(RunEstimate estimate);

    /// <summary>A stage begins to compute.</summary>
    void StageStarted(string stage);

    /// <summary>A stage was not computed, since its artefact is there.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="source">Where it was found.</param>
    /// <param name="seconds">What it cost when it was computed.</param>
    void StageCached(string stage, ArtefactSource source, double seconds);

    /// <summary>A stage has computed its artefact.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="seconds">What it cost over all attempts.</param>
    void StageFinished(string stage, double seconds);

    /// <summary>A stage has come further; at most some ten times a second.</summary>
    void Advanced(StageProgress progress);

    /// <summary>Something worth knowing.</summary>
    void Note(string stage, string text);

    /// <summary>Something that was wrong and is mended, such as a damaged artefact.</summary>
    void Warn(string stage, string text);
}
