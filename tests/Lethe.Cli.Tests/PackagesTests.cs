namespace Lethe.Cli.Tests;

public sealed class PackagesTests
{
    private static readonly string Script = Path.Combine(Repository.Root, "eng", "packages.sh");

    private const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    [Fact]
    public async Task Who_may_not_install_gets_the_exact_command_and_exit_code_2()
    {
        using var scratch = new ScratchFolder();
        // A copy that everybody may read, in case the checkout is not: here the script may run as nobody.
        foreach (var name in new[] { "packages.sh", "launcher.sh" })
        {
            Directory.CreateDirectory(Path.Combine(scratch.Path, "eng"));
            File.Copy(Path.Combine(Repository.Root, "eng", name), Path.Combine(scratch.Path, "eng", name));
        }
        File.SetUnixFileMode(scratch.Path, Everybody);
        // No sudo and, where the tests run as root, no root: and no g++, so that something is missing for sure.
        Tools.Link(scratch.Path, "sh", "dirname", "readlink", "id", "cat", "sed", "tr", "dpkg-query", "apt-get");
        var asNobody = Environment.IsPrivilegedProcess ? new[] { "/usr/bin/setpriv", "--reuid=65534", "--clear-groups", "/bin/sh" } : ["/bin/sh"];

        var result = await Shell.Run(asNobody[0], [.. asNobody[1..], Path.Combine(scratch.Path, "eng", "packages.sh"), "install"], "/", ("PATH", scratch.Path), ("LETHE_LIBTORCH", null));

        Assert.True(result.ExitCode == 2, $"ended with {result.ExitCode}: {result.Error}");
        Assert.Matches(@"^error: Lethe needs packages that only root may install\. Run this, then the same command again:\n"
            + @"    sudo apt-get update && sudo apt-get install -y --no-install-recommends g\+\+[a-z0-9 -]*\n$", result.Error);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task A_system_without_apt_is_told_what_is_missing()
    {
        using var scratch = new ScratchFolder();
        Tools.Link(scratch.Path, "sh", "dirname", "readlink", "id", "cat", "sed", "tr");

        var result = await Shell.Run("/bin/sh", [Script, "install"], "/", ("PATH", scratch.Path), ("LETHE_LIBTORCH", null));

        Assert.Equal(2, result.ExitCode);
        Assert.Matches(@"^error: Lethe needs what Debian calls g\+\+ libtorch-dev libopenblas0-openmp[a-z -]*, and this system has no apt-get\.", result.Error);
    }

    [Fact]
    public async Task A_libtorch_of_the_users_own_makes_the_system_packages_unnecessary()
    {
        using var scratch = new ScratchFolder();
        Tools.Link(scratch.Path, "sh", "dirname", "readlink");

        var result = await Shell.Run("/bin/sh", [Script, "missing"], "/", ("PATH", scratch.Path), ("LETHE_LIBTORCH", scratch.Path));

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("g++\n", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("libtorch-dev", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("openblas", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_word_is_refused()
    {
        var result = await Shell.Run("/bin/sh", [Script, "remove"], "/");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("'remove'", result.Error, StringComparison.Ordinal);
    }
}

/// <summary>A PATH that holds these programs and no others.</summary>
public static class Tools
{
    /// <summary>Links programs of the system into a folder.</summary>
    public static void Link(string folder, params string[] names)
    {
        foreach (var name in names)
        {
            var program = new[] { "/usr/bin", "/bin", "/usr/sbin", "/sbin" }.Select(place => Path.Combine(place, name)).FirstOrDefault(File.Exists);
            if (program is not null)
                File.CreateSymbolicLink(Path.Combine(folder, name), program);
        }
    }
}
