using Lethe.Formats;
using Lethe.Formats.Gguf;
using Lethe.Formats.Llama2C;
using Lethe.Formats.Tokenizers;
using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>
/// A language model's files, opened and checked, with nothing loaded: configuration, weights, tokenizer, special tokens, chat template. Three
/// kinds: a Hugging Face directory, a GGUF file, a llama2.c file with its tokenizer beside it.
/// </summary>
public abstract class LanguageCheckpoint : IDisposable
{
    private readonly Lazy<Tokenizer?> tokenizer;
    private readonly Lazy<SpecialTokens> special;
    private readonly Lazy<string?> template;

    private protected LanguageCheckpoint(string path, LanguageModelConfiguration configuration, IWeightSource weights)
    {
        (Path, Configuration, Weights) = (path, configuration, weights);
        tokenizer = new(() => ReadTokenizer() is { } read ? Checked(read) : null);
        special = new(ReadSpecial);
        template = new(ReadChatTemplate);
    }

    /// <summary>The directory or the file.</summary>
    public string Path { get; }

    /// <summary>The model's shape and constants.</summary>
    public LanguageModelConfiguration Configuration { get; }

    /// <summary>The weights, under Hugging Face's names and in its order of rows; they belong to this object.</summary>
    public IWeightSource Weights { get; }

    /// <summary>Whether there is a tokenizer; some checkpoints are weights only.</summary>
    /// <exception cref="BadInputException">It is damaged or does not fit the model.</exception>
    public bool HasTokenizer => tokenizer.Value is not null;

    /// <summary>The tokenizer; read when it is first asked for.</summary>
    /// <exception cref="BadInputException">There is none, it is damaged, or it has tokens that the embedding has no row for.</exception>
    public Tokenizer Tokenizer => tokenizer.Value ?? throw new BadInputException($"{Path}: has no tokenizer; {MissingTokenizer}.");

    /// <summary>The special tokens; read when they are first asked for.</summary>
    /// <exception cref="BadInputException">A file that names them is damaged.</exception>
    public SpecialTokens Special => special.Value;

    /// <summary>The chat template in Jinja; null where there is none.</summary>
    /// <exception cref="BadInputException">A file that holds it is damaged.</exception>
    public string? ChatTemplateText => template.Value;

