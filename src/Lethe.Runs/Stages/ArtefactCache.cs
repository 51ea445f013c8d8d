using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>
/// Artefacts that runs share, by digest: the Fisher information of a model, its replay samples, cached activations. Entries never
/// change; they come and go whole. Who computes one holds its lock, so that two runs that need the same wait for each other.
/// </summary>
public sealed class ArtefactCache
{
    private readonly TimeProvider time;

    /// <summary>Opens a cache, creating its folder where it is missing.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="time">Clock for the locks' notes; the system's if null.</param>
    /// <exception cref="UsageException">The folder cannot be created or written.</exception>
    public ArtefactCache(string folder, TimeProvider? time = null)
    {
        Folder = folder;
        this.time = time ?? TimeProvider.System;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "artefacts"));
            Directory.CreateDirectory(Path.Combine(folder, "locks"));
            var probe = Path.Combine(folder, $".probe-{Environment.ProcessId}");
            File.WriteAllBytes(probe, [1]);
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"the shared cache {folder} cannot be written: {e.Message} Set {FolderVariable} to a folder that can.", e);
        }
    }

    /// <summary>The environment variable that names the cache's folder.</summary>
    public const string FolderVariable = "LETHE_CACHE";

    /// <summary>The cache's folder.</summary>
    public string Folder { get; }

    /// <summary>
    /// Where the cache of a run lies: <c>LETHE_CACHE</c>; else cache/ beside the folder "runs" that the run lies in; else lethe/ in the
    /// user's cache folder (<c>XDG_CACHE_HOME</c>, ~/.cache).
    /// </summary>
    /// <param name="runFolder">The run's folder.</param>
    /// <param name="variable">Reads an environment variable; the process's if null.</param>
    public static string DefaultFolder(string runFolder, Func<string, string?>? variable = null)
    {
        variable ??= Environment.GetEnvironmentVariable;
        if (variable(FolderVariable) is { Length: > 0 } named)
            return Path.GetFullPath(named);
        var runs = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(runFolder)));
        if (Path.GetFileName(runs) == "runs")
            return Path.Combine(Path.GetDirectoryName(runs)!, "cache");
        var caches = variable("XDG_CACHE_HOME") is { Length: > 0 } xdg ? xdg : Path.Combine(variable("HOME") ?? Path.GetTempPath(), ".cache");
        return Path.Combine(caches, "lethe");
    }

    /// <summary>Waits until this process alone may compute a digest.</summary>
    /// <param name="digest">The digest.</param>
    /// <param name="waiting">Told once, with the holder, if somebody else computes it now.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    internal FileLock Take(string digest, Action<string> waiting, CancellationToken cancellation)
    {
        var path = LockOf(digest);
        for (var told = false; ; told = true)
        {
            if (FileLock.TryTake(path, time) is { } held)
                return held;
            if (!told)
                waiting(FileLock.Holder(path));
            cancellation.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(200));
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>The entry of a digest, verified.</summary>
    internal Artefact? TryOpen(string digest, out string? damage) => Artefact.TryOpen(EntryOf(digest), digest, ArtefactSource.Cache, out damage);

    /// <summary>Adds an artefact; the caller holds its lock. An entry that is there already is replaced only if <paramref name="replace"/>.</summary>
    internal void Add(Artefact artefact, bool replace)
    {
        var entry = EntryOf(artefact.Record.Digest);
        var partial = Path.Combine(Path.GetDirectoryName(entry)!, $".{artefact.Record.Digest}.partial");
        if (Directory.Exists(entry))
        {
            if (!replace)
                return;
            FolderTree.Remove(entry);
        }
        // Another process that was killed here left its half behind; the lock says that nobody is writing it now.
        FolderTree.Remove(partial);
        Directory.CreateDirectory(partial);
        artefact.LinkInto(partial);
        FolderTree.Move(partial, entry);
    }

    /// <summary>Adds an artefact unless it is there, or somebody is making it just now.</summary>
    internal void Offer(Artefact artefact)
    {
        if (Directory.Exists(EntryOf(artefact.Record.Digest)))
            return;
        using var held = FileLock.TryTake(LockOf(artefact.Record.Digest), time);
        if (held is not null)
            Add(artefact, replace: false);
    }

    private string LockOf(string digest) => Path.Combine(Folder, "locks", digest);

    private string EntryOf(string digest) => Path.Combine(Folder, "artefacts", digest[..2], digest);
}
