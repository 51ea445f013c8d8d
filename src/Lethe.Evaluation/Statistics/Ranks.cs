namespace Lethe.Evaluation.Statistics;

/// <summary>Ranks from 1, ties sharing the mean of theirs.</summary>
internal static class Ranks
{
    /// <summary>The midrank of each value.</summary>
    public static double[] Of(ReadOnlySpan<double> values)
    {
        var sorted = values.ToArray();
        var order = new int[values.Length];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        Array.Sort(sorted, order);

        var ranks = new double[values.Length];
        for (var start = 0; start < sorted.Length;)
        {
            var end = start + 1;
            while (end < sorted.Length && sorted[end] == sorted[start])
                end++;
            // Places start+1 … end share their mean.
            var rank = (start + 1 + end) / 2.0;
            for (var i = start; i < end; i++)
                ranks[order[i]] = rank;
            start = end;
        }
        return ranks;
    }
}
