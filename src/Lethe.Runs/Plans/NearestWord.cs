namespace Lethe.Runs.Plans;

/// <summary>Finds what somebody probably meant.</summary>
public static class NearestWord
{
    /// <summary>The known word with the smallest edit distance, the first of equals; null if none is near enough to be what was meant.</summary>
    /// <param name="word">What was written.</param>
    /// <param name="known">What could have been written.</param>
    public static string? Of(string word, IEnumerable<string> known)
    {
        var best = known.Select(candidate => (Candidate: candidate, Distance: Distance(word, candidate))).DefaultIfEmpty().MinBy(pair => pair.Distance);
        // Half of a word wrong is another word; but two slips are forgiven in the shortest one.
        return best.Candidate is not null && best.Distance <= Math.Max(2, Math.Max(word.Length, best.Candidate.Length) / 2) ? best.Candidate : null;
    }

    /// <summary>A clause such as "; did you mean 'lambda'", or nothing.</summary>
    public static string Hint(string word, IEnumerable<string> known) => Of(word, known) is { } nearest ? $"; did you mean '{nearest}'" : "";

    /// <summary>
    /// Edits (insert, remove, replace, swap neighbours) that lead from one word to the other, ignoring case; "-" and "_" are the same.
    /// Optimal string alignment: Levenshtein's distance with swaps.
    /// </summary>
    public static int Distance(string from, string to)
    {
        var rows = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++)
            rows[i, 0] = i;
        for (var j = 0; j <= to.Length; j++)
            rows[0, j] = j;
        for (var i = 1; i <= from.Length; i++)
        {
            for (var j = 1; j <= to.Length; j++)
            {
                var replace = rows[i - 1, j - 1] + (Same(from[i - 1], to[j - 1]) ? 0 : 1);
                rows[i, j] = Math.Min(replace, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && Same(from[i - 1], to[j - 2]) && Same(from[i - 2], to[j - 1]))
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        }
        return rows[from.Length, to.Length];
    }

    private static bool Same(char a, char b) => Fold(a) == Fold(b);

    private static char Fold(char c) => c == '-' ? '_' : char.ToLowerInvariant(c);
}
