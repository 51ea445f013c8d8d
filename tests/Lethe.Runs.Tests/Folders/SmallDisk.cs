using System.Diagnostics;

namespace Lethe.Runs.Tests.Folders;

/// <summary>A real file system of a given size in memory; only root can make one.</summary>
public sealed class SmallDisk : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public SmallDisk(long bytes)
    {
        if (!Mount(bytes, folder.Path))
            throw new InvalidOperationException($"no tmpfs could be mounted at {folder.Path}");
    }

    /// <summary>Whether this user may mount one.</summary>
    public static bool Possible { get; } = TryOne();

    public string Path => folder.Path;

    public void MakeReadOnly() => Assert.True(Run("mount", "-o", "remount,ro", Path));

    public void Dispose()
    {
        Run("umount", Path);
        folder.Dispose();
    }

    private static bool TryOne()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            return false;
        using var folder = new TemporaryFolder();
        return Mount(1 << 16, folder.Path) && Run("umount", folder.Path);
    }

    private static bool Mount(long bytes, string path) => Run("mount", "-t", "tmpfs", "-o", $"size={bytes}", "tmpfs", path);

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}

/// <summary>A test on a real small file system; skipped, saying so, where none can be mounted.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute()
    {
        if (!SmallDisk.Possible)
            Skip = "needs root and permission to mount a tmpfs";
    }
}
