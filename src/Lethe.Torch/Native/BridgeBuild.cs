using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Lethe.Torch.Native;

/// <summary>Compiles the bridge against the libtorch at hand, once per libtorch and source.</summary>
public static class BridgeBuild
{
    // Without errno, square roots become vector instructions; without contraction, every processor computes the same.
    private static readonly string[] Flags = ["-O3", "-fno-math-errno", "-ffp-contract=off", "-fPIC", "-shared", "-fvisibility=hidden", "-w"];

    /// <summary>Where compiled bridges are kept: LETHE_CACHE, or lethe below the user's cache folder.</summary>
    public static string CacheFolder
    {
        get
        {
            if (Environment.GetEnvironmentVariable("LETHE_CACHE") is { Length: > 0 } named)
                return Path.GetFullPath(named);
            var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg
                ? xdg
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
            return Path.Combine(cache, "lethe");
        }
    }

    /// <summary>The compiled bridge for this libtorch; compiles it if the cache has none.</summary>
    /// <exception cref="UsageException">There is no compiler, or it fails; the message holds what it said.</exception>
    public static string Ensure(LibtorchInstallation libtorch)
    {
        var source = Source();
        var folder = Path.Combine(CacheFolder, "bridge", Key(libtorch, source));
        var bridge = Path.Combine(folder, "liblethe_torch.so");
        if (File.Exists(bridge))
            return bridge;
        try
        {
            Directory.CreateDirectory(folder);
            using var held = Lock(Path.Combine(folder, "lock"));
            if (!File.Exists(bridge))
                Compile(libtorch, source, folder, bridge);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The bridge to libtorch cannot be kept in '{folder}': {error.Message} Set LETHE_CACHE to a folder that can be written.", error);
        }
        return bridge;
    }

    private static string Source()
    {
        using var stream = typeof(BridgeBuild).Assembly.GetManifestResourceStream("lethe_torch.cpp")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    // Path, size and time of the library, the flags and the source decide: another libtorch in the same place is another bridge.
    private static string Key(LibtorchInstallation libtorch, string source)
    {
        var library = new FileInfo(libtorch.RealLibrary);
        var text = string.Join('\n', library.FullName, library.Length, library.LastWriteTimeUtc.Ticks, libtorch.Version, string.Join(' ', Flags), source);
        return libtorch.Version + "-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }

    // Several processes may start at once; the kernel frees the lock when a holder dies. Compiling takes seconds: a lock that cannot be
    // had for this long is not held by a compilation.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    private static FileStream Lock(string path)
    {
        var start = Stopwatch.GetTimestamp();
        for (; ; )
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path) && Stopwatch.GetElapsedTime(start) < LongestWait)
            {
                Thread.Sleep(100);
            }
        }
    }

    private static void Compile(LibtorchInstallation libtorch, string source, string folder, string bridge)
    {
        var code = Path.Combine(folder, "lethe_torch.cpp");
        File.WriteAllText(code, source);
        var temporary = bridge + "." + Environment.ProcessId;
        var said = "";
        foreach (var standard in (string[])["c++17", "c++20"])
        {
            string[] arguments =
            [
                .. Flags, "-std=" + standard,
                "-D_GLIBCXX_USE_CXX11_ABI=" + (libtorch.NewStringAbi ? "1" : "0"),
                .. libtorch.Includes.Select(include => "-I" + include),
                code, "-o", temporary,
                "-L" + libtorch.Libraries, "-ltorch_cpu", "-lc10", "-Wl,-rpath," + libtorch.Libraries,
            ];
            if (Run(arguments, out said))
            {
                File.Move(temporary, bridge, overwrite: true);
                return;
            }
        }
        throw new UsageException($"The bridge to libtorch {libtorch.Version} in '{libtorch.Libraries}' does not compile. g++ says: {FirstError(said)}");
    }

    private static bool Run(string[] arguments, out string said)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("g++", arguments) { RedirectStandardError = true })!;
            said = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new UsageException("There is no g++, which compiles the bridge to libtorch once. Install it with 'apt-get install g++'.", error);
        }
    }

    private static string FirstError(string said) =>
        said.Split('\n').FirstOrDefault(line => line.Contains("error", StringComparison.Ordinal)) ?? said.Trim();
}
