using System.Buffers.Binary;
using System.Text;

namespace Lethe.Formats.Tokenizers;

/// <summary>Reads llama2.c's tokenizer.bin: int32 longest token, then for each token float32 score, int32 length, bytes; all little-endian.</summary>
/// <remarks>karpathy/llama2.c, run.c (build_tokenizer, encode): ids 0, 1 and 2 are unknown, BOS and EOS, 3 to 258 the bytes; a space is put before a text that is not empty.</remarks>
internal static class Llama2CTokenizer
{
    /// <summary>The bytes of the largest such file by far; Llama-2's has 433,869.</summary>
    public const long MaxFileBytes = 64 << 20;

    private const int MaxTokenBytes = 1000, FirstByte = 3;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static TokenizerContent Read(string path, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 4)
            throw InputFile.Refuse(path, $"is no tokenizer of llama2.c: it has {bytes.Length} bytes and its first number alone takes 4.");
        var longest = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (longest is < 1 or > MaxTokenBytes)
            throw InputFile.Refuse(path, $"is no tokenizer of llama2.c: bytes 0 to 3 give the longest token {longest} bytes; 1 to {MaxTokenBytes} are allowed.");
        var tokens = new List<string>();
        var scores = new List<double>();
        for (var at = 4; at < bytes.Length;)
        {
            if (bytes.Length - at < 8)
                throw InputFile.Refuse(path, $"ends inside the token {tokens.Count} at byte {at}; the file is truncated.");
            var score = BinaryPrimitives.ReadSingleLittleEndian(bytes[at..]);
            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[(at + 4)..]);
            if (length < 0 || length > longest)
                throw InputFile.Refuse(path, $"gives the token {tokens.Count} at byte {at} the length {length}; 0 to {longest} are allowed.");
            if (length > bytes.Length - at - 8)
                throw InputFile.Refuse(path, $"gives the token {tokens.Count} at byte {at} the length {length}, but only {bytes.Length - at - 8} bytes follow; the file is truncated.");
            if (!float.IsFinite(score))
                throw InputFile.Refuse(path, FormattableString.Invariant($"gives the token {tokens.Count} at byte {at} the score {score}, which is no number."));
            tokens.Add(Text(path, tokens.Count, bytes.Slice(at + 8, length)));
            scores.Add(score);
            at += 8 + length;
        }
        if (tokens.Count < FirstByte + 256)
            throw InputFile.Refuse(path, $"is no tokenizer of llama2.c: it has {tokens.Count} tokens; three special ones and 256 bytes are the least.");
        for (var value = 0; value < 256; value++)
            if (tokens[FirstByte + value] != $"<0x{value:X2}>")
                throw InputFile.Refuse(path, $"has the token {FirstByte + value} '{tokens[FirstByte + value]}', where the byte <0x{value:X2}> must be.");
        TokenizerContent.CheckUnique(tokens, why => InputFile.Refuse(path, why));
        var (normalizer, decoder) = TokenizerContent.SentencePiece(spacePrefix: true);
        return new TokenizerContent
        {
            Tokens = tokens,
            Merges = TokenizerContent.MergesOfScores(tokens, scores, id => id >= FirstByte + 256),
            Added = [(0, true), (1, true), (2, true)],
            Normalizer = normalizer,
            Decoder = decoder,
            Unknown = tokens[0],
            ByteFallback = true,
            Before = 1,
        };
    }

    /// <summary>The file spells a space as it is, and BOS and EOS with line feeds around them.</summary>
    private static string Text(string path, int id, ReadOnlySpan<byte> bytes)
    {
        try
        {
            var text = Strict.GetString(bytes);
            return id switch
            {
                0 => "<unk>",
                1 => "<s>",
                2 => "</s>",
                _ => text.Replace(' ', '\u2581'),
            };
        }
        catch (DecoderFallbackException e)
        {
            throw InputFile.Refuse(path, $"has the token {id}, whose bytes are not UTF-8.", e);
        }
    }
}
