namespace Lethe.Torch.Tests.Native;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class BridgeBuildTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lethe-bridge-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Two_processes_that_start_at_once_compile_the_bridge_once()
    {
        // A compiler that counts its calls in front of the real one.
        var (log, cache) = (Path.Combine(folder, "calls"), Path.Combine(folder, "cache"));
        WriteScript("g++", $"echo call >> '{log}'\nPATH=${{PATH#*:}} exec g++ \"$@\"\n");
        (string, string)[] environment = [("PATH", folder + ":" + Environment.GetEnvironmentVariable("PATH")), ("LETHE_CACHE", cache)];
        var started = new[] { Program.Start("compile", environment), Program.Start("compile", environment) };
        var ended = started.Select(process => process.Finish()).ToArray();
        Assert.All(ended, end => Assert.Equal(0, end.ExitCode));
        Assert.Equal(ended[0].Output, ended[1].Output);
        Assert.StartsWith(cache, ended[0].Output, StringComparison.Ordinal);
        Assert.True(File.Exists(ended[0].Output));
        Assert.Single(File.ReadAllLines(log));
        // The third finds it without looking for a compiler.
        Assert.Equal((0, ended[0].Output), Program.Start("compile", ("LETHE_CACHE", cache)).Finish());
        Assert.Single(File.ReadAllLines(log));
    }

    [Fact]
    public void What_the_compiler_says_reaches_the_user()
    {
        WriteScript("g++", "echo 'lethe_torch.cpp:1: fatal error: ATen/Context.h: No such file' >&2\nexit 1\n");
        var (code, output) = Program.Start("compile", ("PATH", folder + ":" + Environment.GetEnvironmentVariable("PATH")), ("LETHE_CACHE", folder)).Finish();
        Assert.Equal(2, code);
        Assert.Contains("g++ says: lethe_torch.cpp:1: fatal error: ATen/Context.h: No such file", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cache_that_cannot_be_written_is_named()
    {
        var file = Path.Combine(folder, "file");
        File.WriteAllText(file, "");
        var (code, output) = Program.Start("compile", ("LETHE_CACHE", file)).Finish();
        Assert.Equal(2, code);
        Assert.StartsWith("UsageException: The bridge to libtorch cannot be kept in '" + file, output, StringComparison.Ordinal);
        Assert.Contains("Set LETHE_CACHE", output, StringComparison.Ordinal);
    }

    private void WriteScript(string name, string body)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, "#!/bin/sh\n" + body);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
