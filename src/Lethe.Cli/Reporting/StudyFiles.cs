using System.Text.Json;
using Lethe.Formats;
using Lethe.Reports;
using Lethe.Runs.Language.Studies;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Cli.Reporting;

/// <summary>A study's folder: its result, and the chart and page made of it.</summary>
public static class StudyFiles
{
    /// <summary>Whether a folder is that of a finished study.</summary>
    public static bool Holds(string folder) => File.Exists(StudyPipeline.FileOf(folder));

    /// <summary>Reads a study.</summary>
    /// <exception cref="BadInputException">Its result is damaged.</exception>
    public static StudyResult Read(string folder)
    {
        var file = StudyPipeline.FileOf(folder);
        try
        {
            return JsonSerializer.Deserialize<StudyResult>(File.ReadAllBytes(file), ResultJson.Options) ?? throw new BadInputException($"{file} is empty; it has to hold a study that Lethe wrote.");
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            throw new BadInputException($"{file} is no study that this version of Lethe wrote: {error.Message}", error);
        }
    }

    /// <summary>Writes the page.</summary>
    /// <param name="folder">The study's folder.</param>
    /// <param name="study">The study.</param>
    /// <param name="language">Language of the page.</param>
    /// <param name="output">The page's file; null for study.html, or study.ja.html, in the folder.</param>
    /// <returns>The page's file.</returns>
    /// <exception cref="UsageException">The file cannot be written.</exception>
    public static string Write(string folder, StudyResult study, ReportLanguage language, string? output = null)
    {
        var file = output ?? Path.Combine(folder, language == ReportLanguage.English ? "study.html" : $"study.{language.Code()}.html");
        AtomicFile.WriteAllText(file, StudyReport.Render(study, language));
        return file;
    }
}
