using System.Diagnostics;
using System.Text.Json.Serialization;

namespace Lethe.Runs.Results;

/// <summary>result.json of an unlearning run: what all kinds have. Every key is documented in docs/metrics.md.</summary>
public abstract record UnlearnResult
{
    /// <summary>Version of this layout.</summary>
    [JsonPropertyOrder(-3)]
    public string Schema { get; init; } = "lethe.result/1";

    /// <summary>What kind of model was changed: "generative" or "language".</summary>
    [JsonPropertyOrder(-3)]
    public abstract string Kind { get; init; }

    /// <summary>Where and when it ran.</summary>
    [JsonPropertyOrder(-3)]
    public required RunFacts Run { get; init; }

    /// <summary>Time and memory.</summary>
    [JsonPropertyOrder(1)]
    public required CostResult Cost { get; init; }

    /// <summary>What this run did not test, as codes of <see cref="NotTestedCodes"/> that the report spells out.</summary>
    [JsonPropertyOrder(1)]
    public required IReadOnlyList<string> NotTested { get; init; }
}

/// <summary>Where and when a run took place.</summary>
/// <param name="Id">Name of the run folder.</param>
/// <param name="Started">UTC start of the first invocation.</param>
/// <param name="Finished">UTC end.</param>
/// <param name="Seed">The plan's seed.</param>
/// <param name="Threads">Threads that libtorch computed with.</param>
/// <param name="Device">"cpu" or "cuda:0".</param>
/// <param name="Libtorch">Version of libtorch.</param>
/// <param name="Lethe">Version of Lethe.</param>
/// <param name="Processor">Name of the processor.</param>
public sealed record RunFacts(string Id, DateTimeOffset Started, DateTimeOffset Finished, long Seed, int Threads, string Device, string Libtorch, string Lethe, string Processor);

/// <summary>What the run cost.</summary>
/// <param name="Seconds">Wall-clock seconds by stage; a stage taken from the cache has what it cost when it was computed.</param>
/// <param name="Cached">Stages that were not computed in this invocation but found.</param>
/// <param name="PeakMemoryBytes">Largest resident memory of the process.</param>
public sealed record CostResult(IReadOnlyDictionary<string, double> Seconds, IReadOnlyList<string> Cached, long PeakMemoryBytes)
{
    /// <summary>What a run's stages have cost so far.</summary>
    internal static CostResult Of(StageRunner runner)
    {
        using var process = Process.GetCurrentProcess();
        return new CostResult(
            runner.Artefacts.ToDictionary(artefact => artefact.Record.Stage, artefact => artefact.Record.Seconds),
            [.. runner.Artefacts.Where(artefact => artefact.Source != ArtefactSource.Computed).Select(artefact => artefact.Record.Stage)],
            process.PeakWorkingSet64);
    }
}
