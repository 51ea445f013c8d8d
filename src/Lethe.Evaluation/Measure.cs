namespace Lethe.Evaluation;

/// <summary>Which direction of a measure is better.</summary>
public enum Better
{
    /// <summary>Neither: a description, not a goal.</summary>
    Neither,
    /// <summary>The higher the better.</summary>
    Higher,
    /// <summary>The lower the better.</summary>
    Lower,
}

/// <summary>A range that holds the true value with the stated confidence.</summary>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
/// <param name="Confidence">Share of 1; 0.95 unless said otherwise.</param>
/// <param name="Kind">
/// How it was computed: "normal", "student", "wilson", "clopper-pearson", "percentile" or "bca" (bootstrap), "jackknife", "newcombe", "fisher-z".
/// </param>
public sealed record Interval(double Low, double High, double Confidence = 0.95, string Kind = "normal");

/// <summary>What a metric returns: a value, how sure it is, over how many items, and which direction is better.</summary>
/// <param name="Value">The value; shares are of 1, likelihoods in nats an image unless the metric says otherwise.</param>
/// <param name="N">Number of items behind the value.</param>
/// <param name="StandardError">Standard error of the value; null where none is defined.</param>
/// <param name="Interval">Interval of the value; null where none is defined.</param>
/// <param name="Better">Which direction is better.</param>
public sealed record Measure(double Value, long N, double? StandardError = null, Interval? Interval = null, Better Better = Better.Neither)
{
    /// <summary>The value of each item, where the metric is a mean over items; not written to result.json.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public IReadOnlyList<double>? Items { get; init; }
}
