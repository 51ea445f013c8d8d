using Lethe.Torch;

namespace Lethe.Cli.Frame;

/// <summary>The checkout that this program was built in: plans, scripts and the native bridge lie there.</summary>
public static class Home
{
    /// <summary>The folder: what the launcher said (LETHE_HOME), else the one above this program that holds Lethe.slnx.</summary>
    /// <exception cref="RunFailedException">The program was moved out of its checkout.</exception>
    public static string Folder => field ??= Find(); // not an initializer, whose error would come wrapped

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("LETHE_HOME") is { Length: > 0 } home)
            return home;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Lethe.slnx")))
                return folder.FullName;
        throw new RunFailedException($"{AppContext.BaseDirectory} lies in no checkout of Lethe; start it by ./lethe.");
    }
}
