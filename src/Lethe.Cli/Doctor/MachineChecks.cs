using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Lethe.Cli.Doctor;

/// <summary>What the machine offers: runtime, processor, memory, disk.</summary>
public static class MachineChecks
{
    // The demo's process peaks below 1 GiB, libtorch's own libraries included.
    private const double LeastMemory = 1;

    // Packages, build and the demo's run folder together stay below this.
    private const double LeastDisk = 2;

    private const double Gibibyte = 1L << 30;

    /// <summary>The .NET runtime that runs this.</summary>
    public static Finding Runtime() => new(".NET", FindingState.Ok, $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.RuntimeIdentifier}");

    /// <summary>Cores and the widest vectors that libtorch can use.</summary>
    public static Finding Processor()
    {
        var vectors = Avx512F.IsSupported ? ", AVX-512" : Avx2.IsSupported ? ", AVX2" : "";
        var cores = Environment.ProcessorCount;
        return new("processor", FindingState.Ok, $"{cores} {(cores == 1 ? "core" : "cores")}, {RuntimeInformation.ProcessArchitecture}{vectors}");
    }

    /// <summary>Memory that is free for use, GiB.</summary>
    /// <param name="meminfo">Text of /proc/meminfo.</param>
    public static Finding Memory(string meminfo)
    {
        var (total, available) = (Field(meminfo, "MemTotal:"), Field(meminfo, "MemAvailable:"));
        if (total is null || available is null)
            return new("memory", FindingState.Warning, "unknown: /proc/meminfo has no MemTotal and MemAvailable");
        // A container may have less than the machine; the runtime knows its limit.
        var limit = Math.Min(total.Value, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Gibibyte);
        var usable = Math.Min(available.Value, limit);
        return AtLeast("memory", usable, LeastMemory, string.Create(CultureInfo.InvariantCulture, $"{usable:F1} GiB available of {limit:F1}"), "close other programs");
    }

    /// <summary>Free disk space at a folder, and whether it can be written.</summary>
    public static Finding Disk(string folder)
    {
        var free = new DriveInfo(folder).AvailableFreeSpace / Gibibyte;
        return AtLeast("disk", free, LeastDisk, string.Create(CultureInfo.InvariantCulture, $"{free:F1} GiB free at {folder}"), "free some, or work in a folder on another disk");
    }

    private static Finding AtLeast(string name, double value, double least, string found, string advice) => value >= least
        ? new(name, FindingState.Ok, found)
        : new(name, FindingState.Warning, found, string.Create(CultureInfo.InvariantCulture, $"The demo wants {least:F0} GiB: {advice}."));

    /// <summary>A field of /proc/meminfo, which counts in kibibytes; GiB.</summary>
    private static double? Field(string meminfo, string name)
    {
        var line = meminfo.Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line is not null && double.TryParse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture, out var kibibytes)
            ? kibibytes * 1024 / Gibibyte
            : null;
    }
}
