namespace Lethe.Testing;

/// <summary>Finds the data and models that are not part of the product: LETHE_SHARED, or ../shared beside the checkout.</summary>
public static class SharedData
{
    /// <summary>Why tests that need it are skipped.</summary>
    public const string Missing = "needs the shared data folder: set LETHE_SHARED, or put it beside the checkout as ../shared";

    /// <summary>The folder; null where it is absent.</summary>
    public static string? Root { get; } = FindRoot();

    /// <summary>A file or folder below the shared folder.</summary>
    public static string Path(params string[] parts) => System.IO.Path.Combine([Root ?? throw new InvalidOperationException(Missing), .. parts]);

    private static string? FindRoot()
    {
        if (Environment.GetEnvironmentVariable("LETHE_SHARED") is { Length: > 0 } named)
            return Directory.Exists(named) ? named : null;
        var shared = System.IO.Path.Combine(Repository.Root, "..", "shared");
        return Directory.Exists(shared) ? System.IO.Path.GetFullPath(shared) : null;
    }
}

/// <summary>The checkout that the tests run from.</summary>
public static class Repository
{
    /// <summary>The folder that holds Lethe.slnx.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A fixture below tests/Fixtures.</summary>
    public static string Fixture(params string[] parts) => System.IO.Path.Combine([Root, "tests", "Fixtures", .. parts]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Lethe.slnx")))
                return folder.FullName;
        throw new InvalidOperationException($"{AppContext.BaseDirectory} lies in no checkout: no folder above it holds Lethe.slnx.");
    }
}
