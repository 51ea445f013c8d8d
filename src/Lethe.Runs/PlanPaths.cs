using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>
/// Paths in plans: relative to the plan's folder; ${shared} stands for data that is not part of the product, ${records}, ${more_records}, ${moved_records} and ${wordnet} for data that Lethe makes itself (<see cref="MadeData"/>).
/// </summary>
public static class PlanPaths
{
    private const string Shared = "${shared}";

    /// <summary>Whether a path begins with a folder that has a name of its own, so that it lies in the same place wherever its plan lies.</summary>
    public static bool IsNamed(string path) => path.StartsWith(Shared, StringComparison.Ordinal) || MadeData.Of(path) is not null;

    /// <summary>The path that a plan means. Data that Lethe makes itself are made where they are not there yet.</summary>
    /// <param name="path">As the plan writes it.</param>
    /// <param name="planFile">The plan's file.</param>
    /// <exception cref="BadInputException">It begins with ${shared}, and there is no shared folder, or with ${wordnet}, and there is no WordNet.</exception>
    public static string Resolve(string path, string planFile)
    {
        if (MadeData.Of(path) is { } made)
            return Path.GetFullPath(made.Folder() + path[made.Prefix.Length..]);
        if (!path.StartsWith(Shared, StringComparison.Ordinal))
            return Path.GetFullPath(path, Path.GetDirectoryName(Path.GetFullPath(planFile))!);
        var folder = SharedFolder() ?? throw new BadInputException(
            $"{planFile}: '{path}' lies in the shared folder, which is not here: set LETHE_SHARED to it, put it beside the checkout as ../shared, or name a model of your own.");
        return Path.GetFullPath(folder + path[Shared.Length..]);
    }

    internal static string? SharedFolder()
    {
        if (Environment.GetEnvironmentVariable("LETHE_SHARED") is { Length: > 0 } named)
            return Directory.Exists(named) ? named : null;
        return CheckoutFolder() is { } checkout && Path.Combine(checkout, "..", "shared") is var beside && Directory.Exists(beside) ? beside : null;
    }

    /// <summary>The checkout that this program runs from; null where it runs from elsewhere.</summary>
    internal static string? CheckoutFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Lethe.slnx")))
                return folder.FullName;
        return null;
    }
}
