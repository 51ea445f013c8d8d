using Lethe.Formats.Gguf;
using Lethe.Formats.Tokenizers;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>A GGUF file.</summary>
internal sealed class GgufCheckpoint : ConvertedCheckpoint
{
    private readonly GgufFile file;

    private GgufCheckpoint(GgufFile file, LanguageModelConfiguration configuration) : base(file.Path, configuration, new GgufWeights(file, configuration)) => this.file = file;

    public static GgufCheckpoint OpenFile(string path)
    {
        var file = GgufFile.Open(path);
        try
        {
            return new GgufCheckpoint(file, GgufConfiguration.Read(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private protected override string MissingTokenizer => "a GGUF file has it under tokenizer.ggml.tokens";

    private protected override Tokenizer? ReadTokenizer() => file.Metadata.Contains("tokenizer.ggml.tokens") ? Tokenizer.FromGguf(file.Metadata, Path) : null;

    private protected override SpecialTokens ReadSpecial() => SpecialTokenReader.FromGguf(file.Metadata, Configuration);

    private protected override string? ReadChatTemplate() => file.Metadata.Text("tokenizer.chat_template");
}
