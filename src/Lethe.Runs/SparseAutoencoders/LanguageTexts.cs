using Lethe.Formats.Tokenizers;
using Lethe.Models.Language.Checkpoints;
using Lethe.Models.SparseAutoencoders.Training;

namespace Lethe.Runs.SparseAutoencoders;

/// <summary>Texts as a model's tokens.</summary>
public static class LanguageTexts
{
    // Long texts are cut at line ends before they are tokenized: time stays even and memory small. A line end is a border of tokens in every tokenizer here but for runs of them.
    private const int Piece = 1 << 16;

    /// <summary>Tokenizes and packs: contexts begin with BOS where the model wants one, and BOS, else EOS, stands between texts.</summary>
    /// <exception cref="Torch.BadInputException">The texts fill no context.</exception>
    public static PackedTokens Pack(IEnumerable<string> texts, Tokenizer tokenizer, SpecialTokens special, int context)
    {
        var first = special.AddBos ? special.Bos : null;
        return PackedTokens.Of(texts.Select(text => Pieces(text).SelectMany(piece => tokenizer.Encode(piece)).ToArray()), context, first, first ?? special.Eos ?? special.Bos);
    }

    /// <summary>Tokenizes and cuts: each text becomes sequences of at most so many tokens, each with BOS before it where the model wants one. Nothing is packed together.</summary>
    public static IEnumerable<int[]> Sequences(IEnumerable<string> texts, Tokenizer tokenizer, SpecialTokens special, int length)
    {
        int[] begin = special.AddBos && special.Bos is { } bos ? [bos] : [];
        return texts.SelectMany(text => Pieces(text).SelectMany(piece => tokenizer.Encode(piece)).Chunk(length - begin.Length).Select(part => (int[])[.. begin, .. part]));
    }

    private static IEnumerable<string> Pieces(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = start + Piece >= text.Length ? text.Length : text.LastIndexOf('\n', start + Piece - 1, Piece) is var line and >= 0 ? line + 1 : start + Piece;
            // Not between the halves of a pair.
            if (end < text.Length && char.IsHighSurrogate(text[end - 1]))
                end--;
            yield return text[start..end];
            start = end;
        }
    }
}
