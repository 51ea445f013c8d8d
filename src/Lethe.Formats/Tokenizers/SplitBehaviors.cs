namespace Lethe.Formats.Tokenizers;

/// <summary>What becomes of the matches when a piece is split at them.</summary>
internal enum SplitBehavior
{
    /// <summary>They go.</summary>
    Removed,

    /// <summary>Each becomes a piece.</summary>
    Isolated,

    /// <summary>Each joins the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>Each joins the piece behind it.</summary>
    MergedWithNext,

    /// <summary>Neighbouring matches become one piece.</summary>
    Contiguous,
}

/// <summary>Splits a piece at matches.</summary>
/// <remarks>huggingface/tokenizers at 3ba8ad0, tokenizer/normalizer.rs (split) and pattern.rs (find_matches, Invert).</remarks>
internal static class SplitBehaviors
{
    /// <param name="piece">What is split.</param>
    /// <param name="matches">Begin and end, ascending, without overlaps.</param>
    /// <param name="behavior">What becomes of them.</param>
    /// <param name="invert">What lies between the matches counts as matched, and the matches as what lies between.</param>
    /// <param name="pieces">Where the parts go; empty ones do not.</param>
    public static void Apply(Piece piece, List<(int Begin, int End)> matches, SplitBehavior behavior, bool invert, List<Piece> pieces)
    {
        if (behavior == SplitBehavior.Isolated)
        {
            var from = 0;
            foreach (var (begin, end) in matches)
            {
                Add(from, begin);
                Add(begin, end);
                from = end;
            }
            Add(from, piece.Length);
            return;
        }

        var stretches = Stretches(piece.Length, matches, invert);
        if (behavior == SplitBehavior.MergedWithNext)
        {
            stretches.Reverse();
            Fold(stretches, (last, next) => (next.Begin, last.End), (matched, before) => matched && !before);
            stretches.Reverse();
        }
        else if (behavior == SplitBehavior.MergedWithPrevious)
            Fold(stretches, (last, next) => (last.Begin, next.End), (matched, before) => matched && !before);
        else if (behavior == SplitBehavior.Contiguous)
            Fold(stretches, (last, next) => (last.Begin, next.End), (matched, before) => matched == before);
        else
            stretches.RemoveAll(stretch => stretch.Matched);
        foreach (var (begin, end, _) in stretches)
            Add(begin, end);

        void Add(int begin, int end)
        {
            if (end > begin)
                pieces.Add(piece.Part(begin, end));
        }
    }

    /// <summary>The whole piece as matches and what lies between them, in order.</summary>
    private static List<(int Begin, int End, bool Matched)> Stretches(int length, List<(int Begin, int End)> matches, bool invert)
    {
        var stretches = new List<(int, int, bool)>();
        var from = 0;
        foreach (var (begin, end) in matches)
        {
            if (from != begin)
                stretches.Add((from, begin, invert));
            stretches.Add((begin, end, !invert));
            from = end;
        }
        if (from != length)
            stretches.Add((from, length, invert));
        return stretches;
    }

    /// <summary>Joins a stretch to the one before it where <paramref name="joins"/> says so of (matched, the one before was matched).</summary>
    private static void Fold(List<(int Begin, int End, bool Matched)> stretches, Func<(int Begin, int End), (int Begin, int End), (int Begin, int End)> join, Func<bool, bool, bool> joins)
    {
        var folded = new List<(int Begin, int End, bool Matched)>();
        var before = false;
        foreach (var stretch in stretches)
        {
            if (joins(stretch.Matched, before) && folded.Count > 0)
            {
                var (begin, end) = join((folded[^1].Begin, folded[^1].End), (stretch.Begin, stretch.End));
                folded[^1] = (begin, end, false);
            }
            else
                folded.Add(stretch);
            before = stretch.Matched;
        }
        stretches.Clear();
        stretches.AddRange(folded);
    }
}
