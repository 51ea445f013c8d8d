namespace Lethe.Evaluation.Language;

/// <summary>
/// A token to be scored: the hidden state at a position, of the bundle's prefix or of one of its branches, says how likely the token is that follows.
/// </summary>
/// <param name="Request">Number of the request that it belongs to.</param>
/// <param name="Branch">The branch; -1 for the prefix.</param>
/// <param name="Position">Position within the prefix, or within the branch.</param>
/// <param name="Target">Id of the token that follows.</param>
internal readonly record struct Pick(int Request, int Branch, int Position, int Target);

/// <summary>Requests that share their beginning: what they share goes through the model once, and what differs as branches on top of it.</summary>
/// <param name="Prefix">Ids that all begin with; at least one.</param>
/// <param name="Branches">Ids that follow, each different; none where every token is predicted from the prefix.</param>
/// <param name="Picks">What is scored.</param>
internal sealed record Bundle(int[] Prefix, IReadOnlyList<int[]> Branches, IReadOnlyList<Pick> Picks)
{
    /// <summary>Length of the longest branch.</summary>
    public int BranchLength { get; } = Branches.Count == 0 ? 0 : Branches.Max(branch => branch.Length);

    /// <summary>The longest beginning of the prefix at which nothing is scored and after which something of it is left.</summary>
    public int Free { get; } = Picks.Where(pick => pick.Branch < 0).Select(pick => pick.Position).Append(Prefix.Length - 1).Min();
}

/// <summary>Bundles that share a longer beginning, which goes through the model once for all of them.</summary>
/// <param name="Trunk">Tokens of the shared beginning; 0 where there is none.</param>
/// <param name="Bundles">The bundles.</param>
internal sealed record Grove(int Trunk, IReadOnlyList<Bundle> Bundles);

/// <summary>Finds what requests share.</summary>
internal static class ScoringPlan
{
    /// <summary>Bundles of the requests, question by question.</summary>
    /// <param name="questions">The requests of each question.</param>
    /// <param name="maximumLength">Tokens that the model reads at once.</param>
    public static List<Bundle> Bundles(IReadOnlyList<IReadOnlyList<ScoredRequest>> questions, int maximumLength)
    {
        var bundles = new List<Bundle>();
        var first = 0;
        foreach (var question in questions)
        {
            var inputs = question.Select(request => request.Input(maximumLength)).ToArray();
            var shared = inputs.Length == 0 ? 0 : inputs.Aggregate(inputs[0].Length, (length, input) => Math.Min(length, Common(inputs[0], input)));
            if (shared > 0)
                bundles.Add(Make(question, inputs, shared, [.. Enumerable.Range(0, inputs.Length)], first));
            else // What was cut from the left shares nothing any more.
                bundles.AddRange(inputs.Select((input, i) => Make(question, inputs, input.Length, [i], first)));
            first += question.Count;
        }
        return bundles;
    }

    /// <summary>Gathers bundles whose prefixes begin alike: few-shot examples, a fixed preamble.</summary>
    /// <param name="bundles">The bundles.</param>
    /// <param name="least">The shortest beginning worth it, tokens.</param>
    public static List<Grove> Groves(IEnumerable<Bundle> bundles, int least)
    {
        var sorted = bundles.OrderBy(bundle => bundle.Prefix, Comparer<int[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b))).ToList();
        var groves = new List<Grove>();
        var loose = new List<Bundle>();
        for (var begin = 0; begin < sorted.Count;)
        {
            var trunk = sorted[begin].Free;
            var end = begin + 1;
            while (end < sorted.Count)
            {
                var common = Math.Min(Common(sorted[begin].Prefix, sorted[end].Prefix), sorted[end].Free);
                // A member that shares much less than the others would cost them more than it gains.
                if (common < least || (end > begin + 1 && common < trunk / 2))
                    break;
                trunk = Math.Min(trunk, common);
                end++;
            }
            if (end - begin == 1 || trunk < least)
                loose.AddRange(sorted[begin..end]);
            else
                groves.Add(new Grove(trunk, sorted[begin..end]));
            begin = end;
        }
        if (loose.Count > 0)
            groves.Add(new Grove(0, loose));
        return groves;
    }

    private static Bundle Make(IReadOnlyList<ScoredRequest> question, int[][] inputs, int shared, int[] members, int first)
    {
        var branches = new List<int[]>();
        var picks = new List<Pick>();
        foreach (var member in members)
        {
            var input = inputs[member];
            var targets = question[member].Continuation;
            var rest = input[shared..];
            var branch = branches.FindIndex(known => known.AsSpan().SequenceEqual(rest));
            if (branch < 0 && rest.Length > 0)
            {
                branch = branches.Count;
                branches.Add(rest);
            }
            for (var i = 0; i < targets.Length; i++)
            {
                var position = input.Length - targets.Length + i;
                picks.Add(position < shared ? new Pick(first + member, -1, position, targets[i]) : new Pick(first + member, branch, position - shared, targets[i]));
            }
        }
        return new Bundle(inputs[members[0]][..shared], branches, picks);
    }

    private static int Common(int[] a, int[] b) => a.AsSpan().CommonPrefixLength(b);
}
