using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Lethe.Formats;

/// <summary>
/// A file mapped into memory for reading. The mapping lives until the file is disposed and every lease is given back, in whatever order:
/// a tensor built on the mapping holds a lease.
/// </summary>
/// <remarks>Whoever shortens the file while it is mapped makes reading the lost part fatal to the process; Lethe replaces files, it never shortens them.</remarks>
public sealed unsafe partial class MappedFile : IDisposable
{
    private static readonly Dictionary<string, int> Mapped = new(StringComparer.Ordinal);
    private static readonly Lock Gate = new();

    private readonly string canonicalPath;
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;
    private readonly nint address;
    private int references = 1;
    private int disposed;

    private MappedFile(string path, FileStream stream)
    {
        Path = path;
        Length = stream.Length;
        canonicalPath = Canonical(path);
        file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        try
        {
            view = file.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        address = view.SafeMemoryMappedViewHandle.DangerousGetHandle();
        lock (Gate)
            Mapped[canonicalPath] = Mapped.GetValueOrDefault(canonicalPath) + 1;
    }

    /// <summary>A mapping that was never disposed is released with its last reference.</summary>
    ~MappedFile() => Forget();

    /// <summary>The name under which the file was opened.</summary>
    public string Path { get; }

    /// <summary>Bytes in the file; at least 1.</summary>
    public long Length { get; }

    /// <summary>The first byte; valid while this object is not disposed or a lease is held.</summary>
    public byte* Pointer => (byte*)address;

    /// <summary>Maps a file.</summary>
    /// <exception cref="Torch.BadInputException">The file is missing, empty, or may not be read.</exception>
    public static MappedFile Open(string path)
    {
        var stream = InputFile.Open(path);
        try
        {
            if (stream.Length == 0)
                throw InputFile.Refuse(path, "is empty.");
            return new MappedFile(path, stream);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            stream.Dispose();
            throw InputFile.Refuse(path, $"cannot be mapped into memory: {e.Message}", e);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Whether this process has the file mapped, under whatever name.</summary>
    public static bool IsMapped(string path)
    {
        lock (Gate)
            return Mapped.Count > 0 && Mapped.ContainsKey(Canonical(path));
    }

    /// <summary>Keeps the mapping alive until the lease is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The mapping is gone already.</exception>
    public MappedLease Acquire()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref disposed) != 0, this);
        for (var seen = Volatile.Read(ref references); ; )
        {
            ObjectDisposedException.ThrowIf(seen == 0, this);
            var before = Interlocked.CompareExchange(ref references, seen + 1, seen);
            if (before == seen)
                return new MappedLease(this);
            seen = before;
        }
    }

    /// <summary>
    /// Lets go of the pages of a range: they no longer count as this process's memory and come back from the system's cache, or the disk,
    /// when they are read again. A reader of large files calls this behind itself.
    /// </summary>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Number of bytes; the range lies within the file.</param>
    public void ReleasePages(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        if (length == 0)
            return;
        using var lease = Acquire();
        // Whole pages, those at both ends too: nothing is lost, the bytes are the file's. A system that declines keeps the pages, no more.
        var start = offset / Environment.SystemPageSize * Environment.SystemPageSize;
        _ = Advise(address + (nint)start, (nuint)(offset + length - start), DoNotNeed);
    }

    /// <summary>Gives up the owner's reference; the mapping goes once no lease is left.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
            Release();
    }

    internal void Release()
    {
        if (Interlocked.Decrement(ref references) != 0)
            return;
        view.Dispose();
        file.Dispose();
        Forget();
        GC.SuppressFinalize(this);
    }

    private void Forget()
    {
        // A constructor that threw has registered nothing, yet its finaliser runs.
        if (address == 0)
            return;
        lock (Gate)
            if (Mapped.TryGetValue(canonicalPath, out var count))
            {
                if (count == 1)
                    Mapped.Remove(canonicalPath);
                else
                    Mapped[canonicalPath] = count - 1;
            }
    }

    /// <summary>The one name without links, so that a link to a mapped file is known as that file.</summary>
    private static string Canonical(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        var resolved = RealPath(full, 0);
        if (resolved == 0)
            return full;
        try
        {
            return Marshal.PtrToStringUTF8(resolved)!;
        }
        finally
        {
            NativeMemory.Free((void*)resolved);
        }
    }

    /// <summary>MADV_DONTNEED.</summary>
    private const int DoNotNeed = 4;

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "realpath", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint RealPath(string path, nint buffer);
}

/// <summary>A hold on a mapping. Dispose it, from any thread, when nothing reads the bytes any more.</summary>
public sealed unsafe class MappedLease : IDisposable
{
    private readonly MappedFile file;
    private int disposed;

    internal MappedLease(MappedFile file) => this.file = file;

    /// <summary>The first byte of the file.</summary>
    public byte* Pointer => disposed == 0 ? file.Pointer : throw new ObjectDisposedException(nameof(MappedLease));

    /// <summary>Bytes in the file.</summary>
    public long Length => file.Length;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
            file.Release();
    }
}
