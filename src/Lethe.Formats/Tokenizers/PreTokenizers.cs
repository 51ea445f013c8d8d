using System.Globalization;
using System.Text;

namespace Lethe.Formats.Tokenizers;

/// <summary>A stretch of a text on its way to the model.</summary>
/// <param name="Text">The text that it is a part of.</param>
/// <param name="Start">Where it begins.</param>
/// <param name="Length">UTF-16 units.</param>
/// <param name="First">It begins where the whole input begins.</param>
internal readonly record struct Piece(string Text, int Start, int Length, bool First)
{
    public ReadOnlySpan<char> Span => Text.AsSpan(Start, Length);

    public Piece Part(int begin, int end) => new(Text, Start + begin, end - begin, First && begin == 0);

    public Piece With(string text) => new(text, 0, text.Length, First);
}

/// <summary>Cuts pieces into smaller ones.</summary>
/// <remarks>huggingface/tokenizers at 3ba8ad0, pre_tokenizers/.</remarks>
internal abstract class PreTokenizer
{
    public abstract void Split(Piece piece, List<Piece> pieces);

    /// <summary>Reads a pre_tokenizer. Whether its last stage maps bytes to letters is told apart, because the model does that only for words that it has not met.</summary>
    public static (IReadOnlyList<PreTokenizer> Stages, bool MapsBytes) Read(JsonField? field)
    {
        var stages = new List<PreTokenizer>();
        if (field is { } given)
            Read(given, stages, 0);
        if (stages.LastOrDefault() is not MapBytes)
            return (stages, false);
        stages.RemoveAt(stages.Count - 1);
        return (stages, true);
    }

    /// <summary>All stages, one after another, on a whole text.</summary>
    public static List<Piece> Split(IReadOnlyList<PreTokenizer> stages, string text) => Split(stages, new Piece(text, 0, text.Length, true));

    /// <summary>All stages, one after another.</summary>
    public static List<Piece> Split(IReadOnlyList<PreTokenizer> stages, Piece piece)
    {
        var pieces = new List<Piece>();
        if (piece.Length > 0)
            pieces.Add(piece);
        foreach (var stage in stages)
        {
            var cut = new List<Piece>(pieces.Count * 2);
            foreach (var part in pieces)
                stage.Split(part, cut);
            pieces = cut;
        }
        return pieces;
    }