    /// <summary>Opens a Hugging Face directory, a .gguf file or a folder that holds one, or a llama2.c .bin with its tokenizer beside it.</summary>
    /// <param name="path">The directory or file.</param>
    /// <exception cref="BadInputException">There is nothing of the kind, the architecture is unknown, or a file is damaged; the message names file and field.</exception>
    public static LanguageCheckpoint Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            if (File.Exists(System.IO.Path.Combine(path, FolderCheckpoint.ConfigurationFile)))
                return FolderCheckpoint.OpenFolder(path);
            var packed = Directory.GetFiles(path, "*.gguf");
            return packed.Length == 1 ? GgufCheckpoint.OpenFile(packed[0])
                : throw new BadInputException($"{path}: holds neither config.json nor one GGUF file{(packed.Length > 1 ? $", but {packed.Length}: name the file itself" : "")}.");
        }
        if (!File.Exists(path))
            throw new BadInputException($"{path}: there is no such file or folder.");
        return System.IO.Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".gguf" => GgufCheckpoint.OpenFile(path),
            ".bin" => Llama2CCheckpoint.OpenFile(path),
            ".safetensors" or ".json" => throw new BadInputException($"{path}: is one file of a Hugging Face directory; name the directory."),
            ".pt" or ".pth" or ".ckpt" => throw new BadInputException($"{path}: is a pickle, which may run programs; convert it to a Hugging Face directory with safetensors."),
            _ => throw new BadInputException($"{path}: is no language model; name a Hugging Face directory, a .gguf file or a llama2.c .bin file."),
        };
    }

    /// <summary>Loads the model, or a slice of it. It reads embedding rows from <see cref="Weights"/> as long as it lives, so this checkpoint stays open that long.</summary>
    /// <param name="options">Which layers, whether the head, type, device, what is trainable; by default everything in float32, frozen.</param>
    /// <exception cref="BadInputException">A tensor is missing or of another shape; the message names the file and the tensor.</exception>
    /// <exception cref="UsageException">The layers asked for are not there, or a trainable parameter is not among what is loaded.</exception>
    public CausalLanguageModel Load(LoadOptions? options = null) => CausalLanguageModel.Create(Configuration, Weights, options ?? new LoadOptions());

    /// <summary>
    /// Writes the model with some tensors changed into a new folder. A Hugging Face directory keeps names, types, shards and every other file
    /// byte for byte; GGUF and llama2.c become a Hugging Face directory in float32, with the tied head left out.
    /// </summary>
    /// <param name="folder">A new or empty folder outside the checkpoint. It appears whole or not at all.</param>
    /// <param name="changed">New values by name, real numbers of any type in the stored shape; they are cast to the type of the file.</param>
    /// <returns>The files written, by their names within the folder.</returns>
    /// <exception cref="BadInputException">A name is not in the model, or a shape differs.</exception>
    /// <exception cref="UsageException">The folder is not empty, lies in the checkpoint, or cannot be written.</exception>
    /// <exception cref="RunFailedException">A value is not finite, or becomes infinite in the stored type.</exception>
    public IReadOnlyList<string> Save(string folder, IReadOnlyDictionary<string, HostArray> changed)
    {
        ArgumentNullException.ThrowIfNull(changed);
        var cast = new Dictionary<string, HostArray>(StringComparer.Ordinal);
        foreach (var (name, array) in changed)
        {
            if (!Weights.Contains(name))
                throw new BadInputException($"{Path}: has no tensor '{name}' that could be changed{(name is "lm_head.weight" or "embed_out.weight" && Configuration.TieEmbeddings ? "; the head is the embedding's matrix" : "")}.");
            var (shape, stored) = Weights.Describe(name);
            if (!shape.SequenceEqual(array.Shape))
                throw new BadInputException($"{Weights.Where(name)}: tensor '{name}' is [{string.Join(", ", shape)}] and cannot be replaced by [{string.Join(", ", array.Shape)}].");
            cast[name] = Casting.To(array, SavedType(stored), name);
        }
        RefuseOwnFolder(folder);
        AtomicFolder.Write(folder, partial => WriteTo(partial, cast));
        return [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => System.IO.Path.GetRelativePath(folder, file)).Order(StringComparer.Ordinal)];
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        Weights.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Where a tokenizer would be looked for; ends the sentence that says there is none.</summary>
    private protected abstract string MissingTokenizer { get; }

    private protected abstract Tokenizer? ReadTokenizer();

    private protected abstract SpecialTokens ReadSpecial();

    private protected abstract string? ReadChatTemplate();

    /// <summary>The type that a tensor is saved in.</summary>
    private protected abstract DType SavedType(DType stored);

    private protected abstract void WriteTo(string folder, IReadOnlyDictionary<string, HostArray> changed);

    /// <summary>Embeddings may be padded beyond the tokenizer; a token without a row would read past the matrix.</summary>
    private Tokenizer Checked(Tokenizer read) => read.VocabularySize <= Configuration.VocabularySize
        ? read
        : throw new BadInputException($"{Path}: the tokenizer has ids up to {read.VocabularySize - 1}, but the model's vocabulary has {Configuration.VocabularySize} tokens (vocab_size); they do not belong together.");

    private void RefuseOwnFolder(string folder)
    {
        var own = Real(Directory.Exists(Path) ? Path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!);
        var target = Real(folder);
        if (target == own || (Directory.Exists(Path) && target.StartsWith(own + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal)))
            throw new UsageException($"{folder} lies in the checkpoint that is read; name another folder.");
    }

    /// <summary>The path without links, as far as it exists.</summary>
    private static string Real(string path)
    {
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (System.IO.Path.GetDirectoryName(full) is not { } parent)
            return full;
        var resolved = System.IO.Path.Combine(Real(parent), System.IO.Path.GetFileName(full));
        return Directory.Exists(resolved) && new DirectoryInfo(resolved).ResolveLinkTarget(returnFinalTarget: true) is { } target ? Real(target.FullName) : resolved;
    }
}
