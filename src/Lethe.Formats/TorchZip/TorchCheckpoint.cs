using System.Globalization;
using System.Text;
using Lethe.Torch;

namespace Lethe.Formats;

/// <summary>What a checkpoint says of one tensor.</summary>
/// <param name="Name">Its path through dictionaries and lists, joined by dots: <c>state_dict.fc1.weight</c>, <c>optimizer.state.0.exp_avg</c>.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Sizes of the dimensions; empty for a scalar.</param>
public sealed record TorchEntry(string Name, DType Type, IReadOnlyList<long> Shape);

/// <summary>
/// A checkpoint by torch.save (the ZIP format, since torch 1.6), read by a machine that builds tensors, dictionaries, lists, texts and numbers
/// and refuses everything else by name. Tensors are read when they are asked for.
/// </summary>
public sealed class TorchCheckpoint : IDisposable
{
    private const int MaxDepth = 64;
    private const int MaxNameLength = 1024;

    private readonly ZipInput zip;
    private readonly string prefix;
    private readonly OrderedDictionary<string, TorchTensor> tensors = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, object?> values = new(StringComparer.Ordinal);

    /// <summary>Views of one storage often follow each other; it is read once for all of them.</summary>
    private (string Key, byte[] Bytes)? recent;

    /// <summary>Names and visits that are left; a pickle of n bytes that repeats its parts could make far more of both.</summary>
    private long visitsLeft, lettersLeft;

    private TorchCheckpoint(ZipInput zip)
    {
        this.zip = zip;
        prefix = FindPrefix();
        if (zip.Contains(prefix + "byteorder") && Encoding.ASCII.GetString(zip.Read(prefix + "byteorder", 16)).Trim() is var order && order != "little")
            throw InputFile.Refuse(zip.File, $"was saved with the byte order '{order}'; only 'little' is read.");
        var pickle = zip.Read(prefix + "data.pkl", RestrictedUnpickler.MaxBytes);
        visitsLeft = 1024L + pickle.Length;
        lettersLeft = 65_536 + 256L * pickle.Length;
        Walk(new StringBuilder(), RestrictedUnpickler.Load(zip.File, pickle), 0);
    }

    /// <summary>The tensors in the order of the checkpoint.</summary>
    public IReadOnlyList<TorchEntry> Entries => [.. tensors.Select(pair => new TorchEntry(pair.Key, pair.Value.Storage.Type, pair.Value.Shape))];

    /// <summary>What is not a tensor, by the same kind of name: string, long, System.Numerics.BigInteger, double, bool or null.</summary>
    public IReadOnlyDictionary<string, object?> Values => values;

    /// <summary>Opens a checkpoint and reads its structure.</summary>
    /// <exception cref="BadInputException">The file is missing or damaged, is in the format before torch 1.6, holds a TorchScript program, or anything but tensors, dictionaries, lists, texts and numbers.</exception>
    public static TorchCheckpoint Open(string path) => Open(InputFile.Open(path), path);

