using System.Globalization;
using System.Text;

namespace Lethe.Runs;

/// <summary>Progress as lines of text, for logs and wherever there is no terminal: a line every few seconds.</summary>
/// <param name="writer">Where lines go; standard error.</param>
/// <param name="time">Clock.</param>
/// <param name="interval">Time between lines of one stage; 5 s if null.</param>
public sealed class PlainProgress(TextWriter writer, TimeProvider time, TimeSpan? interval = null) : IProgressSink
{
    private const int MostMeasures = 6;

    private readonly TimeSpan interval = interval ?? TimeSpan.FromSeconds(5);
    private long told = time.GetTimestamp();

    /// <inheritdoc/>
    public void Estimated(RunEstimate estimate) => writer.WriteLine(Words(estimate));

    /// <inheritdoc/>
    public void StageStarted(string stage)
    {
        told = time.GetTimestamp();
        writer.WriteLine($"{stage}: started");
    }

    /// <inheritdoc/>
    public void StageCached(string stage, ArtefactSource source, double seconds) =>
        writer.WriteLine($"{stage}: taken from {(source == ArtefactSource.Run ? "this run" : "the cache")}, saved {Duration(TimeSpan.FromSeconds(seconds))}");

    /// <inheritdoc/>
    public void StageFinished(string stage, double seconds) => writer.WriteLine($"{stage}: finished in {Duration(TimeSpan.FromSeconds(seconds))}");

    /// <inheritdoc/>
    public void Advanced(StageProgress progress)
    {
        if (time.GetElapsedTime(told) < interval)
            return;
        told = time.GetTimestamp();
        writer.WriteLine(Words(progress));
    }

    /// <inheritdoc/>
    public void Note(string stage, string text) => writer.WriteLine($"{stage}: {text}");

    /// <inheritdoc/>
    public void Warn(string stage, string text) => writer.WriteLine($"{stage}: warning: {text}");

    /// <summary>An estimate in one line.</summary>
    public static string Words(RunEstimate estimate)
    {
        var parts = new List<string>();
        if (estimate.Time is { } expected)
            parts.Add($"about {Duration(expected)}");
        if (estimate.MemoryBytes > 0)
            parts.Add($"{ByteSize.Words(estimate.MemoryBytes)} of memory");
        if (estimate.DiskBytes > 0)
            parts.Add($"{ByteSize.Words(estimate.DiskBytes)} of disk");
        return parts.Count == 0 ? $"expected: unknown ({estimate.Basis})" : $"expected: {string.Join(", ", parts)} ({estimate.Basis})";
    }

    /// <summary>Progress in one line.</summary>
    public static string Words(StageProgress progress)
    {
        var line = new StringBuilder(progress.Stage);
        if (progress.Part is not null)
            line.Append(" (").Append(progress.Part).Append(')');
        line.Append(CultureInfo.InvariantCulture, $": step {progress.Step} of {progress.Total}");
        if (progress is { Rate: { } pace, Work: { } work })
            line.Append(CultureInfo.InvariantCulture, $", {pace * work.PerStep:N0} {work.Unit}/s");
        else if (progress.Rate is { } rate)
            line.Append(CultureInfo.InvariantCulture, $", {(rate >= 1 ? $"{rate.ToString(rate >= 10 ? "F0" : "F1", CultureInfo.InvariantCulture)} steps/s" : $"{(1 / rate).ToString("F1", CultureInfo.InvariantCulture)} s/step")}");
        if (progress.Left is { } left)
            line.Append($", {Duration(left)} left");
        // A line holds no more; metrics.jsonl has them all.
        foreach (var (name, value) in progress.Values.Take(MostMeasures))
            line.Append(CultureInfo.InvariantCulture, $", {name} {value:G5}");
        return line.ToString();
    }

    /// <summary>"0.4 s", "12 s", "3 min 20 s", "2 h 05 min".</summary>
    public static string Duration(TimeSpan duration)
    {
        var seconds = duration.TotalSeconds;
        if (seconds < 9.95)
            return seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";
        var whole = (long)Math.Round(seconds);
        return whole < 60 ? $"{whole} s"
            : whole < 3600 ? $"{whole / 60} min {whole % 60:00} s"
            : $"{whole / 3600} h {whole % 3600 / 60:00} min";
    }
}
