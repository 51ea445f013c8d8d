using System.Text.Json.Serialization;
using Lethe.Runs.Results;

namespace Lethe.Runs;

/// <summary>result.json of a training run: what all kinds have.</summary>
/// <param name="Kind">The plan's kind.</param>
/// <param name="Title">The plan's title.</param>
/// <param name="Run">Where and when.</param>
/// <param name="ModelDigest">SHA-256 of the weights.</param>
/// <param name="Cost">Time and memory.</param>
public abstract record TrainResult(
    [property: JsonPropertyOrder(-1)] string Kind, [property: JsonPropertyOrder(-1)] string Title, [property: JsonPropertyOrder(-1)] RunFacts Run, [property: JsonPropertyOrder(-1)] string ModelDigest,
    [property: JsonPropertyOrder(1)] CostResult Cost)
{
    /// <summary>Version of this layout.</summary>
    [JsonPropertyOrder(-2)]
    public string Schema { get; init; } = "lethe.train/1";

    /// <summary>What came out, a line for each thing that a reader wants to know first.</summary>
    public abstract IReadOnlyList<string> Summary();

    /// <summary>Values along the steps that are worth a picture; empty for none.</summary>
    public virtual IReadOnlyList<TrainCurve> Curves() => [];
}

/// <summary>A value along the steps of training.</summary>
/// <param name="Name">What it is, as a chart names it.</param>
/// <param name="Points">Steps and values, ascending.</param>
public sealed record TrainCurve(string Name, IReadOnlyList<(double Step, double Value)> Points);
