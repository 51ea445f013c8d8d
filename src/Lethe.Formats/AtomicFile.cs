using System.Runtime.InteropServices;
using System.Text;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>
/// Writes files so that a reader sees the old file or the whole new one, never a part: the bytes go to a temporary name in the same
/// folder, are flushed to disk, and the file is renamed; then the folder is flushed, so that the name survives a power cut too.
/// </summary>
public static partial class AtomicFile
{
    /// <summary>How the names of temporary files end; they begin with a dot and the name of the file to be.</summary>
    public const string TemporarySuffix = ".lethe-tmp";

    /// <summary>Writes a file through a stream. If <paramref name="write"/> throws, the temporary file is removed and the old file stays.</summary>
    /// <param name="path">Where the file goes; its folder exists. A symbolic link of that name is replaced, not followed.</param>
    /// <param name="write">Writes the content; the stream is seekable and belongs to this method.</param>
    /// <param name="expectedLength">Bytes that will be written, where known: the disk's space is claimed at once, so that a full disk shows before the work.</param>
    /// <exception cref="UsageException">The place cannot be written (permission, full disk), or this process has the file mapped.</exception>
    public static void Write(string path, Action<Stream> write, long expectedLength = 0)
    {
        ArgumentNullException.ThrowIfNull(write);
        var target = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(target) ?? throw new UsageException($"{path} names no file; give the name of the file to write.");
        if (MappedFile.IsMapped(target))
            throw new UsageException($"{path} is in use as an input and cannot be overwritten; write to another folder.");
        var temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}{TemporarySuffix}");
        try
        {
            using (var stream = Create(temporary, expectedLength))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
            FlushFolder(folder);
        }
        catch (Exception e)
        {
            Remove(temporary);
            if (e is IOException or UnauthorizedAccessException)
                throw new UsageException($"{path} cannot be written: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Writes a file of these bytes; see <see cref="Write"/>.</summary>
    /// <exception cref="UsageException">The place cannot be written, or this process has the file mapped.</exception>
    public static void WriteAllBytes(string path, ReadOnlyMemory<byte> bytes) => Write(path, stream => stream.Write(bytes.Span), bytes.Length);

    /// <summary>Writes a file of this text as UTF-8 without a byte order mark; see <see cref="Write"/>.</summary>
    /// <exception cref="UsageException">The place cannot be written, or this process has the file mapped.</exception>
    public static void WriteAllText(string path, string text) => WriteAllBytes(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Copies a file byte for byte; see <see cref="Write"/>.</summary>
    /// <exception cref="BadInputException">The source cannot be read.</exception>
    /// <exception cref="UsageException">The place cannot be written, or this process has the file mapped.</exception>
    public static void Copy(string source, string path)
    {
        using var input = InputFile.Open(source);
        Write(path, input.CopyTo, input.Length);
    }

    /// <summary>
    /// Removes the temporary files that killed processes left in a folder and the folders below it, links not followed. Only for a folder that this process has locked: others may be
    /// writing there.
    /// </summary>
    /// <returns>How many were removed.</returns>
    public static int RemoveLeftovers(string folder)
    {
        var leftovers = Directory.GetFiles(folder, ".*" + TemporarySuffix, new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true });
        foreach (var file in leftovers)
            File.Delete(file);
        return leftovers.Length;
    }

    private static FileStream Create(string temporary, long expectedLength) => new(temporary, new FileStreamOptions
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.ReadWrite,
        Share = FileShare.None,
        BufferSize = 1 << 16,
        PreallocationSize = expectedLength,
    });

    private static void Remove(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The first error is the one that the user needs; a leftover carries a name that RemoveLeftovers knows.
        }
    }

    internal static void FlushFolder(string folder)
    {
        var descriptor = OpenFolder(folder, 0);
        if (descriptor < 0)
            throw new IOException($"the folder cannot be opened to flush it: {Marshal.GetLastPInvokeErrorMessage()}");
        try
        {
            // Some file systems have nothing to flush for a folder and answer EINVAL; the rename stands either way.
            if (Flush(descriptor) != 0 && Marshal.GetLastPInvokeError() is var error && error != InvalidArgument)
                throw new IOException($"the folder cannot be flushed to disk: {Marshal.GetPInvokeErrorMessage(error)}");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>EINVAL.</summary>
    private const int InvalidArgument = 22;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFolder(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
