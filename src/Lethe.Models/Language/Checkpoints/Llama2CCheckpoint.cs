using System.Globalization;
using Lethe.Formats.Llama2C;
using Lethe.Formats.Tokenizers;

namespace Lethe.Models.Language.Checkpoints;

/// <summary>A llama2.c file. Its tokenizer lies beside it: tok512.bin for 512 tokens, or tokenizer.bin.</summary>
internal sealed class Llama2CCheckpoint : ConvertedCheckpoint
{
    private Llama2CCheckpoint(Llama2CFile file) : base(file.Path, Llama2CWeights.Configuration(file.Header), new Llama2CWeights(file))
    {
    }

    public static Llama2CCheckpoint OpenFile(string path) => new(Llama2CFile.Open(path));

    private protected override string MissingTokenizer => $"a file {string.Join(" or ", Candidates)} beside it is needed";

    private string[] Candidates => [string.Create(CultureInfo.InvariantCulture, $"tok{Configuration.VocabularySize}.bin"), "tokenizer.bin"];

    private protected override Tokenizer? ReadTokenizer()
    {
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        return Candidates.Select(name => System.IO.Path.Combine(folder, name)).FirstOrDefault(File.Exists) is { } found ? Tokenizer.FromLlama2C(found) : null;
    }

    private protected override SpecialTokens ReadSpecial() => SpecialTokenReader.Llama2C;

    private protected override string? ReadChatTemplate() => null;
}
