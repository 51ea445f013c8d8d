using System.Text.Json;
using Lethe.Formats;
using Lethe.Runs.Language.Unlearning;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Language.Studies;

/// <summary>
/// The runs below a study's folder: each is a run of <c>unlearn</c> of its own, named after its plan's digest, so that the same run is found wherever in the study it is wanted. A run that fails by itself,
/// such as one whose loss is no number any more, is a finding about its configuration: the sentence is kept in failed.txt, and nothing is run again until that file is removed.
/// </summary>
/// <param name="folder">The study's folder.</param>
/// <param name="shard">Which runs are done here.</param>
/// <param name="keepModels">Whether exported models are kept.</param>
/// <param name="context">Everything else.</param>
internal sealed class StudyRuns(string folder, Shard shard, bool keepModels, RunContext context)
{
    private const string FailedName = "failed.txt";

    // What measuring needs stands before and after; the rest is the method's.
    private static readonly string[] NotOfTheMethod = ["load", "before", "export", "after", "never-knew"];

    private readonly string cache = context.CacheFolder ?? ArtefactCache.DefaultFolder(folder);
    private readonly Dictionary<string, LanguageUnlearnResult> results = [];

    /// <summary>Folder of a run's name.</summary>
    public RunPaths PathsOf(StudyRun run) => new(Path.Combine(folder, "points", run.Run.Name));

    /// <summary>Does this shard's share of runs, as far as they are not done.</summary>
    /// <param name="runs">The runs of a phase, whose places say which shard does them.</param>
    /// <param name="phase">What the phase is called.</param>
    /// <returns>Names of those that nobody has done yet.</returns>
    public IReadOnlyList<string> Do(IReadOnlyList<StudyRun> runs, string phase)
    {
        // The same run may be wanted twice, and two shards must not do it at once.
        runs = [.. runs.DistinctBy(run => run.Run.Name)];
        var shares = Shares(runs);
        for (var k = 0; k < runs.Count; k++)
        {
            if (!shard.Has(shares[k]))
                continue;
            if (!IsDone(runs[k]))
            {
                context.Progress.Note("compare", $"{phase}, run {k + 1} of {runs.Count}: {runs[k].Words}");
                One(runs[k]);
            }
            // Of those that an earlier call was killed in the middle of, too.
            if (!keepModels)
                RemoveModel(PathsOf(runs[k]));
        }
        return [.. runs.Where(run => !IsDone(run)).Select(run => run.Run.Name)];
    }

    // Runs that read the same texts find in memory what the ones before them computed, so that one shard does all of a topic and seed, as long as there is enough for every shard.
    private int[] Shares(IReadOnlyList<StudyRun> runs)
    {
        var keys = runs.Select(run => (run.Topic, run.Run.Plan.Value.Seed)).ToArray();
        var groups = keys.Distinct().ToList();
        return groups.Count < shard.Count ? [.. Enumerable.Range(0, runs.Count)] : [.. keys.Select(key => groups.IndexOf(key))];
    }

    /// <summary>The result of a run that is done; null where it failed.</summary>
    public LanguageUnlearnResult? Result(StudyRun run)
    {
        var paths = PathsOf(run);
        if (!File.Exists(paths.Result))
            return null;
        if (!results.TryGetValue(paths.Root, out var result))
            results.Add(paths.Root, result = UnlearnPipeline.ReadResult<LanguageUnlearnResult>(paths, "one on a language model"));
        return result;
    }

    /// <summary>Why a run failed; null where it did not.</summary>
    public string? Failure(StudyRun run) => !File.Exists(PathsOf(run).Result) && File.Exists(FailureOf(run)) ? File.ReadAllText(FailureOf(run)).Trim() : null;

    /// <summary>Seconds and tokens of forgetting; what runs share by the cache counts once.</summary>
    public (double Seconds, long Tokens) Cost(IEnumerable<StudyRun> runs)
    {
        var counted = new HashSet<string>();
        var (seconds, tokens) = (0.0, 0L);
        foreach (var run in runs)
        {
            if (Result(run) is not { } result)
                continue;
            foreach (var (stage, time) in result.Cost.Seconds.Where(stage => !NotOfTheMethod.Contains(stage.Key)))
                if (counted.Add(DigestOf(PathsOf(run), stage)))
                {
                    seconds += time;
                    tokens += stage == "forget" ? result.Method.TokensSeen : 0;
                }
        }
        return (seconds, tokens);
    }

    private bool IsDone(StudyRun run) => File.Exists(PathsOf(run).Result) || File.Exists(FailureOf(run));

    private string FailureOf(StudyRun run) => Path.Combine(PathsOf(run).Root, FailedName);

    private void One(StudyRun run)
    {
        try
        {
            UnlearnPipeline.Run(run.Run.Plan, context with { RunFolder = PathsOf(run).Root, CacheFolder = cache });
        }
        // A full disk says nothing of the method. What a run cannot begin with is a slip of the plan, told at once, but where it is one option out of its place: then all else is done already.
        catch (LetheException e) when (e is RunFailedException { InnerException: not IOException } || run.SingleOption && e is UsageException or BadInputException)
        {
            context.Progress.Warn("compare", $"{run.Words}: the run failed, which counts against its configuration: {e.Message}");
            Directory.CreateDirectory(PathsOf(run).Root);
            AtomicFile.WriteAllText(FailureOf(run), e.Message + "\n");
        }
    }

    private static void RemoveModel(RunPaths paths)
    {
        FolderTree.Remove(paths.Model);
        FolderTree.Remove(paths.Stage("export"));
    }

    private static string DigestOf(RunPaths paths, string stage)
    {
        using var record = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(paths.Stage(stage), Artefact.RecordName)));
        return record.RootElement.GetProperty("digest").GetString()!;
    }
}
