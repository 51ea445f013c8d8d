using Lethe.Evaluation.Weights;
using Lethe.Models.Language.Checkpoints;
using Lethe.Runs.Results;
using Lethe.Torch;

namespace Lethe.Runs.Language.Unlearning;

/// <summary>Writes the changed model and compares it with what it was.</summary>
internal static class LanguageExport
{
    private const string ModelName = "model";

    /// <summary>Writes the model with θ₀ + strength · (θ_found − θ₀) as a stage.</summary>
    /// <param name="runner">The run.</param>
    /// <param name="checkpoint">The base model.</param>
    /// <param name="digest">What it is known by.</param>
    /// <param name="forgotten">The artefact of the stage "forget".</param>
    /// <param name="found">Reads the weights found out of it.</param>
    /// <param name="strength">0 to 1.</param>
    /// <exception cref="RunFailedException">Nothing changed.</exception>
    public static Artefact Stage(StageRunner runner, LanguageCheckpoint checkpoint, string digest, Artefact forgotten, Func<IReadOnlyDictionary<string, HostArray>> found, double strength) => runner.Run(
        new Stage { Name = "export", Method = "hugging-face-folder", Version = 1, Options = new { strength }, Inputs = [new("model", digest), forgotten.As("weights")], Environment = new("float32", "cpu", 1, "none"), Shared = false },
        work =>
        {
            using var scope = new TensorScope();
            var changed = found().ToDictionary(entry => entry.Key, entry => Part(checkpoint.Weights.Read(entry.Key), entry.Value, strength));
            var folder = Path.Combine(work.Folder, ModelName);
            checkpoint.Save(folder, changed);
            using var written = LanguageCheckpoint.Open(folder);
            if (changed.Keys.All(name => Same(checkpoint.Weights.Read(name), written.Weights.Read(name))))
                throw new RunFailedException("The export would equal the original to the last bit: nothing was forgotten. Look at method.steps, method.learning_rate and method.strength, and at the guard.");
        });

    /// <summary>The exported model's folder within its artefact.</summary>
    public static string FolderOf(Artefact exported) => Path.Combine(exported.Folder, ModelName);

    /// <summary>Puts the exported files under second names where the run shows them; replaced whole.</summary>
    public static void Show(Artefact exported, string folder)
    {
        var partial = folder + ".partial";
        FolderTree.Remove(partial);
        foreach (var file in exported.Record.Files.Select(file => file.Name).Where(name => name.StartsWith(ModelName + "/", StringComparison.Ordinal)))
            FolderTree.LinkOrCopy(Path.Combine(exported.Folder, file), Path.Combine(partial, file[(ModelName.Length + 1)..]));
        FolderTree.Flush(partial);
        FolderTree.Remove(folder);
        FolderTree.Move(partial, folder);
    }

    /// <summary>How far each of some tensors of a model lies from what it was.</summary>
    public static IReadOnlyList<LanguageTensorMove> Moved(LanguageCheckpoint before, LanguageCheckpoint after, IEnumerable<string> names)
    {
        string[] all = [.. names];
        return [.. TensorMovement.Compare(all.ToDictionary(name => name, before.Weights.Read), all.ToDictionary(name => name, after.Weights.Read))
            .Select(move => new LanguageTensorMove(move.Name, move.Shape, move.Norm, move.Relative, move.Largest))];
    }

    private static HostArray Part(HostArray original, HostArray found, double strength)
    {
        if (strength == 1)
            return found;
        using var scope = new TensorScope();
        var from = Tensor.From(original).To(DType.Float32);
        return from.Add(Tensor.From(found).To(DType.Float32) - from, strength).ToHost();
    }

    private static bool Same(HostArray one, HostArray other) => one.Type == other.Type && one.Bytes.Span.SequenceEqual(other.Bytes.Span);
}
