namespace Lethe.Runs.Tests;

/// <summary>Writes down what it is told.</summary>
public sealed class Recorder : IProgressSink
{
    public List<string> Lines { get; } = [];

    public List<StageProgress> Reports { get; } = [];

    public void Estimated(RunEstimate estimate) => Lines.Add(PlainProgress.Words(estimate));

    public void StageStarted(string stage) => Lines.Add($"started {stage}");

    public void StageCached(string stage, ArtefactSource source, double seconds) => Lines.Add($"cached {stage} {source}");

    public void StageFinished(string stage, double seconds) => Lines.Add($"finished {stage}");

    public void Advanced(StageProgress progress) => Reports.Add(progress);

    public void Note(string stage, string text) => Lines.Add($"note {stage}: {text}");

    public void Warn(string stage, string text) => Lines.Add($"warning {stage}: {text}");
}
