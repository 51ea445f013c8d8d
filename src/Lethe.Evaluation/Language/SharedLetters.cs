using Lethe.Evaluation.Statistics;

namespace Lethe.Evaluation.Language;

/// <summary>
/// Letters that a question and an answer have in common. "Which word means 'air in a liquid state'?" names its answer, liquid air, to whoever only compares letters: what is scored there is no knowledge, and what is lost there is no forgetting.
/// </summary>
public static class SharedLetters
{
    /// <summary>Letters in a row that <see cref="Guess"/> compares: of what is common by chance pieces of two letters hold too much, pieces of four miss words such as oil and ice.</summary>
    public const int Piece = 3;

    /// <summary>Whether a word of the question and a word of the answer have letters in a row in common; case does not count.</summary>
    /// <param name="question">What the question gives.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="count">How many letters in a row, at least 1.</param>
    public static bool Any(string question, string answer, int count)
    {
        Check.Option(count >= 1, "number of shared letters", count, "at least 1");
        return Pieces(answer, count).Overlaps(Pieces(question, count));
    }

    /// <summary>What comparing letters makes of a swap: 1 where the answers' pieces stand in their own questions rather than in each other's, 0 the other way round, 0.5 where it cannot say.</summary>
    /// <param name="first">Question a, whose answer is A.</param>
    /// <param name="second">Question b, whose answer is B.</param>
    public static double Guess(KnowledgeQuestion first, KnowledgeQuestion second)
    {
        var (a, b, ownA, ownB) = (Pieces(first.Given, Piece), Pieces(second.Given, Piece), Pieces(first.Answer, Piece), Pieces(second.Answer, Piece));
        var margin = Share(ownA, a) + Share(ownB, b) - Share(ownB, a) - Share(ownA, b);
        return margin > 0 ? 1 : margin < 0 ? 0 : 0.5;
    }

    /// <summary>What comparing letters makes of each of some pairs.</summary>
    /// <param name="questions">The questions.</param>
    /// <param name="pairs">Pairs of them.</param>
    public static IReadOnlyList<double> Guesses(IReadOnlyList<KnowledgeQuestion> questions, IReadOnlyList<SwapPair> pairs) => [.. pairs.Select(pair => Guess(questions[pair.First], questions[pair.Second]))];

    /// <summary>Whether a swap is given away: either answer shares letters with either question.</summary>
    /// <param name="first">Question a.</param>
    /// <param name="second">Question b.</param>
    /// <param name="count">How many letters in a row.</param>
    public static bool GivesAway(KnowledgeQuestion first, KnowledgeQuestion second, int count) =>
        ((KnowledgeQuestion[])[first, second]).Any(question => Any(question.Given, first.Answer, count) || Any(question.Given, second.Answer, count));

    private static double Share(HashSet<string> answer, HashSet<string> question) => answer.Count == 0 ? 0 : (double)answer.Count(question.Contains) / answer.Count;

    // Runs of letters within words.
    private static HashSet<string> Pieces(string text, int count)
    {
        var pieces = new HashSet<string>(StringComparer.Ordinal);
        var lower = text.ToLowerInvariant();
        for (var (start, end) = (0, 0); end < lower.Length; end++)
        {
            if (!char.IsLetter(lower[end]))
                start = end + 1;
            else if (end - start + 1 >= count)
                pieces.Add(lower.Substring(end - count + 1, count));
        }
        return pieces;
    }
}
