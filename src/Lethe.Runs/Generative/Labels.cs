using System.Globalization;
using Lethe.Runs.Plans;
using Lethe.Torch;

namespace Lethe.Runs.Generative;

/// <summary>The labels of a data set, which plans name by number or by name.</summary>
public static class Labels
{
    /// <summary>The number of a label.</summary>
    /// <param name="word">A number, or a name in any case.</param>
    /// <param name="names">Names in order.</param>
    /// <param name="key">The plan's key, for the error.</param>
    /// <exception cref="UsageException">There is no such label; the message lists them.</exception>
    public static int Find(string word, IReadOnlyList<string> names, string key)
    {
        for (var label = 0; label < names.Count; label++)
            if (string.Equals(names[label], word, StringComparison.OrdinalIgnoreCase))
                return label;
        if (int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < names.Count)
            return number;
        var all = string.Join(", ", names.Select((name, label) => name == label.ToString(CultureInfo.InvariantCulture) ? name : $"{label} {name}"));
        throw new UsageException($"{key} is '{word}', which is no label{NearestWord.Hint(word, names)}; there are: {all}.");
    }
}
