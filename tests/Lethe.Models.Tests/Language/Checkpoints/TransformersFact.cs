using System.Diagnostics;

namespace Lethe.Models.Tests.Language.Checkpoints;

/// <summary>A test that needs Python with transformers and is skipped, saying so, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TransformersFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> There = new(() => Python("import transformers, torch").Code == 0);

    public TransformersFactAttribute()
    {
        if (!There.Value)
            Skip = "needs python3 with transformers and torch: 'import transformers' fails on this machine";
    }

    /// <summary>Runs a program and gives its exit code and what it wrote.</summary>
    public static (int Code, string Output) Python(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("python3", ["-c", program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + errors.Result);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (127, "there is no python3");
        }
    }
}
