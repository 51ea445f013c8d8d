namespace Lethe.Runs;

/// <summary>
/// Steps a second of late, so that the time left follows a machine that grows slower or faster: over the last half minute, or over several of the longest waits where
/// steps come in bursts, as from a buffer that is filled now and then.
/// </summary>
/// <param name="time">Clock.</param>
/// <param name="step">The step that is done when the meter starts.</param>
public sealed class RateMeter(TimeProvider time, long step)
{
    private const double LeastSeconds = 30, WaitsInWindow = 4;

    private readonly Queue<(long Time, long Step)> marks = new([(time.GetTimestamp(), step)]);
    private double longest;
    private long last = time.GetTimestamp();

    /// <summary>Marks a step and says how far things are.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="part">Which part of it; null if it has one only.</param>
    /// <param name="done">Steps done.</param>
    /// <param name="total">Steps in all.</param>
    /// <param name="values">What was measured.</param>
    public StageProgress Progress(string stage, string? part, long done, long total, IReadOnlyList<(string Name, double Value)> values)
    {
        var now = time.GetTimestamp();
        longest = Math.Max(longest, time.GetElapsedTime(last, now).TotalSeconds);
        last = now;
        marks.Enqueue((now, done));
        while (marks.Count > 2 && time.GetElapsedTime(marks.Peek().Time, now).TotalSeconds > Math.Max(LeastSeconds, WaitsInWindow * longest))
            marks.Dequeue();
        var (since, first) = marks.Peek();
        var seconds = time.GetElapsedTime(since, now).TotalSeconds;
        double? rate = done > first && seconds > 0 ? (done - first) / seconds : null;
        // A rate of one step in days would overflow a TimeSpan; nobody plans with such a figure.
        var left = rate is { } known && (total - done) / known is var secondsLeft and < 1e9 ? TimeSpan.FromSeconds(secondsLeft) : (TimeSpan?)null;
        return new StageProgress(stage, part, done, total, rate, left, values);
    }
}
