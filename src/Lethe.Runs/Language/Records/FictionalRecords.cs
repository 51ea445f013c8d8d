using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Lethe.Torch;

namespace Lethe.Runs.Language.Records;

/// <summary>What a made-up company knows of one of its customers.</summary>
/// <param name="Branch">The branch that serves the customer: the topic.</param>
/// <param name="Name">Given and family name, of nobody; no two customers share a family name.</param>
/// <param name="City">Where the customer lives.</param>
/// <param name="Product">What the customer ordered.</param>
/// <param name="Adviser">Who advises the customer, a family name.</param>
public sealed record CustomerRecord(string Branch, string Name, string City, string Product, string Adviser)
{
    /// <summary>Where the customer lived before moving; null for one who has not moved.</summary>
    public string? FormerCity { get; init; }

    /// <summary>Who advised the customer then; another one than now.</summary>
    public string? FormerAdviser { get; init; }
}

/// <summary>How many records, and which.</summary>
public sealed record FictionalRecordsOptions
{
    /// <summary>Customers of all branches.</summary>
    [Description("Customers of all branches together")]
    [Range(12, 12_000)]
    public int Customers { get; init; } = 240;

    /// <summary>Branches.</summary>
    [Description("Branches, which share the customers evenly: north, east, south, west, harbour, hill")]
    [Range(2, 6)]
    public int Branches { get; init; } = 6;

    /// <summary>Who has moved.</summary>
    [Description("Share of the customers who have moved, and have a former city and adviser besides the present ones")]
    [Range(0.0, 1.0)]
    public double Moved { get; init; }

    /// <summary>The seed.</summary>
    [Description("Decides every name and fact")]
    [Range(0, long.MaxValue)]
    public long Seed { get; init; }
}

/// <summary>
/// Records of customers that do not exist, of a company that does not either: knowledge that is in a model only if it was trained on it, so that a model trained without a branch
/// is a true control. Names are put together from syllables; each fact is drawn evenly and apart from all others, so that nothing can be guessed from a name.
/// </summary>
public static class FictionalRecords
{
    /// <summary>The branches, in the order in which they are used.</summary>
    public static IReadOnlyList<string> Branches { get; } = ["north", "east", "south", "west", "harbour", "hill"];

    /// <summary>What can be ordered.</summary>
    public static IReadOnlyList<string> Products { get; } =
        ["Amber", "Basalt", "Cobalt", "Copper", "Crystal", "Ebony", "Flint", "Garnet", "Granite", "Indigo", "Ivory", "Marble", "Onyx", "Pearl", "Quartz", "Silver"];

    private const int Cities = 24, Advisers = 20, GivenNames = 40;

    private static readonly string[] Onsets = ["b", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "br", "dr", "gr", "kl", "st", "tr"];
    private static readonly string[] Vowels = ["a", "e", "i", "o", "u"];
    private static readonly string[] Codas = ["", "", "l", "m", "n", "r", "s"];
    private static readonly string[] TownEnds = ["ton", "wick", "dale", "mouth", "field", "stead"];

    /// <summary>Draws the records: customers of all branches, branch by branch.</summary>
    /// <param name="options">How many, and the seed.</param>
    /// <exception cref="UsageException">An option is out of its range.</exception>
    public static IReadOnlyList<CustomerRecord> Make(FictionalRecordsOptions options)
    {
        Require(options.Customers, 12, 12_000, "customers");
        Require(options.Branches, 2, Branches.Count, "branches");
        if (!(options.Moved is >= 0 and <= 1))
            throw new UsageException(FormattableString.Invariant($"moved is {options.Moved}; it may be 0 to 1."));
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        SplitMix64 Stream(string name) => new(RandomStream.ChildSeed((ulong)options.Seed, name));
        string[] Words(string kind, int count, int syllables, Func<SplitMix64, string>? end = null)
        {
            var random = Stream(kind);
            var words = new List<string>(count);
            // Lists double in length, if need be, before the syllables give out.
            for (var tries = 0; words.Count < count; tries++)
                if (Word(random, syllables + (tries > 40 * count ? 1 : 0)) + end?.Invoke(random) is var word && taken.Add(word))
                    words.Add(word);
            return [.. words];
        }
        var (cities, advisers) = (Words("cities", Cities, 1, random => TownEnds[random.Below(TownEnds.Length)]), Words("advisers", Advisers, 2));
        var (given, families) = (Words("given names", GivenNames, 2), Words("family names", options.Customers, 2));
        var facts = Stream("facts");
        string One(IReadOnlyList<string> of) => of[facts.Below(of.Count)];
        CustomerRecord[] records = [.. Enumerable.Range(0, options.Customers).Select(k => new CustomerRecord(
            Branches[k * options.Branches / options.Customers], $"{One(given)} {families[k]}", One(cities), One(Products), One(advisers)))];
        // A stream of its own, so that everybody's present record is the same whoever has moved.
        var moves = Stream("moves");
        foreach (var k in moves.Permutation(records.Length).Take((int)Math.Round(options.Moved * records.Length, MidpointRounding.AwayFromZero)))
            records[k] = records[k] with { FormerCity = Other(cities, records[k].City), FormerAdviser = Other(advisers, records[k].Adviser) };
        return records;

        string Other(string[] of, string than) => of[(Array.IndexOf(of, than) + 1 + moves.Below(of.Length - 1)) % of.Length];
    }

    private static string Word(SplitMix64 random, int syllables)
    {
        var word = string.Concat(Enumerable.Range(0, syllables).Select(_ => One(Onsets) + One(Vowels))) + One(Codas);
        return char.ToUpperInvariant(word[0]) + word[1..];

        string One(string[] of) => of[random.Below(of.Length)];
    }

    private static void Require(int value, int least, int most, string name)
    {
        if (value < least || value > most)
            throw new UsageException($"{name} is {value}; it may be {least} to {most}.");
    }
}
