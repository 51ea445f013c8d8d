using System.Security.Cryptography;
using System.Text;
using Lethe.Formats.WordNet;
using Lethe.Runs.Language.Records;
using Lethe.Runs.Language.WordNet;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>
/// Data that Lethe makes itself where a plan names them, once: ${records}, what <c>data records</c> writes of 120 customers of four branches, ${more_records}, what it writes of 240, ${moved_records}, what it writes of 120 of whom half have moved, and ${wordnet}, what <c>data wordnet</c> writes by default. Each lies in a folder
/// named after what it is made of, which appears whole or not at all; other options or another WordNet make another folder.
/// </summary>
internal sealed class MadeData
{
    // Raise where the files that are written change.
    private const int Version = 1;

    /// <summary>What ${records} holds: as many customers as a small model learns by heart in less than a minute.</summary>
    public static readonly FictionalRecordsOptions Records = new() { Customers = 120, Branches = 4 };

    /// <summary>What ${more_records} holds: twice as many, so that a branch has enough of them who are not read and can be asked about.</summary>
    public static readonly FictionalRecordsOptions MoreRecords = Records with { Customers = 240 };

    /// <summary>What ${moved_records} holds: the customers of ${records}, half of whom have moved and have a former city and adviser too.</summary>
    public static readonly FictionalRecordsOptions MovedRecords = Records with { Moved = 0.5 };

    /// <summary>What ${wordnet} holds.</summary>
    public static readonly WordNetFilesOptions Words = new();

    private static readonly MadeData[] All =
    [
        new("records", () => [CanonicalJson.Digest(Records)], folder => RecordFiles.Write(folder, Records)),
        new("more_records", () => [CanonicalJson.Digest(MoreRecords)], folder => RecordFiles.Write(folder, MoreRecords)),
        new("moved_records", () => [CanonicalJson.Digest(MovedRecords)], folder => RecordFiles.Write(folder, MovedRecords)),
        new("wordnet", () => [CanonicalJson.Digest(Words), .. WordNetDigests()], folder => WordNetFiles.Write(folder, WordNetNouns.DebianFolder, Words)),
    ];

    private readonly string name;
    private readonly Action<string> write;
    // WordNet is read through once a process.
    private readonly Lazy<string> key;

    private MadeData(string name, Func<string[]> sources, Action<string> write)
    {
        (this.name, this.write, Prefix) = (name, write, $"${{{name}}}");
        key = new(() => $"{name}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Version} {string.Join(' ', sources())}")))[..12]}", LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>What stands for its folder in plans.</summary>
    public string Prefix { get; }

    /// <summary>The data that a path of a plan lies in; null where it lies in none.</summary>
    public static MadeData? Of(string path) => Array.Find(All, data => path.StartsWith(data.Prefix, StringComparison.Ordinal));

    /// <summary>The folder, made where it is not there.</summary>
    /// <param name="below">The folder that it lies in; null for <see cref="DefaultFolder"/>.</param>
    /// <exception cref="BadInputException">What it is made of is missing or damaged.</exception>
    /// <exception cref="UsageException">It cannot be written.</exception>
    public string Folder(string? below = null)
    {
        var folder = Path.Combine(below ?? DefaultFolder(), key.Value);
        if (Directory.Exists(folder))
            return folder;
        try
        {
            write(folder);
        }
        catch (UsageException) when (Directory.Exists(folder))
        {
            // Another process made it meanwhile: the same files, and whole, since folders appear whole.
        }
        return folder;
    }

    /// <summary>Where made data lie: data/ of <c>LETHE_CACHE</c>; else artifacts/data of the checkout, if it may be written; else lethe/data in the user's cache folder (<c>XDG_CACHE_HOME</c>, ~/.cache).</summary>
    /// <param name="variable">Reads an environment variable; the process's if null.</param>
    public static string DefaultFolder(Func<string, string?>? variable = null)
    {
        variable ??= Environment.GetEnvironmentVariable;
        if (variable(ArtefactCache.FolderVariable) is { Length: > 0 } named)
            return Path.Combine(Path.GetFullPath(named), "data");
        if (PlanPaths.CheckoutFolder() is { } checkout && Path.Combine(checkout, "artifacts", "data") is var own && MayWrite(own))
            return own;
        var caches = variable("XDG_CACHE_HOME") is { Length: > 0 } xdg ? xdg : Path.Combine(variable("HOME") ?? Path.GetTempPath(), ".cache");
        return Path.Combine(caches, "lethe", "data");
    }

    private static string[] WordNetDigests() => WordNetNouns.Missing(WordNetNouns.DebianFolder) is { } missing
        ? throw new BadInputException(missing)
        : [.. ((string[])[WordNetNouns.DataName, WordNetNouns.CountsName]).Select(name => FolderTree.Sha256(Path.Combine(WordNetNouns.DebianFolder, name)))];

    private static bool MayWrite(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var probe = Path.Combine(folder, $".probe-{Environment.ProcessId}-{Environment.CurrentManagedThreadId}");
            File.WriteAllBytes(probe, [1]);
            File.Delete(probe);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
