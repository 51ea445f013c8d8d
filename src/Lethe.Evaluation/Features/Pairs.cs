namespace Lethe.Evaluation.Features;

/// <summary>
/// The scalar products of every row of one set with every row of another, a tile at a time: they are never all in memory, and a tile's
/// rows stay in the cache while they are used.
/// </summary>
internal static class Pairs
{
    /// <summary>Rows of a tile; at 320 features, 48 rows are 123 KB.</summary>
    private const int TileRows = 48;

    /// <summary>What to do with the products of one row of the first set with rows start … start + products.Length − 1 of the second.</summary>
    public delegate void Visit(int row, int start, ReadOnlySpan<double> products);

    /// <summary>
    /// Visits every pair. Rows of the first set are spread over processors, but all pairs of a row come in order from one thread, so that
    /// results do not depend on the number of processors.
    /// </summary>
    public static void ForEach(JudgeFeatures first, JudgeFeatures second, Visit visit)
    {
        Parallel.For(0, (first.Count + TileRows - 1) / TileRows, tile =>
        {
            int from = tile * TileRows, to = Math.Min(from + TileRows, first.Count);
            var products = new double[TileRows * TileRows];
            for (var start = 0; start < second.Count; start += TileRows)
            {
                var width = Math.Min(TileRows, second.Count - start);
                Fill(first, from, to, second, start, width, products);
                for (var row = from; row < to; row++)
                    visit(row, start, products.AsSpan((row - from) * TileRows, width));
            }
        });
    }

    /// <summary>The squared norm of each row.</summary>
    public static double[] SquaredNorms(JudgeFeatures set)
    {
        var norms = new double[set.Count];
        for (var i = 0; i < norms.Length; i++)
            norms[i] = Dense.Dot(set[i], set[i]);
        return norms;
    }

    private static void Fill(JudgeFeatures first, int from, int to, JudgeFeatures second, int start, int width, double[] products)
    {
        var row = from;
        for (; row + 1 < to; row += 2)
        {
            int at = (row - from) * TileRows, next = at + TileRows, column = 0;
            for (; column + 4 <= width; column += 4)
                Dense.TwoByFour(first[row], first[row + 1], second.Rows(start + column, 4), first.Dimension, products.AsSpan(at + column, 4), products.AsSpan(next + column, 4));
            for (; column < width; column++)
            {
                products[at + column] = Dense.Dot(first[row], second[start + column]);
                products[next + column] = Dense.Dot(first[row + 1], second[start + column]);
            }
        }
        if (row < to)
            for (var column = 0; column < width; column++)
                products[(row - from) * TileRows + column] = Dense.Dot(first[row], second[start + column]);
    }
}
