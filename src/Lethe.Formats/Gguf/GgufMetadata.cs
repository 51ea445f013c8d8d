using Lethe.Torch;

namespace Lethe.Formats.Gguf;

/// <summary>The keys and values of a GGUF file, read by type; a value of another type than asked for is refused with the key's name.</summary>
public sealed class GgufMetadata
{
    private readonly OrderedDictionary<string, object> values;

    internal GgufMetadata(string file, OrderedDictionary<string, object> values) => (File, this.values) = (file, values);

    /// <summary>The file, for errors.</summary>
    public string File { get; }

    /// <summary>All keys, in the file's order.</summary>
    public IReadOnlyList<string> Keys => values.Keys;

    /// <summary>Whether a key is there.</summary>
    public bool Contains(string key) => values.ContainsKey(key);

    /// <summary>A text; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public string? Text(string key) => Find(key) switch
    {
        null => null,
        string text => text,
        var other => throw Refuse(key, other, "a text"),
    };

    /// <summary>A whole number of any width within bounds; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public long? Integer(string key, long min, long max) => Find(key) switch
    {
        null => null,
        ulong number when max >= 0 && number <= (ulong)max && (min <= 0 || number >= (ulong)min) => (long)number,
        long number when number >= min && number <= max => number,
        var other => throw Refuse(key, other, $"a whole number from {min} to {max}"),
    };

    /// <summary>A number of any type, whole or not, that is finite and within bounds; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public double? Number(string key, double min, double max)
    {
        var value = Find(key) switch
        {
            null => (double?)null,
            ulong number => number,
            long number => number,
            double number => number,
            float number => number,
            var other => throw Refuse(key, other, "a number"),
        };
        return value is null || (value >= min && value <= max) ? value : throw Refuse(key, FormattableString.Invariant($"is {value}; it must be a number from {min} to {max}."));
    }

    /// <summary>A truth value; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public bool? Flag(string key) => Find(key) switch
    {
        null => null,
        bool flag => flag,
        var other => throw Refuse(key, other, "true or false"),
    };

    /// <summary>A list of texts; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public IReadOnlyList<string>? Texts(string key) => Find(key) switch
    {
        null => null,
        string[] texts => texts,
        var other => throw Refuse(key, other, "a list of texts"),
    };

    /// <summary>A list of whole numbers; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else, or a number exceeds 64 signed bits.</exception>
    public IReadOnlyList<long>? Integers(string key) => Find(key) switch
    {
        null => null,
        long[] numbers => numbers,
        var other => throw Refuse(key, other, "a list of whole numbers"),
    };

    /// <summary>A list of numbers; null where absent.</summary>
    /// <exception cref="BadInputException">It is something else.</exception>
    public IReadOnlyList<double>? Numbers(string key) => Find(key) switch
    {
        null => null,
        double[] numbers => numbers,
        long[] numbers => Array.ConvertAll(numbers, number => (double)number),
        var other => throw Refuse(key, other, "a list of numbers"),
    };

    /// <summary>An error about a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="why">What is wrong, and what was allowed; the sentence goes on after the key's name.</param>
    public BadInputException Refuse(string key, string why) => InputFile.Refuse(File, $"{key} {why}");

    private object? Find(string key) => values.GetValueOrDefault(key);

    private BadInputException Refuse(string key, object value, string allowed) => Refuse(key, $"is {Show(value)}; it must be {allowed}.");

    private static string Show(object value) => value switch
    {
        string text => $"the text '{(text.Length <= 60 ? text : text[..60] + " …")}'",
        Array array => $"a list of {array.Length} {(array is string[] ? "texts" : array is bool[] ? "truth values" : "numbers")}",
        bool flag => flag ? "true" : "false",
        _ => FormattableString.Invariant($"{value}"),
    };
}