    private static void Read(JsonField field, List<PreTokenizer> stages, int depth)
    {
        switch (field.Kind())
        {
            case "Sequence" when depth < 8:
                foreach (var inner in field.Get("pretokenizers").Items())
                    Read(inner, stages, depth + 1);
                break;
            case "ByteLevel":
                if (field.TruthOr("add_prefix_space", true))
                    stages.Add(new PrefixSpace());
                if (field.TruthOr("use_regex", true))
                    stages.Add(new PatternSplit(new UnicodePattern(field, PatternNames.Gpt2).Find, SplitBehavior.Isolated, false));
                stages.Add(new MapBytes());
                break;
            case "Split":
                stages.Add(new PatternSplit(ReadPattern(field.Get("pattern")), ReadBehavior(field.Get("behavior")), field.TruthOr("invert", false)));
                break;
            case "Digits":
                stages.Add(new PatternSplit(FindNumbers, field.TruthOr("individual_digits", false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous, false));
                break;
            case "Metaspace":
                stages.Add(MetaspaceOptions.Read(field) is var options ? new Metaspace(options) : throw field.Refuse("is no Metaspace."));
                break;
            case var kind:
                throw field.Refuse(kind == "Sequence" ? "nests Sequences more than 8 deep." : $"has the type '{kind}', which Lethe does not support; it knows Sequence, ByteLevel, Split, Digits and Metaspace.");
        }
    }

    private delegate void Finder(ReadOnlySpan<char> piece, List<(int Begin, int End)> matches);

    private static Finder ReadPattern(JsonField pattern)
    {
        if (pattern.Find("Regex") is { } regex)
            return new UnicodePattern(regex, regex.Text()).Find;
        var text = pattern.Get("String").Text();
        return (piece, matches) =>
        {
            for (int at = 0, found; text.Length > 0 && (found = piece[at..].IndexOf(text, StringComparison.Ordinal)) >= 0; at += found + text.Length)
                matches.Add((at + found, at + found + text.Length));
        };
    }

    /// <summary>Rust's char::is_numeric: the categories Nd, Nl and No.</summary>
    private static void FindNumbers(ReadOnlySpan<char> piece, List<(int Begin, int End)> matches)
    {
        for (var at = 0; at < piece.Length;)
        {
            Rune.DecodeFromUtf16(piece[at..], out var rune, out var length);
            if (rune.IsAscii ? char.IsAsciiDigit((char)rune.Value)
                : Rune.GetUnicodeCategory(rune) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber)
                matches.Add((at, at + length));
            at += length;
        }
    }

    private static SplitBehavior ReadBehavior(JsonField field) => field.Text() switch
    {
        "Removed" or "removed" => SplitBehavior.Removed,
        "Isolated" or "isolated" => SplitBehavior.Isolated,
        "MergedWithPrevious" or "merged_with_previous" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" or "merged_with_next" => SplitBehavior.MergedWithNext,
        "Contiguous" or "contiguous" => SplitBehavior.Contiguous,
        var other => throw field.Refuse($"is '{other}'; Lethe knows Removed, Isolated, MergedWithPrevious, MergedWithNext and Contiguous."),
    };

    private sealed class PatternSplit(Finder find, SplitBehavior behavior, bool invert) : PreTokenizer
    {
        public override void Split(Piece piece, List<Piece> pieces)
        {
            var matches = new List<(int Begin, int End)>();
            find(piece.Span, matches);
            SplitBehaviors.Apply(piece, matches, behavior, invert, pieces);
        }
    }

    private sealed class PrefixSpace : PreTokenizer
    {
        public override void Split(Piece piece, List<Piece> pieces) => pieces.Add(piece.Span.StartsWith(' ') ? piece : piece.With(string.Concat(" ", piece.Span)));
    }

    private sealed class MapBytes : PreTokenizer
    {
        public override void Split(Piece piece, List<Piece> pieces) => pieces.Add(piece.With(ByteAlphabet.Map(piece.Span)));
    }

    private sealed class Metaspace(MetaspaceOptions options) : PreTokenizer
    {
        public override void Split(Piece piece, List<Piece> pieces)
        {
            var text = piece.Span.ToString().Replace(" ", options.Mark, StringComparison.Ordinal);
            var prepend = options.Scheme == "always" || options.Scheme == "first" && piece.First;
            var marked = piece.With(prepend && !text.StartsWith(options.Mark, StringComparison.Ordinal) ? options.Mark + text : text);
            if (!options.Split)
            {
                pieces.Add(marked);
                return;
            }
            var matches = new List<(int Begin, int End)>();
            for (int at = 0, found; (found = marked.Span[at..].IndexOf(options.Mark, StringComparison.Ordinal)) >= 0; at += found + options.Mark.Length)
                matches.Add((at + found, at + found + options.Mark.Length));
            SplitBehaviors.Apply(marked, matches, SplitBehavior.MergedWithNext, false, pieces);
        }
    }
}

/// <summary>What Metaspace says, as pre-tokenizer and as decoder.</summary>
/// <param name="Mark">One character in place of a space.</param>
/// <param name="Scheme">"always", "first" or "never" before a text that does not begin with it.</param>
/// <param name="Split">Whether pieces begin at each mark.</param>
internal sealed record MetaspaceOptions(string Mark, string Scheme, bool Split)
{
    public static MetaspaceOptions Read(JsonField field)
    {
        var mark = field.Get("replacement");
        var text = mark.Text();
        if (text.EnumerateRunes().Count() != 1)
            throw mark.Refuse($"must be one character and is '{text}'.");
        var scheme = field.Find("prepend_scheme");
        var name = scheme?.Text() ?? "always";
        if (name is not ("always" or "first" or "never"))
            throw scheme!.Value.Refuse($"is '{name}'; Lethe knows always, first and never.");
        if (field.Find("add_prefix_space")?.Truth() == false)
            name = scheme is null || name == "never" ? "never" : throw field.Refuse($"has add_prefix_space false and prepend_scheme {name}, which contradict each other.");
        return new MetaspaceOptions(text, name, field.TruthOr("split", true));
    }
}
