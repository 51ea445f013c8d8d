using System.Diagnostics;

namespace Lethe.Torch.Native;

/// <summary>A libtorch found on this machine.</summary>
/// <param name="Source">How it was found: "LETHE_LIBTORCH", "python" or "system".</param>
/// <param name="Includes">Folders for the compiler's -I.</param>
/// <param name="Libraries">The folder that holds libtorch_cpu.so and libc10.so.</param>
/// <param name="Version">Version of libtorch as its header says, for example "1.13.1".</param>
public sealed record LibtorchInstallation(string Source, IReadOnlyList<string> Includes, string Libraries, string Version)
{
    /// <summary>libtorch_cpu.so of this installation.</summary>
    public string Library => Path.Combine(Libraries, "libtorch_cpu.so");

    /// <summary>The file behind <see cref="Library"/>; distributions link to it from Python's folder.</summary>
    public string RealLibrary => File.ResolveLinkTarget(Library, returnFinalTarget: true)?.FullName ?? Library;

    /// <summary>Whether libtorch was built with the newer std::string; read from the mangled names in libc10.so.</summary>
    public bool NewStringAbi => File.ReadAllBytes(Path.Combine(Libraries, "libc10.so")).AsSpan().IndexOf("__cxx11"u8) >= 0;
}

/// <summary>Looks for libtorch: LETHE_LIBTORCH, then the folder of Python's torch, then the system.</summary>
public static class Libtorch
{
    private static readonly string[] SystemIncludes = ["/usr/include", "/usr/local/include"];

    private static readonly string[] SystemLibraries =
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"];

    /// <summary>Finds libtorch.</summary>
    /// <exception cref="UsageException">There is none; the message says how to get one.</exception>
    public static LibtorchInstallation Find() => Find(Environment.GetEnvironmentVariable("LETHE_LIBTORCH"), PythonTorch, SystemIncludes, SystemLibraries);

    internal static LibtorchInstallation Find(string? named, Func<string?> pythonTorch, IReadOnlyList<string> systemIncludes, IReadOnlyList<string> systemLibraries)
    {
        if (!string.IsNullOrEmpty(named))
            return At("LETHE_LIBTORCH", named) ?? throw new UsageException(
                $"LETHE_LIBTORCH is '{named}', which is no libtorch: include/ and lib/libtorch_cpu.so are expected below it. Unset it, or point it at a libtorch.");
        if (pythonTorch() is { } folder && At("python", folder) is { } python)
            return python;
        return System(systemIncludes, systemLibraries) ?? throw new UsageException(
            "No libtorch was found. Install it with 'apt-get install libtorch-dev libopenblas0-openmp', or set LETHE_LIBTORCH to a folder that holds include/ and lib/.");
    }

    private static LibtorchInstallation? At(string source, string root)
    {
        var include = Path.Combine(root, "include");
        var libraries = Path.Combine(root, "lib");
        if (!Directory.Exists(include) || !File.Exists(Path.Combine(libraries, "libtorch_cpu.so")))
            return null;
        return From(source, include, Path.GetFullPath(libraries));
    }

    private static LibtorchInstallation? System(IReadOnlyList<string> systemIncludes, IReadOnlyList<string> systemLibraries)
    {
        foreach (var libraries in systemLibraries)
            if (File.Exists(Path.Combine(libraries, "libtorch_cpu.so")))
                foreach (var include in systemIncludes)
                    if (From("system", include, libraries) is { } found)
                        return found;
        return null;
    }

    private static LibtorchInstallation? From(string source, string include, string libraries)
    {
        string[] includes = [include, Path.Combine(include, "torch", "csrc", "api", "include")];
        var header = includes.Select(folder => Path.Combine(folder, "torch", "version.h")).FirstOrDefault(File.Exists);
        if (header is null)
            return null;
        return new LibtorchInstallation(source, includes, libraries, ReadVersion(header));
    }

    // The header says: #define TORCH_VERSION_MAJOR 1 and so on.
    private static string ReadVersion(string header)
    {
        var numbers = new Dictionary<string, string>();
        foreach (var line in File.ReadLines(header))
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["#define", var name, var value] && name.StartsWith("TORCH_VERSION_", StringComparison.Ordinal))
                numbers[name["TORCH_VERSION_".Length..]] = value;
        return string.Join('.', ((string[])["MAJOR", "MINOR", "PATCH"]).Select(part => numbers.GetValueOrDefault(part, "?")));
    }

    /// <summary>The folder of Python's torch, found without importing it; null where there is none.</summary>
    private static string? PythonTorch()
    {
        const string Script = "import importlib.util as u; s = u.find_spec('torch'); print(list(s.submodule_search_locations)[0] if s else '')";
        foreach (var python in (string[])["python3", "/usr/bin/python3"])
        {
            try
            {
                using var process = Process.Start(new ProcessStartInfo(python, ["-c", Script]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
                process.ErrorDataReceived += (_, _) => { };
                process.BeginErrorReadLine();
                var folder = process.StandardOutput.ReadToEnd().Trim();
                process.WaitForExit();
                if (process.ExitCode == 0 && folder.Length > 0 && File.Exists(Path.Combine(folder, "lib", "libtorch_cpu.so")))
                    return folder;
            }
            catch (global::System.ComponentModel.Win32Exception)
            {
                // No such Python: the next one, or the system's libtorch.
            }
        }
        return null;
    }
}
