namespace Lethe.Runs;

/// <summary>Tells nobody.</summary>
public sealed class SilentProgress : IProgressSink
{
    /// <summary>The one there needs to be.</summary>
    public static SilentProgress Instance { get; } = new();

    private SilentProgress() { }

    /// <inheritdoc/>
    public void Estimated(RunEstimate estimate) { }

    /// <inheritdoc/>
    public void StageStarted(string stage) { }

    /// <inheritdoc/>
    public void StageCached(string stage, ArtefactSource source, double seconds) { }

    /// <inheritdoc/>
    public void StageFinished(string stage, double seconds) { }

    /// <inheritdoc/>
    public void Advanced(StageProgress progress) { }

    /// <inheritdoc/>
    public void Note(string stage, string text) { }

    /// <inheritdoc/>
    public void Warn(string stage, string text) { }
}
