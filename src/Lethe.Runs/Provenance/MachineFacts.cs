using System.Reflection;
using System.Runtime.InteropServices;

namespace Lethe.Runs;

/// <summary>What a record says of the machine. No names of users, hosts or folders: records are passed on.</summary>
/// <param name="System">Operating system.</param>
/// <param name="Architecture">"x64" or "arm64".</param>
/// <param name="Processor">Name of the processor; "unknown" where the system does not say.</param>
/// <param name="Cores">Logical processors that the process may use.</param>
/// <param name="MemoryBytes">Memory that the process may use.</param>
/// <param name="Dotnet">The .NET runtime.</param>
/// <param name="Libtorch">Version of libtorch; null where none was loaded.</param>
/// <param name="Lethe">Version of Lethe.</param>
public sealed record MachineFacts(string System, string Architecture, string Processor, int Cores, long MemoryBytes, string Dotnet, string? Libtorch, string Lethe)
{
    /// <summary>Version of Lethe.</summary>
    public static string LetheVersion { get; } = typeof(MachineFacts).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>The facts of this machine.</summary>
    /// <param name="libtorch">Version of libtorch; null where none was loaded.</param>
    public static MachineFacts Here(string? libtorch) => new(
        RuntimeInformation.OSDescription,
        RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
        ProcessorName("/proc/cpuinfo"),
        Environment.ProcessorCount,
        ThisMachine.Instance.Memory,
        RuntimeInformation.FrameworkDescription,
        libtorch,
        LetheVersion);

    private static string ProcessorName(string cpuinfo) => (File.Exists(cpuinfo) ? File.ReadLines(cpuinfo) : [])
        .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown";
}
