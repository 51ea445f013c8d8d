using System.Text.Json;
using Lethe.Formats;
using Lethe.Runs.Results;

namespace Lethe.Runs;

/// <summary>provenance.json: what a run computed from what. Every digest in it can be checked against the files of the run's folder.</summary>
public sealed record Provenance
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.provenance/1";

    /// <summary>The run's name.</summary>
    public required string Run { get; init; }

    /// <summary>Digest of the plan.</summary>
    public required string PlanDigest { get; init; }

    /// <summary>The stages in the order in which they ran.</summary>
    public required IReadOnlyList<ProvenanceStage> Stages { get; init; }

    /// <summary>The machine of the latest invocation; null where the caller did not say.</summary>
    public MachineFacts? Machine { get; init; }

    internal static void Write(RunFolder folder, IReadOnlyList<Artefact> artefacts, MachineFacts? machine)
    {
        var provenance = new Provenance
        {
            Run = folder.Paths.Id,
            PlanDigest = folder.Plan.Digest,
            Stages = [.. artefacts.Select(ProvenanceStage.Of)],
            Machine = machine,
        };
        AtomicFile.Write(folder.Paths.Provenance, stream => JsonSerializer.Serialize(stream, provenance, ResultJson.Options));
    }
}

/// <summary>One stage of a run's provenance.</summary>
/// <param name="Name">The stage.</param>
/// <param name="Method">The method that computed it.</param>
/// <param name="Version">Version of the method.</param>
/// <param name="Digest">Digest of the stage: everything that it was computed from.</param>
/// <param name="Content">Digest of what came out.</param>
/// <param name="Inputs">What it was computed from.</param>
/// <param name="Environment">What the numbers depend on besides.</param>
/// <param name="Seconds">What it cost when it was computed.</param>
/// <param name="Computed">UTC time at which it was complete.</param>
/// <param name="Lethe">Version of Lethe that computed it.</param>
/// <param name="Source">Where the latest invocation had it from.</param>
/// <param name="Files">Its files below stages/&lt;name&gt;.</param>
public sealed record ProvenanceStage(string Name, string Method, int Version, string Digest, string Content, IReadOnlyList<StageInput> Inputs, EnvironmentFacts Environment,
    double Seconds, DateTimeOffset Computed, string Lethe, ArtefactSource Source, IReadOnlyList<ArtefactFile> Files)
{
    internal static ProvenanceStage Of(Artefact artefact)
    {
        var record = artefact.Record;
        return new(record.Stage, record.Method, record.Version, record.Digest, record.Content, record.Inputs, record.Environment, record.Seconds, record.Computed, record.Lethe, artefact.Source, record.Files);
    }
}
