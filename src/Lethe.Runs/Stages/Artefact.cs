using System.Text.Json;
using System.Text.Json.Nodes;
using Lethe.Formats;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>One file of an artefact.</summary>
/// <param name="Name">Its name below the artefact's folder, with "/".</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">SHA-256 of its content, lower-case hexadecimal.</param>
public sealed record ArtefactFile(string Name, long Bytes, string Sha256);

/// <summary>artefact.json: what an artefact is and what it was computed from.</summary>
public sealed record ArtefactRecord
{
    /// <summary>Version of this layout.</summary>
    public string Schema { get; init; } = CurrentSchema;

    /// <summary>Name of the stage.</summary>
    public required string Stage { get; init; }

    /// <summary>The method that computed it.</summary>
    public required string Method { get; init; }

    /// <summary>Version of the method.</summary>
    public required int Version { get; init; }

    /// <summary>Digest of the stage: everything that it was computed from.</summary>
    public required string Digest { get; init; }

    /// <summary>SHA-256 over the names and digests of its files: what came out.</summary>
    public required string Content { get; init; }

    /// <summary>What it was computed from.</summary>
    public required IReadOnlyList<StageInput> Inputs { get; init; }

    /// <summary>The method's options.</summary>
    public JsonNode? Options { get; init; }

    /// <summary>What the numbers depend on besides.</summary>
    public required EnvironmentFacts Environment { get; init; }

    /// <summary>Wall-clock seconds that it took, over all attempts that it was resumed from.</summary>
    public required double Seconds { get; init; }

    /// <summary>UTC time at which it was complete.</summary>
    public required DateTimeOffset Computed { get; init; }

    /// <summary>Version of Lethe that computed it.</summary>
    public required string Lethe { get; init; }

    /// <summary>Its files in ordinal order of their names.</summary>
    public required IReadOnlyList<ArtefactFile> Files { get; init; }

    /// <summary>The layout that this version writes.</summary>
    public const string CurrentSchema = "lethe.artefact/1";
}

/// <summary>Where an artefact came from.</summary>
public enum ArtefactSource
{
    /// <summary>It was computed now.</summary>
    Computed,
    /// <summary>The run's folder held it.</summary>
    Run,
    /// <summary>The shared cache held it.</summary>
    Cache,
}

/// <summary>What a stage has made: a folder of files whose digests have been verified.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Record">What it is.</param>
/// <param name="Source">Where it came from.</param>
public sealed record Artefact(string Folder, ArtefactRecord Record, ArtefactSource Source)
{
    /// <summary>Name of the file that makes a folder an artefact; it is written last.</summary>
    public const string RecordName = "artefact.json";

    /// <summary>Name of the file that holds the stage's lines of metrics.jsonl, where it has any.</summary>
    public const string MetricsName = "metrics.jsonl";

    /// <summary>Digest of the content: what a later stage names as its input.</summary>
    public string Content => Record.Content;

    /// <summary>This artefact as the input of a later stage.</summary>
    /// <param name="name">What it is to that stage.</param>
    public StageInput As(string name) => new(name, Content);

    /// <summary>Path of one of its files.</summary>
    /// <exception cref="InvalidOperationException">The stage wrote no such file: a mistake in the pipeline.</exception>
    public string PathOf(string file) => Record.Files.Any(known => known.Name == file)
        ? Path.Combine(Folder, file)
        : throw new InvalidOperationException($"Stage '{Record.Stage}' has no file '{file}'; it has {string.Join(", ", Record.Files.Select(known => known.Name))}.");

