using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Lethe.Runs.KillTarget;

namespace Lethe.Runs.Tests;

/// <summary>Real processes, killed the hard way.</summary>
public sealed class KillTests
{
    private static Process Start(string pace, string run, string cache)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet",
            ["exec", typeof(ToyLoop).Assembly.Location, pace, run, cache])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }

    /// <summary>Lets a paced process do so many pieces of work more, and asks for no more than it can do.</summary>
    private static void Allow(Process process, int pieces)
    {
        process.StandardInput.Write(new string('\n', pieces));
        process.StandardInput.Flush();
    }

    private static async Task<(int Code, string Errors)> Finish(Process process)
    {
        var errors = process.StandardError.ReadToEndAsync();
        // Drained, so that the process never waits for us.
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await errors);
    }

    /// <summary>Every file of a run with its digest; of artefact.json what does not say when and how long.</summary>
    private static SortedDictionary<string, string> Fingerprint(string run)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in Directory.GetFiles(run, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(run, file);
            var bytes = File.ReadAllBytes(file);
            files[name] = Path.GetFileName(file) switch
            {
                "artefact.json" => $"{JsonNode.Parse(bytes)!["digest"]} {JsonNode.Parse(bytes)!["content"]} {JsonNode.Parse(bytes)!["files"]!.ToJsonString()}",
                "provenance.json" => string.Join(' ', JsonNode.Parse(bytes)!["stages"]!.AsArray().Select(stage => $"{stage!["digest"]} {stage["content"]}")),
                _ => Convert.ToHexStringLower(SHA256.HashData(bytes)),
            };
        }
        return files;
    }

    [Fact]
    public async Task A_run_killed_again_and_again_ends_with_the_same_result_as_an_undisturbed_one()
    {
        using var folder = new TemporaryFolder();
        using var calm = Start("free", folder["runs", "calm"], folder["calm-cache"]);
        var (calmCode, calmErrors) = await Finish(calm);
        Assert.True(calmCode == 0, calmErrors);

        // Seeded, so that a failure can be tried again; where exactly the signal hits is up to the machine.
        var random = new Random(20260102);
        const int kills = 16;
        var resumed = 0;
        var reached = new List<string>();
        for (var kill = 0; kill < kills; kill++)
        {
            using var process = Start("paced", folder["runs", "disturbed"], folder["disturbed-cache"]);
            var errors = process.StandardError.ReadToEndAsync();
            var last = "start";
            if (random.Next(4) == 0)
            {
                // Wherever the runtime, the opening of the folder or the first stages are by then.
                Allow(process, 10);
                await Task.Delay(random.Next(200));
            }
            else
            {
                // After some work, while the process is free to do a little more: in a step, a checkpoint, a rename.
                var pieces = random.Next(1, 40);
                Allow(process, pieces + random.Next(1, 8));
                for (; pieces > 0 && await process.StandardOutput.ReadLineAsync() is { } line; pieces--)
                    last = line;
                Thread.Sleep(TimeSpan.FromMicroseconds(random.Next(10_000)));
            }
            process.Kill();
            await process.WaitForExitAsync();
            if (process.ExitCode == 0)
                break; // It had come to its end.
            Assert.True(process.ExitCode == 128 + 9, $"attempt {kill} ended by itself with {process.ExitCode}: {await errors}");
            reached.Add(last);
            if ((await errors).Contains("resumed stage", StringComparison.Ordinal))
                resumed++;
        }
        using var final = Start("free", folder["runs", "disturbed"], folder["disturbed-cache"]);
        var (code, said) = await Finish(final);

        Assert.True(code == 0, said);
        Assert.True(reached.Count >= 12, $"only {reached.Count} kills hit a living process: {string.Join(", ", reached)}");
        Assert.True(resumed >= 4, $"only {resumed} attempts went on from a checkpoint: {string.Join(", ", reached)}");
        var expected = Fingerprint(folder["runs", "calm"]);
        Assert.Equal(expected, Fingerprint(folder["runs", "disturbed"]));
        foreach (var file in new[] { "metrics.jsonl", "result.json", "stages/train/weights.bin", "stages/relearn/control.bin", "stages/relearn/metrics.jsonl", "stages/export/artefact.json" })
            Assert.Contains(file, expected.Keys);
        Assert.Empty(Directory.GetFiles(folder.Path, ".*.lethe-tmp", SearchOption.AllDirectories));
        Assert.Empty(Directory.GetDirectories(folder["disturbed-cache"], "*.partial", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_second_process_in_the_same_folder_is_refused_and_the_first_goes_on()
    {
        using var folder = new TemporaryFolder();
        using var first = Start("paced", folder["run"], folder["cache"]);
        Assert.Equal("data 0", await first.StandardOutput.ReadLineAsync());

        using var second = Start("free", folder["run"], folder["cache"]);
        var (code, errors) = await Finish(second);

        Assert.Equal(2, code);
        Assert.Matches($"^error: {Regex.Escape(folder["run"])} is in use by process {first.Id} since .* UTC; wait for it, or choose another run folder.\n$", errors);
        Allow(first, 1);
        Assert.Equal("data 1", await first.StandardOutput.ReadLineAsync());
        first.Kill();
        await first.WaitForExitAsync();

        // The kernel has freed the lock; the note that still names the dead process holds nobody up.
        Assert.Contains($"process {first.Id} ", FileLock.Holder(new RunPaths(folder["run"]).Lock));
        using var third = Start("free", folder["run"], folder["cache"]);
        Assert.Equal(0, (await Finish(third)).Code);
    }
}
