using System.Text.RegularExpressions;
using Lethe.Torch;

namespace Lethe.Unlearning.Language;

/// <summary>Chooses parameters by name, where * stands for any characters: "model.layers.*.mlp.*".</summary>
public static class NamePatterns
{
    /// <summary>The names that one of the patterns fits, in their order.</summary>
    /// <param name="names">All names.</param>
    /// <param name="patterns">At least one; each must fit a name.</param>
    /// <exception cref="UsageException">There is no pattern, or one fits no name.</exception>
    public static IReadOnlyList<string> Choose(IEnumerable<string> names, IReadOnlyList<string> patterns)
    {
        var all = names.ToArray();
        if (patterns.Count == 0)
            throw new UsageException("No parameter is chosen; name at least one, or * for all.");
        var chosen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pattern in patterns)
        {
            var expression = new Regex($"^{Regex.Escape(pattern).Replace("\\*", ".*")}$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
            var fitting = all.Where(name => expression.IsMatch(name)).ToArray();
            if (fitting.Length == 0)
                throw new UsageException($"No parameter's name fits '{pattern}'; they look like {all.FirstOrDefault(name => name.Contains("mlp", StringComparison.Ordinal)) ?? all.FirstOrDefault()}, and * stands for any characters.");
            chosen.UnionWith(fitting);
        }
        return [.. all.Where(chosen.Contains)];
    }
}
