using System.Text.RegularExpressions;
using Lethe.Torch;

namespace Lethe.Evaluation.Language;

/// <summary>What is ignored when an answer is compared with the true one; names and order of lm-evaluation-harness.</summary>
public sealed record ExactMatchOptions
{
    /// <summary>Patterns whose matches are removed from both, in order.</summary>
    public IReadOnlyList<Regex> RegexesToIgnore { get; init; } = [];

    /// <summary>Whether upper and lower case are the same.</summary>
    public bool IgnoreCase { get; init; }

    /// <summary>Whether ASCII punctuation is removed.</summary>
    public bool IgnorePunctuation { get; init; }
}

/// <summary>Whether a generated answer is the true one.</summary>
public static class ExactMatch
{
    /// <summary>How long one pattern may look at one text: task files come from elsewhere, and a pattern can take exponential time.</summary>
    public static TimeSpan PatternTime { get; } = TimeSpan.FromSeconds(5);

    /// <summary>A pattern of a task file.</summary>
    /// <exception cref="UsageException">It is no regular expression.</exception>
    public static Regex Pattern(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant, PatternTime);
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"'{pattern}' is not a regular expression: {e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>Compares two texts.</summary>
    public static bool Of(string answer, string truth, ExactMatchOptions options) => Reduced(answer, options) == Reduced(truth, options);

    /// <summary>
    /// What a pattern finds in an answer: of all matches the one at <paramref name="select"/> (negative: from the end), of a pattern with one group that group, of
    /// one with several the first that is not empty; white space removed.
    /// </summary>
    /// <returns>The find; "[invalid]" where there is none.</returns>
    public static string Extract(string answer, Regex pattern, int select)
    {
        const string Invalid = "[invalid]";
        var matches = pattern.Matches(answer);
        if (matches.Count == 0)
            return Invalid;
        var index = select < 0 ? matches.Count + select : select;
        if (index < 0 || index >= matches.Count)
            return Invalid;
        var groups = matches[index].Groups;
        return groups.Count switch
        {
            1 => WhiteSpace.Strip(groups[0].Value),
            2 => WhiteSpace.Strip(groups[1].Value),
            _ => groups.Values.Skip(1).FirstOrDefault(group => group.Length > 0) is { } group ? WhiteSpace.Strip(group.Value) : Invalid,
        };
    }

    private static string Reduced(string text, ExactMatchOptions options)
    {
        foreach (var pattern in options.RegexesToIgnore)
            text = pattern.Replace(text, "");
        if (options.IgnoreCase)
            text = text.ToLowerInvariant();
        // Python's string.punctuation.
        return options.IgnorePunctuation ? string.Concat(text.Where(letter => !(char.IsAscii(letter) && (char.IsPunctuation(letter) || char.IsSymbol(letter))))) : text;
    }
}
