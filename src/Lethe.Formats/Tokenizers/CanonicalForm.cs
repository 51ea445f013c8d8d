using System.Globalization;
using System.Text;

namespace Lethe.Formats.Tokenizers;

/// <summary>
/// Unicode's normalisation forms NFC and NFD. string.Normalize changes nothing where .NET runs in its invariant mode, as Lethe does, and depends on the
/// machine's ICU elsewhere; a tokenizer must give the same ids everywhere.
/// </summary>
/// <remarks>Unicode Standard, chapter 3.11 and 3.12 (Hangul); tables from <see cref="CanonicalData"/>.</remarks>
internal static class CanonicalForm
{
    private const int HangulBase = 0xAC00, HangulCount = 11172, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7, Leads = 19, Vowels = 21, Tails = 28;

    private static readonly Tables Data = Tables.Read();

    /// <summary>Composed (NFC).</summary>
    public static string Compose(string text) => IsPlain(text) ? text : Write(Composed(Decomposed(text)));

    /// <summary>Decomposed (NFD).</summary>
    public static string Decompose(string text) => IsPlain(text, 0xC0) ? text : Write(Decomposed(text));

    /// <summary>Below U+0300 nothing combines, so such a text is composed already.</summary>
    private static bool IsPlain(string text, int limit = 0x300) => text.AsSpan().IndexOfAnyExceptInRange('\0', (char)(limit - 1)) < 0;

    private static List<(int Letter, int Class)> Decomposed(string text)
    {
        var letters = new List<(int Letter, int Class)>(text.Length);
        foreach (var rune in text.EnumerateRunes())
            Append(rune.Value, letters);
        // Marks between two starters go into the order of their classes, stably.
        for (var from = 0; from < letters.Count;)
        {
            var to = from + 1;
            if (letters[from].Class != 0)
            {
                while (to < letters.Count && letters[to].Class != 0)
                    to++;
                if (to - from > 1)
                {
                    var ordered = letters.GetRange(from, to - from).OrderBy(letter => letter.Class).ToList();
                    for (var i = 0; i < ordered.Count; i++)
                        letters[from + i] = ordered[i];
                }
            }
            from = to;
        }
        return letters;
    }

    private static void Append(int letter, List<(int Letter, int Class)> letters)
    {
        var hangul = letter - HangulBase;
        if (hangul is >= 0 and < HangulCount)
        {
            letters.Add((LeadBase + hangul / (Vowels * Tails), 0));
            letters.Add((VowelBase + hangul % (Vowels * Tails) / Tails, 0));
            if (hangul % Tails != 0)
                letters.Add((TailBase + hangul % Tails, 0));
        }
        else if (letter >= 0xC0 && Data.Parts.TryGetValue(letter, out var parts))
        {
            Append(parts.First, letters);
            if (parts.Second != 0)
                Append(parts.Second, letters);
        }
        else
            letters.Add((letter, letter < 0x300 ? 0 : Data.Classes.GetValueOrDefault(letter)));
    }

    private static List<(int Letter, int Class)> Composed(List<(int Letter, int Class)> letters)
    {
        var composed = new List<(int Letter, int Class)>(letters.Count);
        var starter = -1;
        var last = 0;
        foreach (var (letter, rank) in letters)
        {
            // A mark reaches its starter unless another of its class or a higher one, or a starter, lies between.
            var adjacent = starter == composed.Count - 1;
            if (starter >= 0 && (adjacent || last != 0 && last < rank) && Pair(composed[starter].Letter, letter) is > 0 and var joined)
            {
                composed[starter] = (joined, 0);
                continue;
            }
            if (rank == 0)
                starter = composed.Count;
            last = rank;
            composed.Add((letter, rank));
        }
        return composed;
    }

    private static int Pair(int first, int second)
    {
        if (first - LeadBase is >= 0 and < Leads and var lead && second - VowelBase is >= 0 and < Vowels and var vowel)
            return HangulBase + (lead * Vowels + vowel) * Tails;
        if (first - HangulBase is >= 0 and < HangulCount and var syllable && syllable % Tails == 0 && second - TailBase is > 0 and < Tails and var tail)
            return first + tail;
        return Data.Composites.GetValueOrDefault((first, second));
    }

    private static string Write(List<(int Letter, int Class)> letters)
    {
        var text = new StringBuilder(letters.Count);
        Span<char> units = stackalloc char[2];
        foreach (var (letter, _) in letters)
            text.Append(units[..new Rune(letter).EncodeToUtf16(units)]);
        return text.ToString();
    }

    private sealed record Tables(Dictionary<int, (int First, int Second)> Parts, Dictionary<(int, int), int> Composites, Dictionary<int, int> Classes)
    {
        public static Tables Read()
        {
            var tables = new Tables([], [], []);
            foreach (var entry in CanonicalData.Decompositions.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            {
                var mark = entry.IndexOfAny(['=', '!']);
                var parts = entry[(mark + 1)..].Split('+').Select(Hexadecimal).ToArray();
                var whole = Hexadecimal(entry[..mark]);
                tables.Parts[whole] = (parts[0], parts.ElementAtOrDefault(1));
                if (entry[mark] == '=')
                    tables.Composites[(parts[0], parts[1])] = whole;
            }
            foreach (var entry in CanonicalData.Classes.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            {
                var parts = entry.Split('-', ':');
                for (var letter = Hexadecimal(parts[0]); letter <= Hexadecimal(parts[1]); letter++)
                    tables.Classes[letter] = int.Parse(parts[2], CultureInfo.InvariantCulture);
            }
            return tables;
        }

        private static int Hexadecimal(string digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}
