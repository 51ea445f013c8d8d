using Lethe.Evaluation.Statistics;
using Lethe.Torch;

namespace Lethe.Evaluation.Language;

/// <summary>Two questions whose answers are swapped.</summary>
/// <param name="First">Index of question a, whose answer is A.</param>
/// <param name="Second">Index of question b, whose answer is B ≠ A.</param>
/// <param name="Block">Number of the block of entities that both belong to; pairs of different blocks have no entity in common.</param>
public readonly record struct SwapPair(int First, int Second, int Block);

/// <summary>
/// Swap pairs: two questions a and b with answers A ≠ B are right together if log p(A|a) + log p(B|b) − log p(B|a) − log p(A|b) is above 0. What the model thinks of an
/// answer whatever the question cancels: with p(X|x) ∝ f(X)·g(x, X) the margin holds no f. Chance is 50 %.
/// </summary>
public static class SwapPairs
{
    /// <summary>The margin of a pair, nats; a model that knows nothing is as often above 0 as below.</summary>
    /// <param name="firstOwn">log p(A|a).</param>
    /// <param name="firstOther">log p(B|a).</param>
    /// <param name="secondOther">log p(A|b).</param>
    /// <param name="secondOwn">log p(B|b).</param>
    public static double Margin(double firstOwn, double firstOther, double secondOther, double secondOwn) => firstOwn + secondOwn - firstOther - secondOther;

    /// <summary>Pairs in the order of the items: each item meets the first one before it that it may be paired with and that has no partner yet. What is left alone has no pair.</summary>
    /// <typeparam name="T">The items' type.</typeparam>
    /// <param name="items">The items.</param>
    /// <param name="differ">Whether an earlier and a later item may be paired.</param>
    public static IReadOnlyList<(T First, T Second)> InOrder<T>(IReadOnlyList<T> items, Func<T, T, bool> differ)
    {
        var waiting = new List<T>();
        var pairs = new List<(T, T)>();
        foreach (var item in items)
        {
            var partner = waiting.FindIndex(other => differ(other, item));
            if (partner < 0)
            {
                waiting.Add(item);
                continue;
            }
            pairs.Add((waiting[partner], item));
            waiting.RemoveAt(partner);
        }
        return pairs;
    }

    /// <summary>
    /// Pairs within blocks: the entities of each topic are put in random order and dealt into blocks, and within a block every two questions of one family, of different
    /// entities, with different answers that are not alike, are a pair, once. Blocks share no entity, so that they are what a bootstrap may draw; more entities a
    /// block give each question more partners, which lowers the noise, and leave fewer blocks. The pairs depend on the questions and the seed, not on their order.
    /// </summary>
    /// <param name="questions">The questions.</param>
    /// <param name="blockSize">Entities of a block, at least 2; where a topic's number is no multiple, some blocks hold one more.</param>
    /// <param name="seed">Seed of the order.</param>
    /// <exception cref="Torch.UsageException">The block size is below 2.</exception>
    public static IReadOnlyList<SwapPair> Form(IReadOnlyList<KnowledgeQuestion> questions, int blockSize = 4, ulong seed = 0)
    {
        var blocks = Blocks(questions, blockSize, seed);
        var pairs = new List<SwapPair>();
        foreach (var members in Enumerable.Range(0, questions.Count).GroupBy(i => (blocks[i], questions[i].Topic, questions[i].Family)))
        {
            int[] ordered = [.. members.OrderBy(i => questions[i].Entity, StringComparer.Ordinal).ThenBy(i => questions[i].Context, StringComparer.Ordinal)];
            for (var second = 1; second < ordered.Length; second++)
                for (var first = 0; first < second; first++)
                    if (Differ(questions[ordered[first]], questions[ordered[second]]))
                        pairs.Add(new SwapPair(ordered[first], ordered[second], members.Key.Item1));
        }
        return [.. pairs.OrderBy(pair => pair.Block).ThenBy(pair => questions[pair.First].Family, StringComparer.Ordinal)];
    }

    /// <summary>The block of each question: its topic's entities, in random order, are dealt round into as many blocks as hold <paramref name="blockSize"/> each.</summary>
    internal static int[] Blocks(IReadOnlyList<KnowledgeQuestion> questions, int blockSize, ulong seed)
    {
        Check.Option(blockSize >= 2, "number of entities in a block of swaps", blockSize, "at least 2");
        var blocks = new int[questions.Count];
        var next = 0;
        foreach (var topic in Enumerable.Range(0, questions.Count).GroupBy(i => questions[i].Topic).OrderBy(topic => topic.Key, StringComparer.Ordinal))
        {
            string[] entities = [.. topic.Select(i => questions[i].Entity).Distinct().Order(StringComparer.Ordinal)];
            var order = SplitMix64.Of(seed, topic.Key).Permutation(entities.Length);
            var count = Math.Max(1, entities.Length / blockSize);
            var places = Enumerable.Range(0, entities.Length).ToDictionary(place => entities[order[place]], place => place % count);
            foreach (var i in topic)
                blocks[i] = next + places[questions[i].Entity];
            next += count;
        }
        return blocks;
    }

    private static bool Differ(KnowledgeQuestion a, KnowledgeQuestion b) => a.Entity != b.Entity && a.Answer != b.Answer && (a.Likeness is null || a.Likeness != b.Likeness);
}
