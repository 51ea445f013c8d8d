using System.CommandLine;
using Lethe.Cli.Frame;
using Lethe.Cli.Reporting;
using Lethe.Reports;
using Lethe.Runs;
using Lethe.Torch;

namespace Lethe.Cli.Verbs;

/// <summary><c>./lethe report</c>: writes the report of a finished run anew, perhaps in another language.</summary>
public sealed class ReportVerb : Verb
{
    private readonly Argument<string> run = Typed.Required("RUN", "The folder of a finished run, such as runs/quickstart, or of a finished sweep or study.");

    private readonly Option<ReportLanguage?> language = Typed.Parsed<ReportLanguage>("--language", "en|ja", ReportLanguages.Parse, "Language of the report: English or Japanese; default: en.");

    private readonly Option<string?> output = Typed.Text("--output", "FILE", "File to write; default: report.html in RUN, or report.ja.html; for a sweep sweep.html or sweep.ja.html, for a study study.html or study.ja.html.");

    private readonly Option<string?> sweep = Typed.Text("--sweep", "FOLDER", "A finished sweep around this run: its trade-off goes into the report, with the run marked in it; default: none.");

    /// <inheritdoc/>
    public override string Name => "report";

    /// <inheritdoc/>
    public override string Summary => "Writes the report of a run: one HTML file, English or Japanese.";

    /// <inheritdoc/>
    public override string Description =>
        "Writes the report of a finished run from what its folder holds: what was asked, samples before and after, the figures with their intervals, what moved, costs, and what was not tested. "
        + "The file needs no network and no other file. Nothing is computed anew.";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("report runs/quickstart", "the report of the demo"),
        new("report runs/quickstart --language ja", "the same in Japanese"),
        new("report runs/quickstart --sweep runs/sweep", "with the trade-off of a sweep"),
        new("report runs/quickstart --output ~/report.html", "into a file of your own"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [run];

    /// <inheritdoc/>
    public override IReadOnlyList<Option> Options => [language, sweep, output];

    /// <inheritdoc/>
    public override Task<Outcome> Run(Call call)
    {
        var chosen = call.Value(language) ?? ReportLanguage.English;
        var paths = new RunPaths(call.Value(run));
        if (!File.Exists(paths.Result) && SweepFiles.Holds(paths.Root))
            return Task.FromResult(OfSweep(call, paths.Root, chosen));
        if (!File.Exists(paths.Result) && StudyFiles.Holds(paths.Root))
            return Task.FromResult(OfStudy(call, paths.Root, chosen));
        var around = call.Value(sweep) is { } folder ? SweepFiles.Read(folder) : null;
        var (result, file) = RunReport.Write(paths, chosen, call.Value(output), around);
        return Task.FromResult(new Outcome(new ReportWritten(file, chosen.Code()), console =>
        {
            console.Profile.Out.Writer.Write(RunReport.Summary(result, chosen));
            console.Profile.Out.Writer.WriteLine($"\n{file}");
        }));
    }

    private Outcome OfStudy(Call call, string folder, ReportLanguage chosen)
    {
        if (call.Value(sweep) is { } other)
            throw new UsageException($"{folder} is a study; --sweep {other} belongs to the report of a run.");
        var study = StudyFiles.Read(folder);
        var file = StudyFiles.Write(folder, study, chosen, call.Value(output));
        return new Outcome(new ReportWritten(file, chosen.Code()), console => console.Profile.Out.Writer.WriteLine($"{StudyReport.Summary(study, chosen)}\n{file}"));
    }

    private Outcome OfSweep(Call call, string folder, ReportLanguage chosen)
    {
        if (call.Value(sweep) is { } other)
            throw new UsageException($"{folder} is a sweep itself; --sweep {other} belongs to the report of a run.");
        var file = SweepFiles.Write(folder, SweepFiles.Read(folder), chosen, call.Value(output));
        return new Outcome(new ReportWritten(file, chosen.Code()), console => console.Profile.Out.Writer.WriteLine(file));
    }
}

/// <summary>What <c>report --json</c> prints.</summary>
/// <param name="Report">The file that was written.</param>
/// <param name="Language">Its language: "en" or "ja".</param>
public sealed record ReportWritten(string Report, string Language)
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = "lethe.report/1";
}
