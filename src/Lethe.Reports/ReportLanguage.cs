using Lethe.Torch;

namespace Lethe.Reports;

/// <summary>The language of a report.</summary>
public enum ReportLanguage
{
    /// <summary>English: "en".</summary>
    English,
    /// <summary>Japanese: "ja".</summary>
    Japanese,
}

/// <summary>Languages by the codes that a user types.</summary>
public static class ReportLanguages
{
    /// <summary>The codes, for help texts.</summary>
    public static IReadOnlyList<string> Codes { get; } = ["en", "ja"];

    /// <summary>The language of a code.</summary>
    /// <exception cref="UsageException">The code names no language that reports are written in.</exception>
    public static ReportLanguage Parse(string code) => code switch
    {
        "en" => ReportLanguage.English,
        "ja" => ReportLanguage.Japanese,
        _ => throw new UsageException($"A report cannot be written in \"{code}\"; choose en (English) or ja (Japanese)."),
    };

    /// <summary>The code of a language, as in the page's lang attribute.</summary>
    public static string Code(this ReportLanguage language) => language switch
    {
        ReportLanguage.English => "en",
        ReportLanguage.Japanese => "ja",
        _ => throw new ArgumentOutOfRangeException(nameof(language), language, "No such language."),
    };
}
