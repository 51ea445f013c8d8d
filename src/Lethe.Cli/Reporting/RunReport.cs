using System.Security.Cryptography;
using Lethe.Formats;
using Lethe.Reports;
using Lethe.Runs;
using Lethe.Runs.Generative;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Cli.Reporting;

/// <summary>Reads a run's folder for its report, and writes the report there.</summary>
public static class RunReport
{
    /// <summary>Writes the report of a run.</summary>
    /// <param name="paths">The run.</param>
    /// <param name="language">Language of the page.</param>
    /// <param name="output">The file to write; null for <see cref="DefaultOutput"/>.</param>
    /// <param name="sweep">The sweep that the run belongs to; null for none.</param>
    /// <returns>The run's result, and the file.</returns>
    /// <exception cref="BadInputException">The folder holds no finished run, or what it holds is damaged.</exception>
    /// <exception cref="UsageException">The file cannot be written.</exception>
    public static (UnlearnResult Result, string File) Write(RunPaths paths, ReportLanguage language, string? output = null, SweepResult? sweep = null)
    {
        var result = UnlearnPipeline.ReadResult(paths);
        var file = output ?? DefaultOutput(paths, language);
        AtomicFile.WriteAllText(file, result switch
        {
            ImageUnlearnResult images => UnlearnReport.Render(Read(paths, images) with { Sweep = sweep }, language),
            LanguageUnlearnResult texts => LanguageUnlearnReport.Render(new LanguageReportInput(texts) { Plan = PlanOf(paths), ResultDigest = Sha256(paths.Result), Files = [.. Digests(paths)] }, language),
            _ => throw new BadInputException($"{paths.Root}: there is no report for results of kind '{result.Kind}'."),
        });
        return (result, file);
    }

    /// <summary>Where a report goes: report.html in the run's folder; one in another language than English has its code in the name, so that both may lie there.</summary>
    public static string DefaultOutput(RunPaths paths, ReportLanguage language) =>
        language == ReportLanguage.English ? paths.Report : Path.ChangeExtension(paths.Report, $"{language.Code()}.html");

    /// <summary>What a run prints when it ends.</summary>
    public static string Summary(UnlearnResult result, ReportLanguage language) => result switch
    {
        ImageUnlearnResult images => TextSummary.Render(images, language),
        LanguageUnlearnResult texts => TextSummary.Render(texts, language),
        _ => throw new BadInputException($"There is no summary for results of kind '{result.Kind}'."),
    };

    private static ReportInput Read(RunPaths paths, ImageUnlearnResult result)
    {
        return new ReportInput(result)
        {
            Samples = Samples(paths),
            Plan = PlanOf(paths),
            ResultDigest = Sha256(paths.Result),
            Files = [.. Digests(paths)],
        };
    }

    /// <summary>The strips of samples that measuring kept, one for each condition, if it kept them both before and after.</summary>
    private static SampleRows? Samples(RunPaths paths)
    {
        var (before, after) = (Path.Combine(paths.Root, ImageUnlearner.BeforePictures), Path.Combine(paths.Root, ImageUnlearner.AfterPictures));
        if (!Directory.Exists(before) || !Directory.Exists(after))
            return null;
        var labels = Directory.EnumerateFiles(before, "*.png").Select(Path.GetFileNameWithoutExtension)
            .Select(name => int.TryParse(name, System.Globalization.CultureInfo.InvariantCulture, out var label) ? label : -1)
            .Where(label => label >= 0 && File.Exists(Path.Combine(after, $"{label}.png")))
            .Order();
        return new SampleRows([.. labels.Select(label => new SampleRow(label, File.ReadAllBytes(Path.Combine(before, $"{label}.png")), File.ReadAllBytes(Path.Combine(after, $"{label}.png"))))]);
    }

    /// <summary>Digests of the plan, the provenance and the exported model.</summary>
    private static IEnumerable<FileDigest> Digests(RunPaths paths)
    {
        IEnumerable<string> model = Directory.Exists(paths.Model) ? Directory.EnumerateFiles(paths.Model, "*", SearchOption.AllDirectories) : [];
        return model.Order(StringComparer.Ordinal).Prepend(paths.Provenance).Prepend(paths.Plan).Where(File.Exists)
            .Select(file => new FileDigest(Path.GetRelativePath(paths.Root, file), Sha256(file)));
    }

    private static string? PlanOf(RunPaths paths) => File.Exists(paths.Plan) ? File.ReadAllText(paths.Plan) : null;

    private static string Sha256(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
