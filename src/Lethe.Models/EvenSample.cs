namespace Lethe.Models;

/// <summary>Some of many things, spread evenly over all: topics and corpora stand one after another, and each keeps its share.</summary>
public static class EvenSample
{
    /// <summary>Places of at most so many of them, ascending.</summary>
    /// <param name="count">How many there are.</param>
    /// <param name="most">How many are wanted; where there are fewer, all.</param>
    public static IReadOnlyList<int> Places(int count, int most)
    {
        var wanted = Math.Min(count, most);
        return [.. Enumerable.Range(0, wanted).Select(k => (int)((long)k * count / wanted))];
    }

    /// <summary>At most so many of them.</summary>
    /// <param name="all">What there is.</param>
    /// <param name="most">How many are wanted; where there are fewer, all as they are.</param>
    public static IReadOnlyList<T> Of<T>(IReadOnlyList<T> all, int most) => all.Count <= most ? all : [.. Places(all.Count, most).Select(place => all[place])];
}
