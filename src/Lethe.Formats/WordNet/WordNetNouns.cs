using System.Globalization;
using Lethe.Torch;

namespace Lethe.Formats.WordNet;

/// <summary>A meaning that a noun has.</summary>
/// <param name="File">Number of the lexicographers' file that holds it: 5 animals, 8 parts of the body, 27 substances and so on (lexnames(5WN)).</param>
/// <param name="Words">The words that have this meaning, as they are written, with spaces.</param>
/// <param name="Gloss">Definitions and examples, divided by semicolons.</param>
/// <param name="Counts">How often each word was found with this meaning in the texts that WordNet's makers tagged.</param>
public sealed record WordNetNoun(int File, IReadOnlyList<string> Words, string Gloss, IReadOnlyList<int> Counts);

/// <summary>
/// The nouns of WordNet 3.0: data.noun, and cntlist.rev for how often each meaning is used. Layout: wndb(5WN), senseidx(5WN) and cntlist(5WN) of the package wordnet-base.
/// </summary>
public static class WordNetNouns
{
    /// <summary>Where Debian's wordnet-base has its files.</summary>
    public const string DebianFolder = "/usr/share/wordnet";

    /// <summary>The file of nouns.</summary>
    public const string DataName = "data.noun";

    /// <summary>The file of counts.</summary>
    public const string CountsName = "cntlist.rev";

    // WordNet 3.0's are 15.3 MB and 0.9 MB.
    private const long MaxBytes = 64 << 20;

    // ss_type of nouns in sense keys: lemma%1:lex_filenum:lex_id::
    private const string NounType = "%1:";

    /// <summary>What is missing of the files in a folder, and what to do; null if they are there.</summary>
    /// <param name="folder">The folder.</param>
    public static string? Missing(string folder) => ((string[])[DataName, CountsName]).FirstOrDefault(name => !System.IO.File.Exists(Path.Combine(folder, name))) is { } name
        ? $"WordNet was not found in {folder}: {name} is missing; install Debian's package with 'apt install wordnet-base', or name a folder that holds {DataName} and {CountsName}."
        : null;

    /// <summary>All meanings in the file's order.</summary>
    /// <param name="folder">A folder with data.noun and cntlist.rev.</param>
    /// <exception cref="BadInputException">A file is missing or damaged; the message names it and the line.</exception>
    public static IReadOnlyList<WordNetNoun> Read(string folder)
    {
        if (Missing(folder) is { } missing)
            throw new BadInputException(missing);
        var counts = Counts(Path.Combine(folder, CountsName));
        var path = Path.Combine(folder, DataName);
        var nouns = new List<WordNetNoun>();
        foreach (var (line, number) in Lines(path))
            // The licence, whose lines begin with two spaces.
            if (!line.StartsWith("  ", StringComparison.Ordinal))
                nouns.Add(Noun(line, counts, why => InputFile.Refuse(path, string.Create(CultureInfo.InvariantCulture, $"line {number}: {why}"))));
        return nouns.Count > 0 ? nouns : throw InputFile.Refuse(path, "holds no noun; it must be WordNet's data.noun.");
    }

    // synset_offset lex_filenum ss_type w_cnt word lex_id [word lex_id…] p_cnt [ptr…] | gloss
    private static WordNetNoun Noun(string line, Dictionary<string, int> counts, Func<string, BadInputException> refuse)
    {
        var bar = line.IndexOf(" | ", StringComparison.Ordinal);
        if (bar < 0)
            throw refuse("has no gloss: ' | ' is missing.");
        var fields = line[..bar].Split(' ');
        int Number(int at, string what, int most, NumberStyles style = NumberStyles.None) =>
            at < fields.Length && int.TryParse(fields[at], style, CultureInfo.InvariantCulture, out var value) && value <= most ? value
            : throw refuse(at < fields.Length ? $"{what} is '{fields[at]}'; a number up to {most} is needed." : $"ends before {what}.");
        // Files 3 to 28 hold nouns.
        var file = Number(1, "the number of the lexicographers' file", 44);
        if (fields.ElementAtOrDefault(2) != "n")
            throw refuse($"the kind of word is '{fields.ElementAtOrDefault(2)}'; nouns have 'n'.");
        var words = Number(3, "the number of words", 255, NumberStyles.AllowHexSpecifier);
        if (words == 0)
            throw refuse("has no word.");
        var pointers = Number(4 + 2 * words, "the number of pointers", 999);
        if (fields.Length != 5 + 2 * words + 4 * pointers)
            throw refuse(string.Create(CultureInfo.InvariantCulture, $"has {fields.Length} fields before the gloss, where {words} words and {pointers} pointers make {5 + 2 * words + 4 * pointers}."));
        var (texts, tagged) = (new string[words], new int[words]);
        for (var i = 0; i < words; i++)
        {
            var word = fields[4 + 2 * i];
            var id = Number(5 + 2 * i, "the number of a word's meaning", 255, NumberStyles.AllowHexSpecifier);
            texts[i] = word.Length > 0 ? word.Replace('_', ' ') : throw refuse("has an empty word.");
            tagged[i] = counts.GetValueOrDefault(string.Create(CultureInfo.InvariantCulture, $"{word.ToLowerInvariant()}{NounType}{file:00}:{id:00}::"));
        }
        return new WordNetNoun(file, texts, line[(bar + 3)..].Trim(), tagged);
    }

    // sense_key sense_number tag_cnt
    private static Dictionary<string, int> Counts(string path)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (line, number) in Lines(path))
        {
            var fields = line.Split(' ');
            if (fields.Length != 3 || !int.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var count))
                throw InputFile.Refuse(path, string.Create(CultureInfo.InvariantCulture, $"line {number}: must be a sense's key, its number and a count."));
            if (fields[0].Contains(NounType, StringComparison.Ordinal))
                counts[fields[0]] = count;
        }
        return counts;
    }

    private static IEnumerable<(string Line, int Number)> Lines(string path) =>
        TextFile.Read(path, MaxBytes).Split('\n').Index().Where(line => line.Item.Length > 0).Select(line => (line.Item, line.Index + 1));
}
