using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports.Sections;

/// <summary>What every section of a report draws on.</summary>
/// <param name="Input">The run.</param>
/// <param name="Texts">The language.</param>
/// <param name="Verdict">What the figures say.</param>
internal sealed record ReportContext(ReportInput Input, Texts Texts, Verdict Verdict)
{
    /// <summary>The figures.</summary>
    public ImageUnlearnResult Result => Input.Result;

    /// <summary>The name of a condition.</summary>
    public string Name(int label) => Result.Request.Labels[label];

    /// <summary>The condition's part in the run.</summary>
    public string Role(int label) => Result.Classes.First(c => c.Label == label).Role;

    /// <summary>Whether the condition is forgotten.</summary>
    public bool IsForgotten(int label) => Role(label) == Roles.Forgotten;
}
