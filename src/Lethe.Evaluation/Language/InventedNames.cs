using Lethe.Evaluation.Statistics;
using Lethe.Torch;

namespace Lethe.Evaluation.Language;

/// <summary>
/// Names that belong to nobody, put together from parts of names that are known. Asked about them, a model can only guess, from what such a name sounds like: the floor of
/// questions whose answers names betray. The same words as retain text keep a method from unlearning the look of a name.
/// </summary>
public sealed class InventedNames
{
    private readonly Dictionary<IReadOnlyList<string>, List<(string, string)>> parts = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<string> known;
    private readonly SplitMix64 random;

    /// <summary>Begins.</summary>
    /// <param name="known">Every name that exists, in any case: none of them is made.</param>
    /// <param name="seed">Seed of the draws.</param>
    public InventedNames(IEnumerable<string> known, ulong seed = 0)
    {
        this.known = new HashSet<string>(known, StringComparer.OrdinalIgnoreCase);
        random = SplitMix64.Of(seed, "invented names");
    }

    /// <summary>
    /// The given and the family name: the family name is the last word, what stands between of small particles ("van der") and what follows of suffixes ("Jr."). Null for a
    /// name of one part.
    /// </summary>
    public static (string Given, string Family)? Split(string name)
    {
        var words = name.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var last = words.Length - 1;
        while (last > 0 && words[last] is "Jr." or "Sr." or "Jr" or "Sr" or "II" or "III" or "IV")
            last--;
        while (last > 1 && char.IsLower(words[last - 1][0]))
            last--;
        return last < 1 ? null : (string.Join(' ', words[..last]), string.Join(' ', words[last..]));
    }

    /// <summary>A person's name: the given name of one and the family name of another of the list.</summary>
    /// <param name="names">Names to take parts of; names of one part give none.</param>
    /// <returns>A name that is not known and was not made before; null where the list gives none.</returns>
    public string? Person(IReadOnlyList<string> names) => Draw(Parts(names, name => Split(name) is { } split ? [split] : []), " ");

    /// <summary>A word: the beginning of one word and the end of another, cut where a consonant meets a vowel nearest the middle.</summary>
    /// <param name="words">Words to take parts of; of several words in one text each counts.</param>
    /// <returns>A word that is not known and was not made before; null where the list gives none.</returns>
    public string? Word(IReadOnlyList<string> words) =>
        Draw(Parts(words, text => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(word => word.Length >= 4).Select(Cut).OfType<(string, string)>()), "");

    // Asked for again and again of the same list.
    private List<(string, string)> Parts(IReadOnlyList<string> of, Func<string, IEnumerable<(string, string)>> split)
    {
        if (!parts.TryGetValue(of, out var known))
            parts.Add(of, known = [.. of.SelectMany(split).Distinct().OrderBy(part => part.Item1, StringComparer.Ordinal).ThenBy(part => part.Item2, StringComparer.Ordinal)]);
        return known;
    }

    private string? Draw(List<(string Head, string Tail)> of, string between)
    {
        if (of.Count < 2)
            return null;
        // Random draws find a free combination soon where there are many; where few are left, all are gone through.
        for (var draw = 0; draw < 64; draw++)
            if (Take(random.Below(of.Count), random.Below(of.Count)) is { } name)
                return name;
        var start = random.Next() % (ulong)of.Count;
        for (var first = 0; first < of.Count; first++)
            for (var second = 0; second < of.Count; second++)
                if (Take((int)((start + (ulong)first) % (ulong)of.Count), second) is { } name)
                    return name;
        return null;

        string? Take(int a, int b) => of[a].Head != of[b].Head && of[a].Tail != of[b].Tail && of[a].Head + between + of[b].Tail is var name && known.Add(name) ? name : null;
    }

    private static (string Head, string Tail)? Cut(string word)
    {
        var middle = word.Length / 2;
        foreach (var at in Enumerable.Range(2, Math.Max(0, word.Length - 3)).OrderBy(at => Math.Abs(at - middle)).ThenBy(at => at))
            if (!Vowel(word[at - 1]) && Vowel(word[at]))
                return (word[..at], word[at..]);
        return null;
    }

    private static bool Vowel(char letter) => char.ToLowerInvariant(letter) is 'a' or 'e' or 'i' or 'o' or 'u' or 'y';
}