    /// <summary>Opens the artefact of a finished run's stage, whatever it was computed from, and verifies every file of it.</summary>
    /// <param name="paths">The run.</param>
    /// <param name="stage">The stage.</param>
    /// <exception cref="BadInputException">The run has no such artefact, or it is damaged.</exception>
    public static Artefact Open(RunPaths paths, string stage)
    {
        var folder = paths.Stage(stage);
        var record = Path.Combine(folder, RecordName);
        if (!File.Exists(record))
            throw new BadInputException($"{paths.Root}: the run has no artefact '{stage}'; it is not finished, or its stages were removed. Run its plan again to finish it.");
        try
        {
            var digest = JsonSerializer.Deserialize<ArtefactRecord>(File.ReadAllBytes(record), Strict)?.Digest ?? "";
            return TryOpen(folder, digest, ArtefactSource.Run, out var damage) ?? throw new BadInputException($"{folder} is damaged: {damage}. Run the run's plan again to mend it.");
        }
        catch (JsonException error)
        {
            throw new BadInputException($"{record} cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Opens an artefact and verifies every file of it.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="digest">Digest of the stage that it must have been computed by.</param>
    /// <param name="source">Where it came from.</param>
    /// <param name="damage">What is wrong with it; null where there is none of this digest, or nothing is wrong.</param>
    /// <returns>The artefact; null if there is none, it belongs to another digest, or it is damaged.</returns>
    internal static Artefact? TryOpen(string folder, string digest, ArtefactSource source, out string? damage)
    {
        damage = null;
        try
        {
            var path = Path.Combine(folder, RecordName);
            if (!File.Exists(path))
                return null;
            var record = JsonSerializer.Deserialize<ArtefactRecord>(File.ReadAllBytes(path), Strict);
            if (record is null || record.Schema == ArtefactRecord.CurrentSchema && record.Digest != digest)
                return null;
            damage = Damage(folder, record);
            return damage is null ? new Artefact(folder, record, source) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or NotSupportedException)
        {
            damage = $"{RecordName} cannot be read: {e.Message}";
            return null;
        }
    }

    /// <summary>Makes a folder of finished files an artefact: flushes them, and writes what it is last of all.</summary>
    internal static void Seal(string folder, Stage stage, double seconds, DateTimeOffset now)
    {
        var files = FolderTree.Files(folder).Select(file => new ArtefactFile(file, new FileInfo(Path.Combine(folder, file)).Length, FolderTree.Sha256(Path.Combine(folder, file)))).ToList();
        FolderTree.Flush(folder);
        var record = new ArtefactRecord
        {
            Stage = stage.Name,
            Method = stage.Method,
            Version = stage.Version,
            Digest = stage.Digest,
            Content = ContentOf(files),
            Inputs = stage.Inputs,
            Options = CanonicalJson.Node(stage.Options),
            Environment = stage.Environment,
            Seconds = Math.Round(seconds, 3),
            Computed = now,
            Lethe = MachineFacts.LetheVersion,
            Files = files,
        };
        AtomicFile.Write(Path.Combine(folder, RecordName), stream => JsonSerializer.Serialize(stream, record, ResultJson.Options));
    }

    /// <summary>Fills a folder with this artefact's files, by second names where the file system gives them.</summary>
    internal void LinkInto(string folder)
    {
        foreach (var file in Record.Files.Select(file => file.Name).Append(RecordName))
            FolderTree.LinkOrCopy(Path.Combine(Folder, file), Path.Combine(folder, file));
        FolderTree.Flush(folder);
    }

    /// <summary>Caches may be shared: a null where the record has none is damage, and no crash later on.</summary>
    private static readonly JsonSerializerOptions Strict = new(ResultJson.Options) { RespectNullableAnnotations = true };

    private static string? Damage(string folder, ArtefactRecord record)
    {
        if (record.Schema != ArtefactRecord.CurrentSchema)
            return $"its layout is '{record.Schema}' and not '{ArtefactRecord.CurrentSchema}'";
        foreach (var file in record.Files)
        {
            // The record may come from a cache that others write to: a name must not lead out of the folder.
            if (file is null)
                return "a file in its list is null";
            if (Path.IsPathRooted(file.Name) || file.Name.Split('/').Any(part => part is "" or "." or ".."))
                return $"'{file.Name}' is no name of a file inside it";
            var info = new FileInfo(Path.Combine(folder, file.Name));
            if (!info.Exists)
                return $"{file.Name} is missing";
            if (info.Length != file.Bytes)
                return $"{file.Name} has {info.Length} bytes and had {file.Bytes}";
            if (FolderTree.Sha256(info.FullName) != file.Sha256)
                return $"{file.Name} has changed since it was written";
        }
        return record.Content == ContentOf(record.Files) ? null : "its content digest does not fit its files";
    }

    private static string ContentOf(IReadOnlyList<ArtefactFile> files) =>
        CanonicalJson.Digest(files.Where(file => file.Name != MetricsName).OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => new[] { file.Name, file.Sha256 }));
}
