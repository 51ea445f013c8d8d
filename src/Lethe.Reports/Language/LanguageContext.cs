using Lethe.Reports.Wording;
using Lethe.Runs.Results;

namespace Lethe.Reports.Language;

/// <summary>What every section of a language model's report draws on.</summary>
/// <param name="Input">The run.</param>
/// <param name="Texts">The language.</param>
/// <param name="Verdict">What the figures say.</param>
internal sealed record LanguageContext(LanguageReportInput Input, Texts Texts, LanguageVerdict Verdict)
{
    /// <summary>The figures.</summary>
    public LanguageUnlearnResult Result => Input.Result;

    /// <summary>Whether a model that never knew stands beside before and after.</summary>
    public bool HasNeverKnew => Result.Request.NeverKnew is not null;
}
