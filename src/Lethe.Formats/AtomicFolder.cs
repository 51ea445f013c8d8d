using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>
/// Makes folders so that a reader sees no folder or the whole one: the files are written into a folder beside it under a temporary name,
/// which is renamed when everything is there.
/// </summary>
public static class AtomicFolder
{
    /// <summary>Makes a folder. If <paramref name="write"/> throws, everything it wrote is removed.</summary>
    /// <param name="folder">Its name; it does not exist yet, or is empty.</param>
    /// <param name="write">Writes the files; it is given the temporary folder.</param>
    /// <exception cref="UsageException">The folder exists and is not empty, or cannot be made.</exception>
    public static void Write(string folder, Action<string> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()))
            throw new UsageException($"{folder} exists already and is not empty; name a new folder.");
        var parent = Path.GetDirectoryName(target) ?? throw new UsageException($"{folder} cannot be made; name a new folder.");
        var partial = Path.Combine(parent, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}{AtomicFile.TemporarySuffix}");
        try
        {
            Directory.CreateDirectory(partial);
            write(partial);
            if (Directory.Exists(target))
                Directory.Delete(target);
            Directory.Move(partial, target);
            AtomicFile.FlushFolder(parent);
        }
        catch (Exception e)
        {
            Remove(partial);
            if (e is IOException or UnauthorizedAccessException)
                throw new UsageException($"{folder} cannot be written: {e.Message}", e);
            throw;
        }
    }

    private static void Remove(string partial)
    {
        try
        {
            Directory.Delete(partial, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The first error is the one that the user needs; the leftover's name says what it is.
        }
    }
}
