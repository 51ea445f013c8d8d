using System.Text;

namespace Lethe.Formats.Tokenizers;

/// <summary>
/// GPT-2's reversible map between bytes and printable characters: 33–126, 161–172 and 174–255 stand for themselves, the other 68 bytes for
/// U+0100 and up in order.
/// </summary>
/// <remarks>openai/gpt-2, src/encoder.py, bytes_to_unicode.</remarks>
internal static class ByteAlphabet
{
    private static readonly char[] Letters = MakeLetters();
    private static readonly short[] Bytes = MakeBytes();

    /// <summary>The character that stands for a byte.</summary>
    public static char LetterOf(byte value) => Letters[value];

    /// <summary>The byte that a character stands for, or −1.</summary>
    public static int ByteOf(char letter) => letter < Bytes.Length ? Bytes[letter] : -1;

    /// <summary>All 256 characters in the order of their code points, which is the order of a trained vocabulary.</summary>
    public static IEnumerable<char> Sorted => Letters.Order();

    /// <summary>A text's UTF-8 bytes as characters of the alphabet.</summary>
    public static string Map(ReadOnlySpan<char> text)
    {
        var ascii = true;
        foreach (var letter in text)
            ascii &= letter < 0x80;
        if (ascii)
            return string.Create(text.Length, text, static (mapped, source) =>
            {
                for (var i = 0; i < source.Length; i++)
                    mapped[i] = Letters[source[i]];
            });
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(bytes.Length, bytes, static (mapped, source) =>
        {
            for (var i = 0; i < source.Length; i++)
                mapped[i] = Letters[source[i]];
        });
    }

    /// <summary>The bytes that a token stands for; a token with a character outside the alphabet stands for its own UTF-8 bytes.</summary>
    public static byte[] Unmap(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
        {
            var value = ByteOf(token[i]);
            if (value < 0)
                return Encoding.UTF8.GetBytes(token);
            bytes[i] = (byte)value;
        }
        return bytes;
    }

    private static char[] MakeLetters()
    {
        var letters = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
            letters[value] = value is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174) ? (char)value : (char)next++;
        return letters;
    }

    private static short[] MakeBytes()
    {
        var bytes = new short[256 + 68];
        Array.Fill(bytes, (short)-1);
        for (var value = 0; value < 256; value++)
            bytes[Letters[value]] = (short)value;
        return bytes;
    }
}
