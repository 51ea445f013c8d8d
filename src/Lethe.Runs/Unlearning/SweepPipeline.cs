using Lethe.Formats;
using Lethe.Runs.Language.Unlearning;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>A share of a sweep's points: every <paramref name="Count"/>-th, beginning with the <paramref name="Index"/>-th.</summary>
/// <param name="Index">From 0 to <paramref name="Count"/> - 1.</param>
/// <param name="Count">Number of shards, 1 for the whole.</param>
public readonly record struct Shard(int Index, int Count)
{
    /// <summary>Everything.</summary>
    public static Shard Whole { get; } = new(0, 1);

    /// <summary>Whether a point belongs to this shard.</summary>
    public bool Has(int point) => point % Count == Index;

    /// <summary>Reads "0/4".</summary>
    /// <exception cref="UsageException">It says something else.</exception>
    public static Shard Parse(string text)
    {
        var parts = text.Split('/');
        return parts.Length == 2 && int.TryParse(parts[0], System.Globalization.NumberStyles.None, null, out var index) && int.TryParse(parts[1], System.Globalization.NumberStyles.None, null, out var count) && index < count
            ? new Shard(index, count)
            : throw new UsageException($"--shard is '{text}'; write it as i/n with i from 0 to n - 1, such as 0/4.");
    }
}

/// <summary>
/// Runs the points of a sweep one after another, each a run of its own below the sweep's folder. What they have in common (base, judge,
/// the measurement before, the Fisher information) comes from the shared cache and is computed once; a point that is finished is found finished.
/// </summary>
public static class SweepPipeline
{
    /// <summary>Runs the points of a shard. Call on the torch thread.</summary>
    /// <param name="sweep">The sweep.</param>
    /// <param name="points">Its points.</param>
    /// <param name="shard">Which of them are run here.</param>
    /// <param name="context">Everything else; its run folder is the sweep's.</param>
    /// <returns>The sweep with every point that is finished, whoever ran it, and its folder. Only where none is pending has sweep.json been written.</returns>
    /// <exception cref="UsageException">The folder holds another sweep, or cannot be written.</exception>
    /// <exception cref="RunCancelledException">The user stopped it.</exception>
    public static (SweepResult Result, string Folder) Run(Plan<SweepPlan> sweep, IReadOnlyList<SweepRun> points, Shard shard, RunContext context)
    {
        var folder = context.RunFolder ?? Path.Combine(context.RunsFolder, $"{Path.GetFileNameWithoutExtension(sweep.Source)}-{SweepPoints.Digest(sweep, points)[..8]}");
        SharedFolder.Claim(folder, "sweep.yaml", $"# {SweepPoints.Digest(sweep, points)}\n{sweep.Resolved}", "sweep");
        var cache = context.CacheFolder ?? ArtefactCache.DefaultFolder(folder);
        using var slices = new SlicePool();
        var beside = (context with { RunFolder = folder }).BesideRun;
        for (var k = 0; k < points.Count; k++)
        {
            if (!shard.Has(k))
                continue;
            context.Progress.Note("sweep", $"point {k + 1} of {points.Count}: {points[k].Words}");
            UnlearnPipeline.Run(points[k].Plan, context with { RunFolder = Path.Combine(folder, points[k].Name), CacheFolder = cache, Beside = beside, Slices = slices });
        }
        var result = Collect(sweep, points, folder);
        if (result.Pending.Count == 0)
            AtomicFile.Write(FileOf(folder), stream => System.Text.Json.JsonSerializer.Serialize(stream, result, ResultJson.Options));
        return (result, folder);
    }

    /// <summary>Where a sweep's result lies.</summary>
    public static string FileOf(string folder) => Path.Combine(folder, "sweep.json");

    /// <summary>The points that no other is as good as: what is left of what was to be forgotten against what that cost.</summary>
    public static IReadOnlyList<SweepPoint> WithFront(IReadOnlyList<SweepPoint> points) =>
        [.. points.Select(point => point with { OnFront = !points.Any(other => Beats(other, point)) })];

    private static bool Beats(SweepPoint one, SweepPoint other)
    {
        var (forget, lost) = (one.Position.Left.CompareTo(other.Position.Left), one.Position.Cost.CompareTo(other.Position.Cost));
        return forget <= 0 && lost <= 0 && (forget < 0 || lost < 0);
    }

    private static SweepResult Collect(Plan<SweepPlan> sweep, IReadOnlyList<SweepRun> points, string folder)
    {
        var done = new List<SweepPoint>();
        var pending = new List<string>();
        foreach (var point in points)
        {
            var paths = new RunPaths(Path.Combine(folder, point.Name));
            if (!File.Exists(paths.Result))
            {
                pending.Add(point.Name);
                continue;
            }
            done.Add(SweepPoint.Of(UnlearnPipeline.ReadResult(paths), point.Options, point.Plan.Value.Seed, point.Name));
        }
        return new SweepResult(sweep.Value.Title, WithFront(done)) { Pending = pending };
    }
}
