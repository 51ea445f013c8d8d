using System.Text.Json;

namespace Lethe.Cli.Tests;

public sealed class LauncherTests
{
    private static readonly string Lethe = Path.Combine(Repository.Root, "lethe");

    [Fact]
    public async Task The_launcher_runs_from_any_folder_through_a_link_and_in_the_C_locale()
    {
        using var scratch = new ScratchFolder();
        var link = Path.Combine(scratch.Path, "lethe");
        File.CreateSymbolicLink(link, Lethe);

        var result = await Shell.Run(link, ["doctor", "--json"], scratch.Path, ("LANG", "C"), ("LC_ALL", null), ("TERM", null));

        var document = JsonDocument.Parse(result.Output).RootElement;
        Assert.Equal(document.GetProperty("healthy").GetBoolean() ? 0 : 2, result.ExitCode);
        Assert.Contains(document.GetProperty("findings").EnumerateArray(), finding => finding.GetProperty("found").GetString()!.EndsWith(scratch.Path, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_exit_code_of_the_command_line_is_that_of_the_launcher()
    {
        var result = await Shell.Run(Lethe, ["doctor", "--threads", "0"], Repository.Root);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("error: --threads is '0'; it takes a whole number from 1 to 1024.\n", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task Without_an_SDK_the_launcher_says_what_to_do_and_does_nothing_else()
    {
        using var scratch = new ScratchFolder();
        Tools.Link(scratch.Path, "sh", "dirname", "readlink", "mkdir", "grep", "id", "cat");

        var result = await Shell.Run("/bin/sh", [Lethe, "--help"], scratch.Path, ("PATH", scratch.Path), ("HOME", scratch.Path), ("DOTNET_ROOT", null));

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("error: The .NET 10 SDK is missing", result.Error, StringComparison.Ordinal);
        Assert.Contains("apt-get install -y dotnet-sdk-10.0", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }
}
