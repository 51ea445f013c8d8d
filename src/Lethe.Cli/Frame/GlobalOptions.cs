using System.CommandLine;
using Lethe.Torch;

namespace Lethe.Cli.Frame;

/// <summary>The values of the options that every verb has.</summary>
/// <param name="Json">Print one JSON document on stdout.</param>
/// <param name="Quiet">Say nothing about progress.</param>
/// <param name="Threads">Threads for tensor work; null where it was not given.</param>
/// <param name="Device">Where tensors live; null for the processor.</param>
/// <param name="Seed">Seed that replaces the plan's; null keeps the plan's.</param>
public sealed record GlobalValues(bool Json, bool Quiet, int? Threads, Device? Device, long? Seed)
{
    /// <summary>Threads for tensor work: as asked, else one for each core that the process may use.</summary>
    public int ThreadsOrCores => Threads ?? Environment.ProcessorCount;
}

/// <summary>The options that every verb has.</summary>
public sealed class GlobalOptions
{
    /// <summary>More threads than any machine of today has cores for.</summary>
    public const int MostThreads = 1024;

    /// <summary>Prints how a verb is used.</summary>
    public Option<bool> Help { get; } = Typed.Flag("--help", "Show this help; it installs nothing.", "-h");

    /// <summary>Prints one JSON document.</summary>
    public Option<bool> Json { get; } = Typed.Flag("--json", "Print exactly one JSON document on stdout, also for an error; progress goes to stderr.");

    /// <summary>Says nothing about progress.</summary>
    public Option<bool> Quiet { get; } = Typed.Flag("--quiet", "No progress on stderr; errors and results stay.");

    /// <summary>Number of threads.</summary>
    public Option<long?> Threads { get; } = Typed.Whole("--threads", "N", 1, MostThreads, "Threads for tensor work; default: the number of cores.");

    /// <summary>Device.</summary>
    public Option<Device?> Device { get; } = Typed.Parsed<Device>("--device", "cpu|cuda[:i]", text => Torch.Device.Parse(text), "Where tensors live; default: cpu.");

    /// <summary>Seed.</summary>
    public Option<long?> Seed { get; } = Typed.Whole("--seed", "N", 0, long.MaxValue, "Seed in place of the plan's; default: the plan's. The same seed, threads and libtorch give the same numbers.");

    /// <summary>All of them, in the order in which help shows them.</summary>
    public IReadOnlyList<Option> All => [Json, Quiet, Threads, Device, Seed, Help];

    /// <summary>Their values in a parsed command line.</summary>
    public GlobalValues Read(ParseResult parsed) => new(
        parsed.GetValue(Json), parsed.GetValue(Quiet), (int?)parsed.GetValue(Threads), parsed.GetValue(Device), parsed.GetValue(Seed));
}
