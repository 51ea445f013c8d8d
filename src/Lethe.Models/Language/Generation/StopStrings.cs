namespace Lethe.Models.Language.Generation;

/// <summary>
/// Lets a growing text through up to the first stop string, also where that one comes in pieces: the end of the text waits as long as a stop string
/// may begin in it.
/// </summary>
/// <param name="stops">The stop strings; none is empty.</param>
public sealed class StopStrings(IReadOnlyList<string> stops)
{
    private string waiting = "";

    /// <summary>Whether a stop string has appeared; nothing is let through any more.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Takes the next piece and gives what is certainly part of the answer.</summary>
    public string Push(string piece)
    {
        if (Stopped)
            return "";
        var text = waiting + piece;
        var cut = -1;
        foreach (var stop in stops)
            if (text.IndexOf(stop, StringComparison.Ordinal) is >= 0 and var at && (cut < 0 || at < cut))
                cut = at;
        if (cut >= 0)
        {
            (Stopped, waiting) = (true, "");
            return text[..cut];
        }
        var held = stops.Count == 0 ? 0 : stops.Max(stop => Overlap(text, stop));
        waiting = text[^held..];
        return text[..^held];
    }

    /// <summary>Says that nothing follows, and gives what was held back.</summary>
    public string Finish()
    {
        var rest = Stopped ? "" : waiting;
        waiting = "";
        return rest;
    }

    // The longest end of the text with which the stop string begins.
    private static int Overlap(string text, string stop)
    {
        for (var length = Math.Min(text.Length, stop.Length - 1); length > 0; length--)
            if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                return length;
        return 0;
    }
}
