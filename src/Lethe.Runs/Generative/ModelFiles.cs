using System.Text.Json;
using Lethe.Formats;
using Lethe.Torch;

namespace Lethe.Runs.Generative;

/// <summary>The weights of a small model, read from whatever users hold.</summary>
/// <param name="Tensors">By name.</param>
/// <param name="Sha256">Digest of the file.</param>
/// <param name="File">The file.</param>
/// <param name="Metadata">The safetensors header's texts; empty for other formats.</param>
public sealed record ModelFile(IReadOnlyDictionary<string, HostArray> Tensors, string Sha256, string File, IReadOnlyDictionary<string, string> Metadata);

/// <summary>Reads and writes models as files.</summary>
public static class ModelFiles
{
    /// <summary>Reads a safetensors file, a torch checkpoint (*.pt, *.pth; tensors only), a folder with one of them, or a run's folder.</summary>
    /// <exception cref="BadInputException">There is nothing of the kind, or the file is damaged.</exception>
    public static ModelFile Read(string path)
    {
        var file = Find(path);
        if (file.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            using var tensors = SafetensorsFile.Open(file);
            return new ModelFile(tensors.ReadAll(), FolderTree.Sha256(file), file, tensors.Metadata);
        }
        using var checkpoint = TorchCheckpoint.Open(file);
        return new ModelFile(checkpoint.Entries.ToDictionary(entry => entry.Name, entry => checkpoint.Read(entry.Name)), FolderTree.Sha256(file), file, new Dictionary<string, string>());
    }

    /// <summary>Writes tensors, and under "metadata" what a reader needs beside them.</summary>
    public static void Write(string file, IReadOnlyDictionary<string, HostArray> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        SafetensorsWriter.Write(file, tensors, SafetensorsWriter.DefaultMetadata.Concat((metadata ?? new Dictionary<string, string>()).Where(entry => entry.Key != "format")));

    /// <summary>
    /// Writes a changed model where the run keeps it, called on the torch thread: under the original's name, in its element types, with its metadata; files beside it that
    /// say what it is are copied byte for byte. A torch checkpoint becomes a safetensors file.
    /// </summary>
    /// <param name="original">The model before.</param>
    /// <param name="tensors">All tensors after.</param>
    /// <param name="folder">Where to; replaced whole.</param>
    /// <returns>The file written.</returns>
    /// <exception cref="RunFailedException">Nothing changed.</exception>
    public static string Export(ModelFile original, IReadOnlyDictionary<string, HostArray> tensors, string folder)
    {
        using var scope = new TensorScope();
        tensors = tensors.ToDictionary(entry => entry.Key, entry => InType(entry.Value, original.Tensors[entry.Key].Type));
        if (original.Tensors.All(entry => entry.Value.Bytes.Span.SequenceEqual(tensors[entry.Key].Bytes.Span)))
            throw new RunFailedException("The export would equal the original to the last bit: nothing was forgotten. Look at method.steps and method.strength.");
        var partial = folder + ".partial";
        FolderTree.Remove(partial);
        Directory.CreateDirectory(partial);
        var name = Path.GetFileNameWithoutExtension(original.File) + ".safetensors";
        Write(Path.Combine(partial, name), tensors, original.Metadata);
        var config = Path.Combine(Path.GetDirectoryName(original.File)!, "config.json");
        if (File.Exists(config))
            AtomicFile.Copy(config, Path.Combine(partial, "config.json"));
        FolderTree.Flush(partial);
        FolderTree.Remove(folder);
        FolderTree.Move(partial, folder);
        return Path.Combine(folder, name);
    }

    private static HostArray InType(HostArray array, DType type) => array.Type == type ? array : Tensor.From(array).To(type).ToHost();

    private static string Find(string path)
    {
        if (File.Exists(path))
            return path;
        if (!Directory.Exists(path))
            throw new BadInputException($"{path}: there is no such model; give a safetensors file, a torch checkpoint, a model folder or a run folder.");
        var model = Path.Combine(path, "model");
        var folder = Directory.Exists(model) ? model : path;
        string[] found = [.. Directory.GetFiles(folder).Where(file => Path.GetExtension(file) is ".safetensors" or ".pt" or ".pth")];
        return found.Length == 1 ? found[0] : throw new BadInputException(
            $"{folder}: {found.Length} model files are there, one is expected; name the file itself.");
    }
}
