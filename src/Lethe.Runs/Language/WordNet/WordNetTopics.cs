using Lethe.Formats.WordNet;

namespace Lethe.Runs.Language.WordNet;

/// <summary>A word and what it means.</summary>
/// <param name="Topic">The topic that it belongs to.</param>
/// <param name="Term">The word.</param>
/// <param name="Definition">What it means, without examples.</param>
public sealed record WordNetTerm(string Topic, string Term, string Definition);

/// <summary>
/// Words of WordNet by topic, the most used first: topics are the files into which its makers sorted meanings. Taken are single words in small letters whose most used meaning lies in the topic, with a
/// definition of three to twelve plain words that holds none of the meaning's own words.
/// </summary>
public static class WordNetTopics
{
    /// <summary>The topics with the numbers of their files (lexnames(5WN)).</summary>
    public static IReadOnlyList<(string Topic, int File)> All { get; } =
        [("animal", 5), ("body", 8), ("feeling", 12), ("food", 13), ("location", 15), ("plant", 20), ("substance", 27), ("time", 28)];

    private const int FewestWords = 3, MostWords = 12;

    /// <summary>The terms, topic by topic.</summary>
    /// <param name="nouns">WordNet's nouns.</param>
    /// <param name="most">The most terms of a topic.</param>
    public static IReadOnlyList<WordNetTerm> Of(IReadOnlyList<WordNetNoun> nouns, int most)
    {
        // A word is asked for its most used meaning; of equals the first counts.
        var senses = new Dictionary<string, (WordNetNoun Noun, int Count)>(StringComparer.Ordinal);
        foreach (var noun in nouns)
            for (var i = 0; i < noun.Words.Count; i++)
                if (!senses.TryGetValue(noun.Words[i], out var best) || noun.Counts[i] > best.Count)
                    senses[noun.Words[i]] = (noun, noun.Counts[i]);
        var terms = new List<WordNetTerm>();
        foreach (var (topic, file) in All)
            terms.AddRange(senses.Where(sense => sense.Value.Noun.File == file && IsPlain(sense.Key))
                .Select(sense => (Term: sense.Key, sense.Value.Count, Definition: Definition(sense.Value.Noun)))
                .Where(sense => sense.Definition is not null)
                .OrderByDescending(sense => sense.Count).ThenBy(sense => sense.Term, StringComparer.Ordinal)
                // Synonyms have one definition, which can ask for one of them only.
                .DistinctBy(sense => sense.Definition, StringComparer.OrdinalIgnoreCase).Take(most)
                .Select(sense => new WordNetTerm(topic, sense.Term, sense.Definition!)));
        return terms;
    }

    /// <summary>A meaning's first definition; null where it is not plain, or betrays the word.</summary>
    private static string? Definition(WordNetNoun noun)
    {
        var text = noun.Gloss.Split(';')[0].Trim();
        var words = text.Split(' ');
        var plain = words.Length is >= FewestWords and <= MostWords && text.All(letter => char.IsAsciiLetter(letter) || letter is ' ' or ',' or '-' or '\'') && words.All(word => word.Length > 0);
        return plain && !noun.Words.SelectMany(word => word.Split(' ', '-')).Any(own => own.Length > 2 && text.Contains(own, StringComparison.OrdinalIgnoreCase)) ? text : null;
    }

    private static bool IsPlain(string word) => word.Length > 2 && word.All(char.IsAsciiLetterLower);
}
