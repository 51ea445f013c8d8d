using Lethe.Models.Language;
using Lethe.Torch;

namespace Lethe.Evaluation.Language;

/// <summary>Rows of tokens for one forward.</summary>
internal static class TokenBatch
{
    /// <summary>Tokens (B, T) as a tensor, shorter rows filled up at the end with 0: nothing before a token sees what comes after it, so that no mask is needed.</summary>
    public static Tensor Of(IReadOnlyList<ReadOnlyMemory<int>> rows, Device device)
    {
        var length = rows.Max(row => row.Length);
        var ids = new long[rows.Count * length];
        for (var i = 0; i < rows.Count; i++)
        {
            var row = rows[i].Span;
            for (var j = 0; j < row.Length; j++)
                ids[i * length + j] = row[j];
        }
        return Tensor.FromArray(ids, rows.Count, length).To(device);
    }

    /// <summary>Cuts a list into batches of at most so much, at least one item each.</summary>
    /// <param name="items">How many.</param>
    /// <param name="fits">Whether a batch from an index to another (exclusive) is allowed.</param>
    public static IEnumerable<(int From, int To)> Cut(int items, Func<int, int, bool> fits)
    {
        for (var from = 0; from < items;)
        {
            var to = from + 1;
            while (to < items && fits(from, to + 1))
                to++;
            yield return (from, to);
            from = to;
        }
    }
}
