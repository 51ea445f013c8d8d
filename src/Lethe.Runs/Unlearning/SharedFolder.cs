using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>A folder that several processes work in at once, such as a sweep's: nobody locks it, each run below it has a lock of its own, and the text that claims it is the same whoever writes it.</summary>
internal static class SharedFolder
{
    /// <summary>Makes the folder, or sees that it belongs to the same work.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">The file that claims it, such as sweep.yaml.</param>
    /// <param name="text">What that file says.</param>
    /// <param name="what">What it is a folder of, such as "sweep".</param>
    /// <exception cref="UsageException">It holds something else, or cannot be written.</exception>
    public static void Claim(string folder, string name, string text, string what)
    {
        var file = Path.Combine(folder, name);
        try
        {
            // Asked again at the end: another shard may be writing it just now.
            if (!File.Exists(file) && Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any(entry => !entry.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal)) && !File.Exists(file))
                throw new UsageException($"{folder} is no folder of a {what}: it is not empty and holds no {name}. Choose a new or empty folder.");
            if (File.Exists(file) && File.ReadAllText(file) != text)
                throw new UsageException($"{folder} holds another {what}, or one of a plan that has changed since. Choose another folder, or remove this one.");
            Directory.CreateDirectory(folder);
            AtomicFile.WriteAllText(file, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{folder} cannot be used for a {what}: {e.Message} Choose another folder, or give yourself permission to write there.", e);
        }
    }
}