    /// <summary>Opens a stream that can seek, which becomes the checkpoint's own.</summary>
    /// <param name="stream">The content.</param>
    /// <param name="name">Name for errors.</param>
    /// <exception cref="BadInputException">See <see cref="Open(string)"/>.</exception>
    public static TorchCheckpoint Open(Stream stream, string name)
    {
        try
        {
            RefuseOldFormats(stream, name);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
        var zip = ZipInput.Open(name, stream);
        try
        {
            return new TorchCheckpoint(zip);
        }
        catch
        {
            zip.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => tensors.ContainsKey(name);

    /// <summary>A tensor, row-major.</summary>
    /// <exception cref="BadInputException">There is none of that name, or its bytes are missing, damaged or more than 2 GiB.</exception>
    public HostArray Read(string name)
    {
        if (!tensors.TryGetValue(name, out var tensor))
            throw InputFile.Refuse(zip.File, $"has no tensor '{name}'; it has {tensors.Count}{(tensors.Count == 0 ? "" : $": {string.Join(", ", tensors.Keys.Take(8))}{(tensors.Count > 8 ? ", …" : "")}")}.");
        var type = tensor.Storage.Type;
        var length = ElementChecks.ByteLength(tensor.Shape, type.Size())!.Value;
        if (length == 0)
            return new HostArray(type, tensor.Shape, ReadOnlyMemory<byte>.Empty);
        var storage = ReadStorage(tensor.Storage);
        var bytes = Strided.IsRowMajor(tensor.Shape, tensor.Strides)
            ? storage.AsSpan((int)(tensor.Offset * type.Size()), (int)length).ToArray()
            : Strided.ToRowMajor(storage, type.Size(), tensor.Shape, tensor.Strides, tensor.Offset);
        ElementChecks.Check(zip.File, name, type, bytes);
        return new HostArray(type, tensor.Shape, bytes);
    }

    /// <summary>All tensors by name.</summary>
    /// <exception cref="BadInputException">See <see cref="Read"/>.</exception>
    public IReadOnlyDictionary<string, HostArray> ReadAll() => tensors.Keys.ToDictionary(name => name, Read, StringComparer.Ordinal);

    /// <summary>Closes the file.</summary>
    public void Dispose() => zip.Dispose();

    private static void RefuseOldFormats(Stream stream, string name)
    {
        var start = new byte[4];
        var got = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        if (got > 0 && start[0] == 0x80)
            throw InputFile.Refuse(name, "is a plain pickle, as torch before 1.6 saved (a pickle is a program and is not read); load it where you trust it and save it again with a newer torch, or as safetensors.");
        if (got < 4 || !start.AsSpan().SequenceEqual("PK\u0003\u0004"u8))
            throw InputFile.Refuse(name, "is no torch checkpoint: it does not begin like a ZIP archive.");
    }

    /// <summary>All entries lie in one folder, whose name is arbitrary.</summary>
    private string FindPrefix()
    {
        var pickles = zip.Names.Where(entry => entry == "data.pkl" || entry.EndsWith("/data.pkl", StringComparison.Ordinal)).ToList();
        if (pickles.Count != 1)
            throw InputFile.Refuse(zip.File, $"is no torch checkpoint: the archive has {pickles.Count} entries data.pkl, and one is needed.");
        var found = pickles[0][..^"data.pkl".Length];
        if (zip.Contains(found + "constants.pkl") || zip.Names.Any(entry => entry.StartsWith(found + "code/", StringComparison.Ordinal)))
            throw InputFile.Refuse(zip.File, "is a TorchScript program, which is not read; save the model's state_dict.");
        return found;
    }

    /// <summary>Gives every tensor and value its name.</summary>
    private void Walk(StringBuilder name, object? node, int depth)
    {
        if (--visitsLeft < 0)
            throw InputFile.Refuse(zip.File, "repeats its parts so often that its size has no bound.");
        if (depth > MaxDepth)
            throw InputFile.Refuse(zip.File, $"nests dictionaries and lists more than {MaxDepth} deep.");
        switch (node)
        {
            case PickleDict dict:
                foreach (var (key, value) in dict.Items)
                    Descend(name, key as string ?? ((long)key).ToString(CultureInfo.InvariantCulture), value, depth);
                break;
            case PickleList list:
                for (var i = 0; i < list.Items.Count; i++)
                    Descend(name, i.ToString(CultureInfo.InvariantCulture), list.Items[i], depth);
                break;
            case PickleTuple tuple:
                for (var i = 0; i < tuple.Items.Length; i++)
                    Descend(name, i.ToString(CultureInfo.InvariantCulture), tuple.Items[i], depth);
                break;
            case TorchTensor tensor:
                CheckStorage(tensor.Storage);
                if (!tensors.TryAdd(TakeName(name), tensor))
                    throw Twice(name);
                break;
            case TorchStorage or PickleGlobal:
                throw InputFile.Refuse(zip.File, $"'{name}' is a storage or a type without a tensor; only tensors are read.");
            default:
                if (!values.TryAdd(TakeName(name), node))
                    throw Twice(name);
                break;
        }
    }

    private void Descend(StringBuilder name, string key, object? value, int depth)
    {
        var length = name.Length;
        if (length + key.Length > MaxNameLength)
            throw InputFile.Refuse(zip.File, $"has the name '{name}.{key[..Math.Min(64, key.Length)]}…', which is longer than {MaxNameLength} letters.");
        name.Append(length > 0 ? "." : "").Append(key);
        Walk(name, value, depth + 1);
        name.Length = length;
    }

    private string TakeName(StringBuilder name) => (lettersLeft -= name.Length) >= 0
        ? name.ToString()
        : throw InputFile.Refuse(zip.File, "repeats its parts so often that its names have no bound.");

    private BadInputException Twice(StringBuilder name) =>
        InputFile.Refuse(zip.File, $"has two things named '{name}', as a key with a dot beside a nested dictionary gives, or the keys 1 and '1'; rename one.");

    private void CheckStorage(TorchStorage storage)
    {
        var entry = $"{prefix}data/{storage.Key}";
        if (!zip.Contains(entry))
            throw InputFile.Refuse(zip.File, $"lacks the entry '{entry}', which holds a tensor's {storage.Count} elements.");
        if (zip.LengthOf(entry) is var length && length != storage.Count * storage.Type.Size())
            throw InputFile.Refuse(zip.File, $"the entry '{entry}' has {length} bytes; its {storage.Count} elements of {storage.Type} take {storage.Count * storage.Type.Size()}.");
    }

    private byte[] ReadStorage(TorchStorage storage)
    {
        if (recent is { } last && last.Key == storage.Key)
            return last.Bytes;
        recent = null;
        var bytes = zip.Read($"{prefix}data/{storage.Key}", ElementChecks.MaxArrayBytes);
        recent = (storage.Key, bytes);
        return bytes;
    }
}
