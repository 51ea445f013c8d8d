using System.Diagnostics;
using System.Text.Json;

namespace Lethe.Benchmarks.Tests;

public sealed class RmuStepTests
{
    [PeerFact]
    public async Task A_quick_run_gives_the_peers_losses_and_matrices()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Lethe.Benchmarks.dll");
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [program, "rmu-step", "--quick", "--threads", "1", "--json"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        // The program itself refuses losses or matrices that differ.
        Assert.True(process.ExitCode == 0, await error);
        using var json = JsonDocument.Parse(output);
        var lethe = json.RootElement.GetProperty("lethe");
        Assert.Equal(4, lethe.GetProperty("losses").GetArrayLength());
        Assert.InRange(lethe.GetProperty("largest_weight_difference").GetDouble(), 0, 1e-4);
        foreach (var figure in (string[])["first_epoch", "cached_epoch", "peak_bytes", "cache_bytes"])
            Assert.True(lethe.GetProperty(figure).GetDouble() > 0, figure);
    }
}
