using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Lethe.Cli.Tests;

/// <summary>The real program, killed the hard way.</summary>
public sealed class UnlearnKillTests : IDisposable
{
    private readonly ScratchFolder folder = new();
    private readonly string plan;

    public UnlearnKillTests()
    {
        TinyData.WriteBars(folder.Path, train: 400, test: 200);
        plan = Path.Combine(folder.Path, "tiny.yaml");
        File.WriteAllText(plan, TinyData.UnlearnPlan(folder.Path));
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_run_killed_again_and_again_ends_with_the_same_model_and_the_same_metrics_as_an_undisturbed_one()
    {
        using (var calm = Start("calm"))
        {
            var said = await calm.StandardError.ReadToEndAsync();
            await calm.WaitForExitAsync();
            Assert.True(calm.ExitCode == 0, said);
        }

        // Seeded, so that a failure can be tried again; where exactly the signal hits is up to the machine. Each attempt lives a little longer than it took to say
        // so many lines, so that the kills fall into all stages. A fast machine may come to the end first: then everything begins anew, so that speed decides nothing.
        var random = new Random(20260304);
        var (hits, life) = (0, 0);
        for (var attempt = 0; attempt < 100 && hits < 8; attempt++)
        {
            using var process = Start("disturbed");
            for (var lines = random.Next(2 + (2 * life)); lines > 0 && await process.StandardError.ReadLineAsync() is not null; lines--)
            {
            }
            Thread.Sleep(random.Next(250));
            process.Kill();
            await process.WaitForExitAsync();
            if (process.ExitCode == 0)
            {
                Directory.Delete(Path.Combine(folder.Path, "disturbed"), recursive: true);
                life = 0;
                continue;
            }
            Assert.True(process.ExitCode == 128 + 9, $"attempt {attempt} ended by itself with {process.ExitCode}: {await process.StandardError.ReadToEndAsync()}");
            (hits, life) = (hits + 1, life + 1);
        }
        Assert.Equal(8, hits);
        using (var final = Start("disturbed"))
        {
            var said = await final.StandardError.ReadToEndAsync();
            await final.WaitForExitAsync();
            Assert.True(final.ExitCode == 0, said);
        }

        foreach (var file in new[] { "model/model.safetensors", "metrics.jsonl", "plan.yaml", "samples/after/3.png" })
            Assert.Equal(Digest("calm", file), Digest("disturbed", file));
        Assert.Equal(Findings("calm"), Findings("disturbed"));
        Assert.Empty(Directory.GetFiles(folder.Path, ".*.lethe-tmp", SearchOption.AllDirectories));
        Assert.False(Directory.Exists(Path.Combine(Run("disturbed"), "work")));
    }

    // Each below a folder "runs" of its own, so that each has a cache of its own beside it.
    private string Run(string name) => Path.Combine(folder.Path, name, "runs", "tiny");

    private Process Start(string name)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(LetheCommandLine).Assembly.Location, "unlearn", plan, "--output", Run(name), "--threads", "1"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("LETHE_CACHE");
        return Process.Start(start)!;
    }

    private string Digest(string name, string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Run(name), file))));

    // result.json without when, where and how long.
    private string Findings(string name)
    {
        var result = JsonNode.Parse(File.ReadAllBytes(Path.Combine(Run(name), "result.json")))!.AsObject();
        result.Remove("run");
        result.Remove("cost");
        return result.ToJsonString();
    }
}
