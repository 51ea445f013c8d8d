using Lethe.Runs.Results;

namespace Lethe.Reports;

/// <summary>Everything that the report of an unlearning run is made of. The report shows what is here and computes nothing else.</summary>
/// <param name="Result">The run's result.json.</param>
public sealed record ReportInput(ImageUnlearnResult Result)
{
    /// <summary>The strength sweep around this run; null if there is none, and the section says so.</summary>
    public SweepResult? Sweep { get; init; }

    /// <summary>Samples before and after, as PNG images; null if none were kept.</summary>
    public SampleImages? Samples { get; init; }

    /// <summary>The resolved plan as text, shown as it is.</summary>
    public string? Plan { get; init; }

    /// <summary>SHA-256 of result.json, so that the page and the machine-readable result can be matched.</summary>
    public string? ResultDigest { get; init; }

    /// <summary>Other files of the run with their digests: plan, exported weights, data.</summary>
    public IReadOnlyList<FileDigest> Files { get; init; } = [];

    /// <summary>By what rules the box at the top is decided.</summary>
    public VerdictRules Rules { get; init; } = new();
}

/// <summary>A file of the run.</summary>
/// <param name="Name">Path inside the run folder, or what it is.</param>
/// <param name="Sha256">Its digest in hexadecimal.</param>
public sealed record FileDigest(string Name, string Sha256);

/// <summary>Samples of the model before and after: <see cref="SampleRows"/>, or <see cref="SampleSheets"/>.</summary>
public abstract record SampleImages
{
    private protected SampleImages() { }
}

/// <summary>One strip of samples for each condition: the report labels and marks each.</summary>
/// <param name="Rows">In the order in which they are shown.</param>
public sealed record SampleRows(IReadOnlyList<SampleRow> Rows) : SampleImages;

/// <summary>Samples of one condition, drawn from the same latents before and after.</summary>
/// <param name="Label">The condition.</param>
/// <param name="Before">A PNG: samples side by side.</param>
/// <param name="After">The same after.</param>
public sealed record SampleRow(int Label, ReadOnlyMemory<byte> Before, ReadOnlyMemory<byte> After);

/// <summary>One grid before and one after, whose rows are equally high and stand for conditions.</summary>
/// <param name="Before">A PNG.</param>
/// <param name="After">A PNG of the same layout.</param>
/// <param name="Labels">The condition of each row, from the top.</param>
public sealed record SampleSheets(ReadOnlyMemory<byte> Before, ReadOnlyMemory<byte> After, IReadOnlyList<int> Labels) : SampleImages;
