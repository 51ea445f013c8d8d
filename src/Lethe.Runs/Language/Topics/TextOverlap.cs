namespace Lethe.Runs.Language.Topics;

/// <summary>What two sets of texts have in common.</summary>
/// <param name="First">The first set.</param>
/// <param name="Second">The second.</param>
/// <param name="SharedEntities">Entities that both are about.</param>
/// <param name="Identical">Texts of the first that stand in the second too, upper and lower case and white space aside.</param>
/// <param name="IdenticalShare">The same as a share of the first, 0 to 1.</param>
/// <param name="FirstGrams">Share of the first's different runs of eight words that stand in the second too, 0 to 1; 0 where it has none.</param>
/// <param name="SecondGrams">Share of the second's that stand in the first.</param>
public sealed record TextOverlapPair(string First, string Second, int SharedEntities, int Identical, double IdenticalShare, double FirstGrams, double SecondGrams);

/// <summary>A set of texts that is compared with others.</summary>
/// <param name="Name">Its name: forget, retain, test.</param>
/// <param name="Texts">The texts.</param>
/// <param name="Entities">The entities that they are about, in normal form; empty where that is not known.</param>
public sealed record TextSet(string Name, IReadOnlyList<string> Texts, IReadOnlyList<string> Entities);

/// <summary>Compares sets of texts: the same text, the same entities, the same runs of eight words.</summary>
public static class TextOverlap
{
    /// <summary>Words of a run; what 13 words are for long documents, 8 are for statements of a line.</summary>
    public const int Words = 8;

    /// <summary>Compares two sets.</summary>
    public static TextOverlapPair Between(TextSet first, TextSet second)
    {
        var texts = second.Texts.Select(EntityName.Normal).ToHashSet(StringComparer.Ordinal);
        var identical = first.Texts.Count(text => texts.Contains(EntityName.Normal(text)));
        HashSet<string> a = Grams(first.Texts), b = Grams(second.Texts);
        double both = a.Count(b.Contains);
        return new TextOverlapPair(first.Name, second.Name, first.Entities.Distinct().Intersect(second.Entities).Count(), identical, first.Texts.Count == 0 ? 0 : (double)identical / first.Texts.Count,
            a.Count == 0 ? 0 : both / a.Count, b.Count == 0 ? 0 : both / b.Count);
    }

    /// <summary>Whether every text of one set stands in the other: then nothing can be forgotten without being retained.</summary>
    public static bool Same(IEnumerable<string> forget, IEnumerable<string> retain)
    {
        var a = forget.Select(EntityName.Normal).ToHashSet(StringComparer.Ordinal);
        var b = retain.Select(EntityName.Normal).ToHashSet(StringComparer.Ordinal);
        return a.Count > 0 && b.Count > 0 && (a.IsSubsetOf(b) || b.IsSubsetOf(a));
    }

    // Words are runs of letters and digits, so that punctuation and line breaks do not hide what is the same.
    private static HashSet<string> Grams(IReadOnlyList<string> texts)
    {
        var grams = new HashSet<string>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            var words = new string([.. EntityName.Normal(text).Select(letter => char.IsLetterOrDigit(letter) ? letter : ' ')]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            for (var i = 0; i + Words <= words.Length; i++)
                grams.Add(string.Join(' ', words, i, Words));
        }
        return grams;
    }
}
