namespace Lethe.Formats;

/// <summary>The five filters of PNG: a row is stored as differences to its neighbours, so that it compresses better.</summary>
/// <remarks>Source: PNG specification (W3C, ISO/IEC 15948), clause 9.</remarks>
internal static class PngFilter
{
    public const int Count = 5;

    /// <summary>Turns a filtered row back into samples, in place.</summary>
    /// <param name="filter">0 none, 1 left, 2 up, 3 average, 4 Paeth.</param>
    /// <param name="row">The row's bytes.</param>
    /// <param name="above">The row above, decoded; zeros for the first.</param>
    /// <param name="pixelBytes">Distance to the neighbour on the left, at least 1.</param>
    public static void Undo(int filter, Span<byte> row, ReadOnlySpan<byte> above, int pixelBytes)
    {
        for (var i = 0; i < row.Length; i++)
            row[i] += Predict(filter, row, above, i, pixelBytes);
    }

    /// <summary>Filters a row.</summary>
    public static void Apply(int filter, ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int pixelBytes, Span<byte> filtered)
    {
        for (var i = 0; i < row.Length; i++)
            filtered[i] = (byte)(row[i] - Predict(filter, row, above, i, pixelBytes));
    }

    private static byte Predict(int filter, ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int i, int pixelBytes)
    {
        int left = i >= pixelBytes ? row[i - pixelBytes] : 0, up = above[i];
        return filter switch
        {
            0 => 0,
            1 => (byte)left,
            2 => (byte)up,
            3 => (byte)((left + up) / 2),
            _ => Paeth(left, up, i >= pixelBytes ? above[i - pixelBytes] : 0),
        };
    }

    private static byte Paeth(int left, int up, int corner)
    {
        int toLeft = Math.Abs(up - corner), toUp = Math.Abs(left - corner), toCorner = Math.Abs(left + up - 2 * corner);
        return (byte)(toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner);
    }
}
