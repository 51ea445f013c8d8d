using Lethe.Torch;

namespace Lethe.Runs;

/// <summary>Paths in plans: relative to the plan's folder; ${shared} stands for data that is not part of the product.</summary>
public static class PlanPaths
{
    private const string Shared = "${shared}";

    /// <summary>Whether a path lies in the shared folder, wherever its plan lies.</summary>
    public static bool IsShared(string path) => path.StartsWith(Shared, StringComparison.Ordinal);

    /// <summary>The path that a plan means.</summary>
    /// <param name="path">As the plan writes it.</param>
    /// <param name="planFile">The plan's file.</param>
    /// <exception cref="BadInputException">It begins with ${shared}, and there is no shared folder.</exception>
    public static string Resolve(string path, string planFile)
    {
        if (!IsShared(path))
            return Path.GetFullPath(path, Path.GetDirectoryName(Path.GetFullPath(planFile))!);
        var folder = SharedFolder() ?? throw new BadInputException(
            $"{planFile}: '{path}' lies in the shared folder, which is not here: set LETHE_SHARED to it, put it beside the checkout as ../shared, or name a model of your own.");
        return Path.GetFullPath(folder + path[Shared.Length..]);
    }

    internal static string? SharedFolder()
    {
        if (Environment.GetEnvironmentVariable("LETHE_SHARED") is { Length: > 0 } named)
            return Directory.Exists(named) ? named : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Lethe.slnx")))
                return Path.Combine(folder.FullName, "..", "shared") is var beside && Directory.Exists(beside) ? beside : null;
        return null;
    }
}
