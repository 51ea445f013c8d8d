using System.IO.Compression;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>Named NumPy arrays in a ZIP archive (.npz), stored or compressed. Arrays are read when they are asked for.</summary>
public sealed class NpzFile : IDisposable
{
    private const string Extension = ".npy";

    /// <summary>NumPy writes this date, the earliest that ZIP knows, so that equal arrays give equal files.</summary>
    private static readonly DateTimeOffset Epoch = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ZipInput zip;
    private readonly OrderedDictionary<string, string> entries = new(StringComparer.Ordinal);

    private NpzFile(ZipInput zip)
    {
        this.zip = zip;
        foreach (var entry in zip.Names)
        {
            if (!entry.EndsWith(Extension, StringComparison.Ordinal))
                throw InputFile.Refuse(zip.File, $"holds '{entry}', which is no {Extension} array.");
            entries.Add(entry[..^Extension.Length], entry);
        }
    }

    /// <summary>The arrays' names in the file's order.</summary>
    public IReadOnlyList<string> Names => entries.Keys;

    /// <summary>Opens a file.</summary>
    /// <exception cref="BadInputException">The file is missing, or no ZIP archive of arrays.</exception>
    public static NpzFile Open(string path) => Open(InputFile.Open(path), path);

    /// <summary>Opens a stream that can seek, which becomes the file's own.</summary>
    /// <param name="stream">The content.</param>
    /// <param name="name">Name for errors.</param>
    /// <exception cref="BadInputException">It is no ZIP archive of arrays.</exception>
    public static NpzFile Open(Stream stream, string name)
    {
        var zip = ZipInput.Open(name, stream);
        try
        {
            return new NpzFile(zip);
        }
        catch
        {
            zip.Dispose();
            throw;
        }
    }

    /// <summary>An array.</summary>
    /// <exception cref="BadInputException">There is none of that name; it is damaged, larger than 2 GiB, or holds something else than numbers.</exception>
    public HostArray Read(string name) => entries.TryGetValue(name, out var entry)
        ? NpyFile.Parse(zip.File, name, zip.Read(entry, ElementChecks.MaxArrayBytes))
        : throw InputFile.Refuse(zip.File, $"has no array '{name}'; it has {(Names.Count == 0 ? "none" : string.Join(", ", Names.Take(16)))}.");

    /// <summary>All arrays by name.</summary>
    /// <exception cref="BadInputException">See <see cref="Read"/>.</exception>
    public IReadOnlyDictionary<string, HostArray> ReadAll() => Names.ToDictionary(name => name, Read, StringComparer.Ordinal);

    /// <summary>Writes a file; equal arrays give equal files.</summary>
    /// <param name="path">Where it goes.</param>
    /// <param name="arrays">The arrays by name, written in this order.</param>
    /// <param name="compress">Whether to compress (numpy.savez_compressed) or to store (numpy.savez).</param>
    /// <exception cref="UsageException">A type is BFloat16, which NumPy does not know, or the place cannot be written.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, HostArray>> arrays, bool compress = false) => AtomicFile.Write(path, stream =>
    {
        using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        foreach (var (name, array) in arrays)
        {
            var entry = zip.CreateEntry(name + Extension, compress ? CompressionLevel.Optimal : CompressionLevel.NoCompression);
            entry.LastWriteTime = Epoch;
            using var content = entry.Open();
            NpyFile.Write(content, name, array);
        }
    });

    /// <summary>Closes the file.</summary>
    public void Dispose() => zip.Dispose();
}
