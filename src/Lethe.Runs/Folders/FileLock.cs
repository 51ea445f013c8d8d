using System.Globalization;

namespace Lethe.Runs;

/// <summary>
/// A lock between processes: an open file that the kernel lets only one of them hold, and frees when that process ends, however it
/// ends. A note beside it names the holder, for the sentence that the second process prints; the note itself locks nothing.
/// </summary>
public sealed class FileLock : IDisposable
{
    private readonly FileStream file;
    private readonly string note;

    private FileLock(FileStream file, string note)
    {
        this.file = file;
        this.note = note;
    }

    /// <summary>Takes the lock if nobody holds it.</summary>
    /// <param name="path">The lock's file; created where it is missing, and left behind, since removing it would let a third process in.</param>
    /// <param name="time">Clock for the note.</param>
    /// <returns>The lock, or null if another process (or another part of this one) holds it.</returns>
    /// <exception cref="IOException">The file cannot be created or opened for another reason.</exception>
    /// <exception cref="UnauthorizedAccessException">No permission.</exception>
    public static FileLock? TryTake(string path, TimeProvider time)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult is WouldBlock or SharingViolation)
        {
            return null;
        }
        var note = path + NoteSuffix;
        File.WriteAllText(note, string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId} since {time.GetUtcNow():yyyy-MM-dd HH:mm:ss} UTC"));
        return new FileLock(file, note);
    }

    /// <summary>Who holds a lock, such as "process 4711 since 2026-01-02 03:04:05 UTC"; "another process" where the note cannot be read.</summary>
    public static string Holder(string path)
    {
        try
        {
            return File.ReadAllText(path + NoteSuffix) is { Length: > 0 } text ? text : Unknown;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Unknown;
        }
    }

    /// <summary>Frees the lock.</summary>
    public void Dispose()
    {
        try
        {
            File.Delete(note);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The note is a courtesy; the lock below is what counts.
        }
        file.Dispose();
    }

    /// <summary>How the name of the note ends.</summary>
    public const string NoteSuffix = ".holder";

    private const string Unknown = "another process";

    /// <summary>EWOULDBLOCK, which .NET passes through as it is on Linux.</summary>
    private const int WouldBlock = 11;

    /// <summary>ERROR_SHARING_VIOLATION as an HRESULT.</summary>
    private const int SharingViolation = unchecked((int)0x80070020);
}
