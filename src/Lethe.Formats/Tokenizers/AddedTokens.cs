using System.Buffers;
using System.Globalization;
using System.Text;

namespace Lethe.Formats.Tokenizers;

/// <summary>A token that is found in the text itself, before the model sees it.</summary>
internal sealed record AddedToken(int Id, string Content, bool SingleWord, bool TrimsLeft, bool TrimsRight, bool Normalized, bool Special)
{
    /// <summary>Longer texts are no tokens; finding them takes time for every place of a text.</summary>
    private const int MaxLength = 1000;

    public static AddedToken Read(JsonField field) => field.Get("content").Text().Length > MaxLength ? throw field.Get("content").Refuse($"has more than {MaxLength} characters.") : new(field.Get("id").Count(Tokenizer.MaxId), field.Get("content").Text(), field.TruthOr("single_word", false), field.TruthOr("lstrip", false),
        field.TruthOr("rstrip", false), field.TruthOr("normalized", true), field.TruthOr("special", false));
}

/// <summary>Finds added tokens in a text: leftmost, the longest where several begin at one place.</summary>
/// <remarks>huggingface/tokenizers at 3ba8ad0, tokenizer/added_vocabulary.rs, find_matches.</remarks>
internal sealed class AddedTokens
{
    // Sorted, the shorter before the longer that begins with it; a tree of letters would take a hundred times the memory of a hostile file's tokens.
    private readonly (string Text, AddedToken Token)[] sorted;
    private readonly SearchValues<char> beginnings;

    /// <param name="tokens">Each with the text by which it is found: its content, normalised where it says so. Of several with one text the last counts.</param>
    public AddedTokens(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        var byText = new SortedDictionary<string, AddedToken>(StringComparer.Ordinal);
        foreach (var (text, token) in tokens)
            byText[text] = token;
        sorted = [.. byText.Select(pair => (pair.Key, pair.Value))];
        beginnings = SearchValues.Create([.. sorted.Select(entry => entry.Text[0]).Distinct()]);
    }

    /// <summary>The text in order: stretches without a token (null), and tokens.</summary>
    public List<(int Begin, int End, AddedToken? Token)> Split(string text)
    {
        var parts = new List<(int, int, AddedToken?)>();
        var from = 0;
        foreach (var (begin, end, token) in Find(text))
        {
            var (left, right) = (begin, end);
            if (token.SingleWord && (EndsWithWord(text.AsSpan(0, begin)) || BeginsWithWord(text.AsSpan(end))))
                continue;
            if (token.TrimsLeft)
            {
                while (left > 0 && char.IsWhiteSpace(text[left - 1]))
                    left--;
                left = Math.Max(left, from);
            }
            if (token.TrimsRight)
                while (right < text.Length && char.IsWhiteSpace(text[right]))
                    right++;
            if (from < left)
                parts.Add((from, left, null));
            parts.Add((left, right, token));
            from = right;
        }
        if (from < text.Length)
            parts.Add((from, text.Length, null));
        return parts;
    }

    private IEnumerable<(int Begin, int End, AddedToken Token)> Find(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            var found = text.AsSpan(at).IndexOfAny(beginnings);
            if (found < 0)
                yield break;
            at += found;
            AddedToken? longest = null;
            var end = at;
            var (from, to) = (0, sorted.Length);
            for (var depth = 0; at + depth < text.Length && from < to; depth++)
            {
                (from, to) = (Bound(from, to, depth, text[at + depth]), Bound(from, to, depth, text[at + depth] + 1));
                if (from < to && sorted[from].Text.Length == depth + 1)
                    (longest, end) = (sorted[from].Token, at + depth + 1);
            }
            if (longest is null)
            {
                at++;
                continue;
            }
            yield return (at, end, longest);
            at = end;
        }
    }

    /// <summary>The first of these entries, which agree up to <paramref name="depth"/>, whose letter there is not below the given one; one that ends there comes first.</summary>
    private int Bound(int from, int to, int depth, int letter)
    {
        while (from < to)
        {
            var middle = (from + to) / 2;
            if (sorted[middle].Text.Length <= depth || sorted[middle].Text[depth] < letter)
                from = middle + 1;
            else
                to = middle;
        }
        return from;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) => Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool BeginsWithWord(ReadOnlySpan<char> text) => Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWord(rune);

    /// <summary>\w of Rust's regex: letters, marks, decimal and letter numbers, connectors, the two joiners. (The few symbols that are alphabetic, such as Ⓐ, are left out.)</summary>
    private static bool IsWord(Rune rune) => rune.Value is 0x200C or 0x200D || Rune.IsLetter(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.DecimalDigitNumber
        or UnicodeCategory.LetterNumber or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.ConnectorPunctuation;
}
