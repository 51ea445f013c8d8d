using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>A model's weights behind one face, be they one safetensors file or shards with an index.</summary>
public sealed class SafetensorsModel : IDisposable
{
    /// <summary>The name that a model in one file has.</summary>
    public const string FileName = "model.safetensors";

    /// <summary>huggingface_hub's default for one shard: "5GB", decimal.</summary>
    public const long DefaultShardBytes = 5_000_000_000;

    private readonly Dictionary<string, SafetensorsFile> fileOf = new(StringComparer.Ordinal);
    private readonly List<SafetensorsFile> files = [];

    private SafetensorsModel(string path) => Path = path;

    /// <summary>What was opened: a file, an index or a folder.</summary>
    public string Path { get; }

    /// <summary>The index's path; null where one file holds everything.</summary>
    public string? IndexPath { get; private set; }

    /// <summary>The files, in the index's order.</summary>
    public IReadOnlyList<SafetensorsFile> Files => files;

    /// <summary>All tensors, file by file in the order of their data. A tensor that the index forgot is among them, so that none is hidden.</summary>
    public IEnumerable<SafetensorsEntry> Entries => files.SelectMany(file => file.Entries);

    /// <summary>Opens a safetensors file, an index (*.index.json), or a folder with model.safetensors.index.json, model.safetensors or one only safetensors file.</summary>
    /// <exception cref="BadInputException">There is nothing of the kind; a file breaks a rule of the format; the index names a tensor that its file lacks; two files hold the same tensor.</exception>
    public static SafetensorsModel Open(string path)
    {
        var model = new SafetensorsModel(path);
        try
        {
            var found = Directory.Exists(path) ? Find(path) : path;
            if (found.EndsWith(".json", StringComparison.Ordinal))
                model.OpenShards(found);
            else
                model.Add(found);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => fileOf.ContainsKey(name);

    /// <summary>The file that holds a tensor.</summary>
    /// <exception cref="BadInputException">There is none of that name.</exception>
    public SafetensorsFile FileOf(string name) => fileOf.GetValueOrDefault(name)
        ?? throw InputFile.Refuse(Path, $"has no tensor '{name}' among its {fileOf.Count}{(fileOf.Count == 0 ? "" : $": {string.Join(", ", Entries.Take(8).Select(entry => entry.Name))}{(fileOf.Count > 8 ? ", …" : "")}")}.");

    /// <summary>What the header says of a tensor; its offset counts within <see cref="FileOf"/>.</summary>
    /// <exception cref="BadInputException">There is none of that name.</exception>
    public SafetensorsEntry Entry(string name) => FileOf(name).Entry(name);

    /// <summary>A copy of a tensor in ordinary memory; see <see cref="SafetensorsFile.Read"/>.</summary>
    /// <exception cref="BadInputException">See <see cref="SafetensorsFile.Read"/>.</exception>
    public HostArray Read(string name) => FileOf(name).Read(name);

    /// <summary>
    /// Writes the model with some tensors changed into a folder: same files, names, types and order. Files in which nothing changed, and
    /// the index, are copied byte for byte.
    /// </summary>
    /// <param name="folder">Where the files go; it exists and is not the model's own.</param>
    /// <param name="changed">New values by name; type and shape as they were.</param>
    /// <exception cref="BadInputException">A name is not in the model, or a type or shape differs.</exception>
    /// <exception cref="UsageException">The folder cannot be written, or is the model's own.</exception>
    public void WriteCopy(string folder, IReadOnlyDictionary<string, HostArray> changed)
    {
        var owners = changed.Keys.ToLookup(FileOf);
        foreach (var file in files)
            file.WriteCopy(System.IO.Path.Combine(folder, System.IO.Path.GetFileName(file.Path)), owners[file].ToDictionary(name => name, name => changed[name]));
        if (IndexPath is not null)
            AtomicFile.Copy(IndexPath, System.IO.Path.Combine(folder, System.IO.Path.GetFileName(IndexPath)));
    }

    /// <summary>
    /// Writes a model into a folder: one model.safetensors if it fits one shard, else model-00001-of-0000N.safetensors and the index.
    /// Tensors go into shards greedily in the order given, as huggingface_hub does; one larger than a shard gets its own.
    /// </summary>
    /// <param name="folder">Where the files go; it exists.</param>
    /// <param name="tensors">What the model holds.</param>
    /// <param name="metadata">Texts for every file's header; see <see cref="SafetensorsWriter.Write(string, IEnumerable{SafetensorsItem}, IEnumerable{KeyValuePair{string, string}})"/>.</param>
    /// <param name="shardBytes">The most bytes of tensors in one file, at least 1.</param>
    /// <returns>The files written, the index last where there is one.</returns>
    /// <exception cref="ArgumentException">Two tensors have the same name.</exception>
    /// <exception cref="UsageException">The folder cannot be written.</exception>
    public static IReadOnlyList<string> Write(string folder, IEnumerable<SafetensorsItem> tensors, IReadOnlyDictionary<string, string>? metadata = null, long shardBytes = DefaultShardBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(shardBytes, 1);
        var shards = Split(tensors, shardBytes);
        if (shards.Count == 1)
        {
            var single = System.IO.Path.Combine(folder, FileName);
            SafetensorsWriter.Write(single, shards[0], metadata);
            return [single];
        }
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = shards.Select((_, i) => $"model-{i + 1:00000}-of-{shards.Count:00000}.safetensors").ToList();
        foreach (var (shard, name) in shards.Zip(names))
            foreach (var item in shard)
                if (!map.TryAdd(item.Name, name))
                    throw new ArgumentException($"Two tensors are named '{item.Name}'; names in a model are unique.", nameof(tensors));
        foreach (var (shard, name) in shards.Zip(names))
            SafetensorsWriter.Write(System.IO.Path.Combine(folder, name), shard, metadata);
        var index = System.IO.Path.Combine(folder, SafetensorsIndex.FileName);
        new SafetensorsIndex(map).Write(index, shards.Sum(shard => shard.Sum(item => item.Length)));
        return [.. names.Select(name => System.IO.Path.Combine(folder, name)), index];
    }

    /// <summary>Closes all files; mappings stay while leases are held.</summary>
    public void Dispose() => files.ForEach(file => file.Dispose());

    private static List<List<SafetensorsItem>> Split(IEnumerable<SafetensorsItem> tensors, long shardBytes)
    {
        var shards = new List<List<SafetensorsItem>>();
        List<SafetensorsItem> current = [];
        var size = 0L;
        foreach (var item in tensors)
        {
            if (item.Length > shardBytes)
            {
                shards.Add([item]);
                continue;
            }
            if (size + item.Length > shardBytes)
            {
                shards.Add(current);
                (current, size) = ([], 0);
            }
            current.Add(item);
            size += item.Length;
        }
        if (current.Count > 0 || shards.Count == 0)
            shards.Add(current);
        return shards;
    }

    private static string Find(string folder)
    {
        foreach (var name in (string[])[SafetensorsIndex.FileName, FileName])
            if (System.IO.Path.Combine(folder, name) is var path && File.Exists(path))
                return path;
        var others = Directory.GetFiles(folder, "*.safetensors");
        return others.Length == 1
            ? others[0]
            : throw InputFile.Refuse(folder, $"holds neither {SafetensorsIndex.FileName} nor {FileName}, and {(others.Length == 0 ? "no" : "more than one")} other safetensors file; name the file itself.");
    }

    private void OpenShards(string indexPath)
    {
        IndexPath = indexPath;
        var index = SafetensorsIndex.Read(indexPath);
        var folder = System.IO.Path.GetDirectoryName(indexPath)!;
        foreach (var name in index.Files)
            Add(System.IO.Path.Combine(folder, name));
        foreach (var (tensor, name) in index.WeightMap)
            if (!fileOf.TryGetValue(tensor, out var file) || System.IO.Path.GetFileName(file.Path) != name)
                throw InputFile.Refuse(indexPath, $"says that {name} holds the tensor '{tensor}', but it does not.");
    }

    private void Add(string path)
    {
        var file = SafetensorsFile.Open(path);
        files.Add(file);
        foreach (var entry in file.Entries)
            if (!fileOf.TryAdd(entry.Name, file))
                throw InputFile.Refuse(path, $"holds the tensor '{entry.Name}', which {System.IO.Path.GetFileName(fileOf[entry.Name].Path)} holds too; a model holds each tensor once.");
    }
}
