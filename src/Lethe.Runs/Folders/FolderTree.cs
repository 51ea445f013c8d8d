using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Lethe.Runs;

/// <summary>Whole folders: flushed, linked, listed, removed.</summary>
internal static partial class FolderTree
{
    /// <summary>The files below a folder as names with "/", in ordinal order; symbolic links are not followed.</summary>
    public static IReadOnlyList<string> Files(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
            .Select(file => Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/'))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Bytes in the files below a folder; 0 if there is no such folder.</summary>
    public static long Size(string folder) => Directory.Exists(folder)
        ? Files(folder).Sum(file => new FileInfo(Path.Combine(folder, file)).Length)
        : 0;

    /// <summary>SHA-256 of a file, lower-case hexadecimal.</summary>
    public static string Sha256(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>Brings every file and folder below a folder, and itself, onto the disk.</summary>
    public static void Flush(string folder)
    {
        foreach (var file in Files(folder))
            FlushOne(Path.Combine(folder, file));
        foreach (var inner in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories))
            FlushOne(inner);
        FlushOne(folder);
    }

    /// <summary>Renames a folder to a name that is free, and flushes both folders around it.</summary>
    public static void Move(string from, string to)
    {
        Directory.Move(from, to);
        FlushOne(Path.GetDirectoryName(Path.GetFullPath(to))!);
        FlushOne(Path.GetDirectoryName(Path.GetFullPath(from))!);
    }

    /// <summary>Gives a file a second name; copies it where the file system cannot (another disk, too many links).</summary>
    public static void LinkOrCopy(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        if (Link(from, to) != 0)
            File.Copy(from, to);
    }

    /// <summary>Removes a folder and all below it; nothing happens if there is none.</summary>
    public static void Remove(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>The folder itself if it exists, else the nearest one above it that does.</summary>
    public static string NearestExisting(string folder)
    {
        var nearest = Path.GetFullPath(folder);
        while (!Directory.Exists(nearest) && Path.GetDirectoryName(nearest) is { } parent)
            nearest = parent;
        return nearest;
    }

    private static void FlushOne(string path)
    {
        var descriptor = Open(path, 0);
        if (descriptor < 0)
            throw new IOException($"{path} cannot be opened to flush it: {Marshal.GetLastPInvokeErrorMessage()}");
        try
        {
            // Some file systems have nothing to flush for a folder and answer EINVAL; the rename stands either way.
            if (Fsync(descriptor) != 0 && Marshal.GetLastPInvokeError() is not InvalidArgument)
                throw new IOException($"{path} cannot be flushed to disk: {Marshal.GetLastPInvokeErrorMessage()}");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>EINVAL.</summary>
    private const int InvalidArgument = 22;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string from, string to);
}
