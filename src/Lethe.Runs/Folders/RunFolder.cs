using System.Text.Json;
using Lethe.Formats;
using Lethe.Runs.Plans;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>
/// The folder of one run, held for writing by one process. Everything that could make a run fail for want of a place to write is found
/// out here, before any work begins.
/// </summary>
public sealed class RunFolder : IDisposable
{
    private readonly FileLock held;

    private RunFolder(RunPaths paths, IPlan plan, FileLock held)
    {
        Paths = paths;
        Plan = plan;
        this.held = held;
    }

    /// <summary>Where things lie in it.</summary>
    public RunPaths Paths { get; }

    /// <summary>The run's plan.</summary>
    public IPlan Plan { get; }

    /// <summary>A folder's name for a plan: the plan file's name and the first eight digits of the plan's digest, so that the same plan finds its run again.</summary>
    /// <param name="planFile">The plan's file.</param>
    /// <param name="plan">The plan.</param>
    public static string NameFor(string planFile, IPlan plan) => $"{Path.GetFileNameWithoutExtension(planFile)}-{plan.Digest[..8]}";

    /// <summary>Opens a run's folder for writing, creating it where it is missing, and writes the resolved plan into it.</summary>
    /// <param name="path">The folder; new, empty, or holding a run of the same plan.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="neededBytes">Disk space that the run is expected to take in all; what the folder holds already counts towards it.</param>
    /// <param name="machine">What is asked for the free space; this machine if null.</param>
    /// <param name="time">Clock for the lock's note; the system's if null.</param>
    /// <param name="wait">Called with the holder's name, again and again, as long as another process holds the folder; null refuses at once.</param>
    /// <exception cref="UsageException">
    /// Another process holds the folder; it may not be written; the disk has too little space; it holds a run of another plan, or something that is no run.
    /// </exception>
    public static RunFolder Open(string path, IPlan plan, long neededBytes = 0, IMachine? machine = null, TimeProvider? time = null, Action<string>? wait = null)
    {
        var paths = new RunPaths(path);
        CheckDisk(path, neededBytes - FolderTree.Size(path), machine ?? ThisMachine.Instance);
        FileLock? Take() => Writing(path, () =>
        {
            Directory.CreateDirectory(path);
            return FileLock.TryTake(paths.Lock, time ?? TimeProvider.System);
        });
        var taken = Take();
        for (; taken is null && wait is not null; taken = Take())
            wait(FileLock.Holder(paths.Lock));
        var held = taken ?? throw new UsageException($"{path} is in use by {FileLock.Holder(paths.Lock)}; wait for it, or choose another run folder.");
        try
        {
            Writing(path, () => AtomicFile.RemoveLeftovers(path));
            if (File.Exists(paths.Plan))
                CheckPlan(paths, plan);
            else
                CheckEmpty(path);
            var resolved = plan.Resolved;
            if (!File.Exists(paths.Plan) || Writing(path, () => File.ReadAllText(paths.Plan)) != resolved)
                AtomicFile.WriteAllText(paths.Plan, resolved);
            return new RunFolder(paths, plan, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Writes result.json.</summary>
    /// <param name="result">One of the records in Lethe.Runs.Results.</param>
    public void WriteResult(object result) => AtomicFile.Write(Paths.Result, stream => JsonSerializer.Serialize(stream, result, ResultJson.Options));

    /// <summary>Gives the folder back.</summary>
    public void Dispose() => held.Dispose();

    /// <summary>Refuses a place with too little space; also for the shared cache, which may lie on another disk.</summary>
    /// <param name="path">The place; need not exist yet.</param>
    /// <param name="neededBytes">What will be written there.</param>
    /// <param name="machine">What is asked.</param>
    /// <exception cref="UsageException">There is less.</exception>
    public static void CheckDisk(string path, long neededBytes, IMachine machine)
    {
        var free = machine.FreeDisk(FolderTree.NearestExisting(path));
        if (free < neededBytes)
            throw new UsageException($"{path} needs about {ByteSize.Words(neededBytes)} and its disk has {ByteSize.Words(free)} free; make room, or choose a folder on another disk.");
    }

    private static void CheckPlan(RunPaths paths, IPlan plan)
    {
        var differences = plan.DifferencesFrom(Writing(paths.Root, () => File.ReadAllText(paths.Plan)), paths.Plan);
        if (differences.Count == 0)
            return;
        var shown = string.Join(", ", differences.Take(3)) + (differences.Count > 3 ? $", and {differences.Count - 3} more" : "");
        throw new UsageException($"{paths.Root} holds a run of another plan: {shown}. Choose another run folder, or remove this one.");
    }

    /// <summary>A folder without a plan may hold what an earlier attempt left before it wrote the plan, and nothing of anybody else's.</summary>
    private static void CheckEmpty(string path)
    {
        string[] own = ["lock", "lock" + FileLock.NoteSuffix];
        if (Writing(path, () => Directory.EnumerateFileSystemEntries(path).Select(Path.GetFileName).FirstOrDefault(name => !own.Contains(name))) is { } stranger)
            throw new UsageException($"{path} is no run folder: it holds {stranger} and no plan.yaml. Choose a new or empty folder.");
    }

    private static T Writing<T>(string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be used as a run folder: {e.Message} Choose another folder, or give yourself permission to write there.", e);
        }
    }
}
