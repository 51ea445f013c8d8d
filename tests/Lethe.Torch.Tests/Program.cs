using System.Diagnostics;
using Lethe.Torch.Native;

namespace Lethe.Torch.Tests;

/// <summary>This assembly as a process of its own, for what is decided once in a process: discovery, loading, compiling.</summary>
internal static class Program
{
    public static int Main(string[] arguments)
    {
        try
        {
            Console.WriteLine(arguments switch
            {
                ["version"] => Engine.Version,
                ["compile"] => BridgeBuild.Ensure(Libtorch.Find()),
                ["environment"] => Engine.Run(() => OpenMpWaitPolicy()),
                _ => throw new ArgumentException("version, compile or environment"),
            });
            return 0;
        }
        catch (LetheException error)
        {
            Console.WriteLine($"{error.GetType().Name}: {error.Message}");
            return error.ExitCode;
        }
    }

    /// <summary>Starts this assembly with an environment changed.</summary>
    public static Process Start(string verb, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet", [typeof(Program).Assembly.Location, verb])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Waits for the end.</summary>
    public static (int ExitCode, string Output) Finish(this Process process)
    {
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
        process.WaitForExit();
        var code = process.ExitCode;
        process.Dispose();
        return (code, output.Trim());
    }

    // What OpenMP reads: the native environment, not .NET's copy.
    private static string OpenMpWaitPolicy() =>
        System.Runtime.InteropServices.Marshal.PtrToStringUTF8(getenv("OMP_WAIT_POLICY")) ?? "";

    [System.Runtime.InteropServices.DllImport("libc", CharSet = System.Runtime.InteropServices.CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern nint getenv(string name);
}
