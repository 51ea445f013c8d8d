namespace Lethe.Reports.Markup;

/// <summary>Text files that are part of this assembly.</summary>
internal static class Resources
{
    /// <summary>The text of a file by its name.</summary>
    public static string Text(string name)
    {
        using var stream = typeof(Resources).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"This assembly holds no file {name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Trim();
    }
}
