using System.Diagnostics;

namespace Lethe.Benchmarks;

/// <summary>One measurement, run by its name; prints what it finds, peers and ratios beside it.</summary>
internal sealed record Benchmark(string Name, string Purpose, Action<string[]> Run);

/// <summary>Measuring time.</summary>
internal static class Clock
{
    /// <summary>Seconds that one call takes: the fastest of several rounds, after a warm-up. The fastest, because noise only ever adds.</summary>
    /// <param name="rounds">How often the calls are timed.</param>
    /// <param name="calls">Calls in a round.</param>
    /// <param name="action">What is timed.</param>
    /// <param name="finish">Waits for what the calls have started, on devices that work by themselves.</param>
    public static double Best(int rounds, int calls, Action action, Action? finish = null)
    {
        for (var k = 0; k < calls; k++)
            action();
        finish?.Invoke();
        var best = double.MaxValue;
        for (var round = 0; round < rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var k = 0; k < calls; k++)
                action();
            finish?.Invoke();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds / calls);
        }
        return best;
    }
}
