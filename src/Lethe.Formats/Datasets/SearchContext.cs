namespace Lethe.Formats;

/// <summary>Where shared data may be on this machine.</summary>
/// <param name="Shared">Folders laid out like the shared folder, best first.</param>
internal sealed record SearchContext(IReadOnlyList<string> Shared)
{
    /// <summary>LETHE_SHARED if it is set; else the folder shared beside the checkout that this program runs from, and beside the current folder.</summary>
    public static SearchContext Machine() => From(Environment.GetEnvironmentVariable("LETHE_SHARED"), AppContext.BaseDirectory, Environment.CurrentDirectory);

    public static SearchContext From(string? variable, string program, string current)
    {
        if (variable is { Length: > 0 })
            return new SearchContext([variable]);
        var checkout = new DirectoryInfo(program);
        while (checkout is not null && !File.Exists(Path.Combine(checkout.FullName, "Lethe.slnx")))
            checkout = checkout.Parent;
        return new SearchContext([.. new[] { checkout?.FullName, current }.OfType<string>().Select(root => Path.GetFullPath(Path.Combine(root, "..", "shared"))).Distinct(StringComparer.Ordinal)]);
    }
}
