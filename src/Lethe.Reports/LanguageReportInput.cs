using Lethe.Runs.Results;

namespace Lethe.Reports;

/// <summary>Everything that the report of an unlearning run on a language model is made of. The report shows what is here and computes nothing else.</summary>
/// <param name="Result">The run's result.json.</param>
public sealed record LanguageReportInput(LanguageUnlearnResult Result)
{
    /// <summary>The resolved plan as text, shown as it is.</summary>
    public string? Plan { get; init; }

    /// <summary>SHA-256 of result.json.</summary>
    public string? ResultDigest { get; init; }

    /// <summary>Other files of the run with their digests.</summary>
    public IReadOnlyList<FileDigest> Files { get; init; } = [];

    /// <summary>By what rules the box at the top is decided.</summary>
    public LanguageVerdictRules Rules { get; init; } = new();
}
