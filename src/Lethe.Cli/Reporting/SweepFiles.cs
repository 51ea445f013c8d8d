using System.Text.Json;
using Lethe.Formats;
using Lethe.Reports;
using Lethe.Runs;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Cli.Reporting;

/// <summary>A sweep's folder: its result, and the chart and page made of it.</summary>
public static class SweepFiles
{
    /// <summary>Whether a folder is that of a finished sweep.</summary>
    public static bool Holds(string folder) => File.Exists(SweepPipeline.FileOf(folder));

    /// <summary>Reads a sweep.</summary>
    /// <exception cref="BadInputException">The folder holds no finished sweep, or its result is damaged.</exception>
    public static SweepResult Read(string folder)
    {
        var file = SweepPipeline.FileOf(folder);
        if (!File.Exists(file))
            throw new BadInputException($"{folder} holds no finished sweep: there is no sweep.json in it. Name the folder of a sweep whose points are all finished.");
        try
        {
            return JsonSerializer.Deserialize<SweepResult>(File.ReadAllBytes(file), ResultJson.Options) ?? throw new BadInputException($"{file} is empty; it has to hold a sweep that Lethe wrote.");
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            throw new BadInputException($"{file} is no sweep that this version of Lethe wrote: {error.Message}", error);
        }
    }

    /// <summary>Writes trade-off.svg, in English, and the page.</summary>
    /// <param name="folder">The sweep's folder.</param>
    /// <param name="sweep">The sweep.</param>
    /// <param name="language">Language of the page.</param>
    /// <param name="output">The page's file; null for sweep.html, or sweep.ja.html, in the folder.</param>
    /// <returns>The page's file.</returns>
    /// <exception cref="UsageException">A file cannot be written.</exception>
    public static string Write(string folder, SweepResult sweep, ReportLanguage language, string? output = null)
    {
        var file = output ?? Path.Combine(folder, language == ReportLanguage.English ? "sweep.html" : $"sweep.{language.Code()}.html");
        if (language == ReportLanguage.English)
            AtomicFile.WriteAllText(ChartOf(folder), SweepReport.Chart(sweep, language));
        AtomicFile.WriteAllText(file, SweepReport.Render(sweep, language));
        return file;
    }

    /// <summary>Where the chart lies.</summary>
    public static string ChartOf(string folder) => Path.Combine(folder, "trade-off.svg");
}
