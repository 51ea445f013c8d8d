using System.Text;

namespace Lethe.Formats.Tokenizers;

/// <summary>Reads a normalizer: what happens to a text before it is cut.</summary>
/// <remarks>huggingface/tokenizers at 3ba8ad0, normalizers/.</remarks>
internal static class Normalizer
{
    /// <summary>A function of a text; null where the file has no normalizer.</summary>
    public static Func<string, string>? Read(JsonField? field)
    {
        if (field is not { } given)
            return null;
        var steps = new List<Func<string, string>>();
        Read(given, steps, 0);
        return text =>
        {
            foreach (var step in steps)
                text = step(text);
            return text;
        };
    }

    private static void Read(JsonField field, List<Func<string, string>> steps, int depth)
    {
        switch (field.Kind())
        {
            case "Sequence" when depth < 8:
                foreach (var inner in field.Get("normalizers").Items())
                    Read(inner, steps, depth + 1);
                break;
            case "Prepend":
                var prefix = field.Get("prepend").Text();
                steps.Add(text => text.Length == 0 ? text : prefix + text);
                break;
            case "Replace":
                var (find, content) = (field.Get("pattern"), field.Get("content").Text());
                if (find.Find("Regex") is { } regex)
                {
                    var pattern = new UnicodePattern(regex, regex.Text());
                    steps.Add(text => pattern.Replace(text, content));
                }
                else if (find.Get("String").Text() is { Length: > 0 } literal)
                    steps.Add(text => text.Replace(literal, content, StringComparison.Ordinal));
                else
                    throw find.Refuse("is an empty text to replace.");
                break;
            case "NFC":
                steps.Add(CanonicalForm.Compose);
                break;
            case "NFD":
                steps.Add(CanonicalForm.Decompose);
                break;
            case "Lowercase":
                steps.Add(Lower);
                break;
            case "Strip":
                var (left, right) = (field.TruthOr("strip_left", true), field.TruthOr("strip_right", true));
                steps.Add(text => left && right ? text.Trim() : left ? text.TrimStart() : right ? text.TrimEnd() : text);
                break;
            case var kind:
                throw field.Refuse(kind == "Sequence" ? "nests Sequences more than 8 deep."
                    : $"has the type '{kind}', which Lethe does not support; it knows Sequence, Prepend, Replace, NFC, NFD, Lowercase and Strip.");
        }
    }

    /// <summary>Rust's char::to_lowercase of every character: only İ becomes two.</summary>
    private static string Lower(string text)
    {
        var lower = new StringBuilder(text.Length);
        Span<char> units = stackalloc char[2];
        foreach (var rune in text.EnumerateRunes())
            if (rune.Value == 0x130)
                lower.Append("i\u0307");
            else
                lower.Append(units[..Rune.ToLowerInvariant(rune).EncodeToUtf16(units)]);
        return lower.ToString();
    }
}
