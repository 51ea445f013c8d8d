using System.Globalization;

namespace Lethe.Benchmarks.LanguageModels;

/// <summary>The memory of this process, and the most of it that was seen, looked at every two milliseconds.</summary>
internal sealed class ProcessMemory : IDisposable
{
    private readonly Thread watcher;
    private volatile bool stop;
    private long peak;

    public ProcessMemory()
    {
        watcher = new(() =>
        {
            while (!stop)
            {
                peak = Math.Max(peak, Anonymous);
                Thread.Sleep(2);
            }
        })
        { IsBackground = true };
        watcher.Start();
    }

    /// <summary>Bytes that belong to no file.</summary>
    public static long Anonymous => Read("RssAnon:");

    /// <summary>The most bytes that were resident, mapped files included, since the process began.</summary>
    public static long MostResident => Read("VmHWM:");

    /// <summary>The most anonymous bytes seen so far.</summary>
    public long Peak => Math.Max(peak, Anonymous);

    public void Dispose()
    {
        stop = true;
        watcher.Join();
    }

    private static long Read(string key)
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
            if (line.StartsWith(key, StringComparison.Ordinal))
                return 1024 * long.Parse(line[key.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
        throw new InvalidOperationException($"/proc/self/status has no {key}");
    }
}
