using System.Text.Json;
using Lethe.Formats;
using Lethe.Formats.Tokenizers;
using Lethe.Torch;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>A Hugging Face directory.</summary>
internal sealed class FolderCheckpoint : LanguageCheckpoint
{
    public const string ConfigurationFile = "config.json", TokenizerFile = "tokenizer.json", TokenizerSettings = "tokenizer_config.json", TemplateFile = "chat_template.jinja";

    /// <summary>Weights of the same model in other formats. They would still hold what an edit took away, so they do not go along.</summary>
    private static readonly string[] OtherWeights = [".bin", ".pt", ".pth", ".ckpt", ".gguf", ".onnx", ".onnx_data", ".h5", ".msgpack", ".ot", ".tflite", ".safetensors"];

    private readonly SafetensorsWeights files;

    private FolderCheckpoint(string path, LanguageModelConfiguration configuration, SafetensorsWeights weights) : base(path, configuration, weights) => files = weights;

    public static FolderCheckpoint OpenFolder(string path)
    {
        var configurationPath = System.IO.Path.Combine(path, ConfigurationFile);
        var configuration = LanguageModelConfiguration.FromJson(configurationPath);
        if (!Directory.EnumerateFiles(path, "*.safetensors").Any() && Directory.EnumerateFiles(path, "*.bin").Concat(Directory.EnumerateFiles(path, "*.pth")).Any())
            throw new BadInputException($"{path}: holds its weights as pickles only, which may run programs; convert them to safetensors.");
        var weights = new SafetensorsWeights(SafetensorsModel.Open(path), configuration.ModelType);
        try
        {
            CheckEmbedding(configurationPath, configuration, weights);
            return new FolderCheckpoint(path, configuration, weights);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>The embedding and config.json must agree before anything is computed with either.</summary>
    private static void CheckEmbedding(string configurationPath, LanguageModelConfiguration configuration, SafetensorsWeights weights)
    {
        var name = configuration.ModelType switch { "gpt2" => "transformer.wte.weight", "gpt_neox" => "gpt_neox.embed_in.weight", _ => "model.embed_tokens.weight" };
        var (shape, _) = weights.Describe(name);
        if (shape is not [var rows, var columns] || rows != configuration.VocabularySize || columns != configuration.HiddenSize)
            throw new BadInputException($"{configurationPath}: gives {configuration.VocabularySize} tokens (vocab_size) of width {configuration.HiddenSize}, but '{name}' in {System.IO.Path.GetFileName(weights.Where(name))} has the shape [{string.Join(", ", shape)}].");
    }

    private protected override string MissingTokenizer => $"a file {TokenizerFile} in the directory is needed";

    private protected override Tokenizer? ReadTokenizer() => System.IO.Path.Combine(Path, TokenizerFile) is var file && File.Exists(file) ? Tokenizer.FromJsonFile(file) : null;

    private protected override SpecialTokens ReadSpecial() => SpecialTokenReader.FromFolder(Path, Configuration, HasTokenizer ? Tokenizer : null);

    private protected override string? ReadChatTemplate()
    {
        // The library prefers the file over the key.
        if (System.IO.Path.Combine(Path, TemplateFile) is var file && File.Exists(file))
            return TextFile.Read(file);
        if (SpecialTokenReader.Optional(Path, TokenizerSettings) is not { } settings || settings.Find("chat_template") is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.String)
            return settings.Text("chat_template");
        if (value.ValueKind != JsonValueKind.Array)
            throw settings.Refuse("chat_template", "must be a text, or a list of templates with name and template.");
        var named = settings.Objects("chat_template")!.Select(item => (Name: item.Text("name"), Template: item.Text("template") ?? throw item.Refuse("template", "is missing."))).ToList();
        return named.Find(item => item.Name == "default").Template ?? (named.Count == 1 ? named[0].Template
            : throw settings.Refuse("chat_template", $"has {named.Count} templates and none of the name 'default'."));
    }

    private protected override DType SavedType(DType stored) => stored;

    private protected override void WriteTo(string folder, IReadOnlyDictionary<string, HostArray> changed)
    {
        var model = files.Model;
        var own = model.Files.Select(file => file.Path).Append(model.IndexPath).Where(path => path is not null).Select(path => System.IO.Path.GetFullPath(path!)).ToHashSet(StringComparer.Ordinal);
        foreach (var file in Others(System.IO.Path.GetFullPath(Path)))
            if (!own.Contains(file))
            {
                var target = System.IO.Path.Combine(folder, System.IO.Path.GetRelativePath(System.IO.Path.GetFullPath(Path), file));
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
                AtomicFile.Copy(file, target);
            }
        model.WriteCopy(folder, changed.ToDictionary(pair => files.StoredName(pair.Key), pair => pair.Value));
    }

    /// <summary>All files but weights in other formats (and their indexes) and what version control and downloads leave.</summary>
    private static IEnumerable<string> Others(string folder) => Directory.EnumerateFiles(folder)
        .Where(file => !OtherWeights.Contains(System.IO.Path.GetExtension(file).ToLowerInvariant()) && !file.EndsWith(".bin.index.json", StringComparison.Ordinal))
        .Concat(Directory.EnumerateDirectories(folder).Where(inner => System.IO.Path.GetFileName(inner) is not (".git" or ".cache") && new DirectoryInfo(inner).LinkTarget is null).SelectMany(Others))
        .Where(file => !System.IO.Path.GetFileName(file).EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal));
}
