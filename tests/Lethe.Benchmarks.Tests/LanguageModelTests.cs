using System.Diagnostics;
using System.Text.Json;

namespace Lethe.Benchmarks.Tests;

public sealed class LanguageModelTests
{
    [PeerFact]
    public async Task A_quick_run_measures_both_sides_on_the_same_weights_and_tokens()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Lethe.Benchmarks.dll");
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [program, "language-model", "--quick", "--threads", "1", "--json"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);
        using var json = JsonDocument.Parse(output);
        var lethe = json.RootElement.GetProperty("lethe");
        Assert.Equal(json.RootElement.GetProperty("peers")[0].GetProperty("tokens").ToString(), lethe.GetProperty("tokens").ToString());
        foreach (var figure in (string[])["prefill", "decode", "load", "empty_bytes", "peak_bytes", "weight_bytes", "cache_bytes"])
            Assert.True(lethe.GetProperty(figure).GetDouble() > 0, figure);
        foreach (var ratio in (string[])["prefill", "decode", "memory"])
            Assert.True(json.RootElement.GetProperty("ratios").GetProperty(ratio).GetDouble() > 0, ratio);
    }
}
