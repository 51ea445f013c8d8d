using System.Text.Json;
using Lethe.Formats;
using Lethe.Runs.Language.Unlearning;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Language.Studies;

/// <summary>
/// Compares methods by one plan: rounds of tuning, the choice, then everything that is reported. Each run is one of <c>unlearn</c> below the study's folder, and what is done is not done again. A round begins when the one before
/// it is done; a shard that has done its share while others have not ends there, and goes on when it is called again.
/// </summary>
public static class StudyPipeline
{
    /// <summary>Runs what is left of a study. Call on the torch thread.</summary>
    /// <param name="study">The study.</param>
    /// <param name="shard">Which runs are done here.</param>
    /// <param name="context">Everything else; its run folder is the study's.</param>
    /// <returns>The study as far as it is done, and its folder. Only where nothing is pending has study.json been written.</returns>
    /// <exception cref="UsageException">The plan asks for what cannot be, or the folder holds something else.</exception>
    /// <exception cref="RunCancelledException">The user stopped it.</exception>
    public static (StudyResult Result, string Folder) Run(Plan<StudyPlan> study, Shard shard, RunContext context)
    {
        var points = new StudyPoints(study);
        var folder = context.RunFolder ?? Path.Combine(context.RunsFolder, $"{Path.GetFileNameWithoutExtension(study.Source)}-{points.Digest[..8]}");
        SharedFolder.Claim(folder, "study.yaml", $"# {points.Digest}\n{study.Resolved}", "study");
        using var slices = new SlicePool();
        var beside = (context with { RunFolder = folder }).BesideRun;
        var runs = new StudyRuns(folder, shard, study.Value.KeepModels, context with { Slices = slices, Beside = beside });
        var builder = new StudyBuilder(study.Value, points, runs);

        for (var round = 0; round < study.Value.Tune.Rounds.Count; round++)
            if (runs.Do(builder.Round(round), $"tuning, round {round + 1} of {study.Value.Tune.Rounds.Count}") is { Count: > 0 } waiting)
                return (builder.Result() with { Pending = waiting }, folder);
            else
                builder.Finish(round);
        builder.Choose(warn: sentence => context.Progress.Warn("compare", sentence));
        if (runs.Do([.. builder.Reported(), .. builder.Sensitivity()], "report") is { Count: > 0 } left)
            return (builder.Result() with { Pending = left }, folder);
        var result = builder.Complete(new StudyReadings(beside));
        AtomicFile.Write(FileOf(folder), stream => JsonSerializer.Serialize(stream, result, ResultJson.Options));
        return (result, folder);
    }

    /// <summary>Where a study's result lies.</summary>
    public static string FileOf(string folder) => Path.Combine(folder, "study.json");
}
