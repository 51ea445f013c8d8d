using System.Diagnostics;

namespace Lethe.Benchmarks;

/// <summary>One measurement, run by its name; prints what it finds, peers and ratios beside it.</summary>
internal sealed record Benchmark(string Name, string Purpose, Action<string[]> Run);

/// <summary>Measuring time.</summary>
internal static class Clock
{
    /// <summary>Seconds that one call takes: the fastest of several rounds, after a warm-up. The fastest, because noise only ever adds.</summary>
    public static double Best(int rounds, int calls, Action action)
    {
        for (var k = 0; k < calls; k++)
            action();
        var best = double.MaxValue;
        for (var round = 0; round < rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var k = 0; k < calls; k++)
                action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds / calls);
        }
        return best;
    }
}
