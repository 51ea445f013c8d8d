using System.IO.Compression;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>
/// A ZIP archive by someone else, as NPZ files and torch checkpoints are: entries are found by name and read whole, never more
/// than the archive can honestly hold, with their checksums verified.
/// </summary>
internal sealed class ZipInput : IDisposable
{
    /// <summary>The most entries that an archive may have; the largest torch checkpoints have some ten thousand.</summary>
    private const int MaxEntries = 1_000_000;

    /// <summary>Deflate makes at most 1032 bytes of one (a match of 258 bytes in two bits); what claims more is a bomb or damaged.</summary>
    public const long MaxDeflateRatio = 1032;

    private readonly Stream stream;
    private readonly ZipArchive archive;
    private readonly Dictionary<string, ZipArchiveEntry> entries = new(StringComparer.Ordinal);

    private ZipInput(string file, Stream stream, ZipArchive archive)
    {
        File = file;
        this.stream = stream;
        this.archive = archive;
    }

    /// <summary>Name for errors.</summary>
    public string File { get; }

    /// <summary>The entries' names in the archive's order.</summary>
    public IReadOnlyList<string> Names { get; private set; } = [];

    /// <summary>Opens an archive; the stream becomes its own.</summary>
    public static ZipInput Open(string file, Stream stream)
    {
        try
        {
            var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            var input = new ZipInput(file, stream, archive);
            input.List();
            return input;
        }
        catch (Exception e) when (IsDamage(e))
        {
            stream.Dispose();
            throw InputFile.Refuse(file, $"is no valid ZIP archive: {e.Message}", e);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public bool Contains(string name) => entries.ContainsKey(name);

    /// <summary>Bytes of an entry, decompressed; checked against what its compressed bytes can give.</summary>
    public long LengthOf(string name)
    {
        var entry = entries[name];
        try
        {
            var (length, compressed) = (entry.Length, entry.CompressedLength);
            if (length < 0 || length / MaxDeflateRatio > compressed)
                throw InputFile.Refuse(File, $"entry '{name}' claims {length} bytes from {compressed} compressed ones, which cannot hold them.");
            return length;
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw InputFile.Refuse(File, $"entry '{name}' is damaged: {e.Message}", e);
        }
    }

    /// <summary>An entry's bytes.</summary>
    public byte[] Read(string name, long limit)
    {
        var length = LengthOf(name);
        if (length > limit)
            throw InputFile.Refuse(File, $"entry '{name}' has {length} bytes; at most {limit} are allowed here.");
        try
        {
            using var content = entries[name].Open();
            var bytes = new byte[length];
            var got = content.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (got < length || content.ReadByte() >= 0)
                throw InputFile.Refuse(File, $"entry '{name}' claims {length} bytes and holds {(got < length ? $"{got}" : "more")}.");
            if (Crc32.Update(0, bytes) is var crc && crc != entries[name].Crc32)
                throw InputFile.Refuse(File, $"entry '{name}' has the checksum {crc:x8} and should have {entries[name].Crc32:x8}; the file is damaged, or was saved with checksums turned off.");
            return bytes;
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw InputFile.Refuse(File, $"entry '{name}' is damaged: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        archive.Dispose();
        stream.Dispose();
    }

    private void List()
    {
        if (archive.Entries.Count > MaxEntries)
            throw InputFile.Refuse(File, $"has {archive.Entries.Count} entries; at most {MaxEntries} are allowed.");
        var compressed = 0L;
        foreach (var entry in archive.Entries)
        {
            // Entries that share their bytes would let a small file claim any amount of memory, entry by entry.
            compressed += entry.CompressedLength;
            if (entry.CompressedLength < 0 || compressed > stream.Length)
                throw InputFile.Refuse(File, $"entry '{entry.FullName}' overlaps others: together they claim {compressed} bytes, and the archive has {stream.Length}.");
            if (entry.IsEncrypted)
                throw InputFile.Refuse(File, $"entry '{entry.FullName}' is encrypted; save it without a password.");
            if (!entries.TryAdd(entry.FullName, entry))
                throw InputFile.Refuse(File, $"has the entry '{entry.FullName}' twice.");
        }
        Names = [.. archive.Entries.Select(entry => entry.FullName)];
    }

    /// <summary>What the library throws at archives that are not what they claim.</summary>
    private static bool IsDamage(Exception e) => e is IOException or InvalidDataException or NotSupportedException or ArgumentException or OverflowException;
}
