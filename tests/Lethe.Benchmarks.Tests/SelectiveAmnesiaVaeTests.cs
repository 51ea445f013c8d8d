using System.Diagnostics;
using System.Text.Json;
using Lethe.Benchmarks.SelectiveAmnesiaVae;

namespace Lethe.Benchmarks.Tests;

public sealed class SelectiveAmnesiaVaeTests
{
    [PeerFact]
    public async Task A_quick_run_measures_peer_and_Lethe_in_one_call()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("lethe-benchmark-").FullName, "result.json");
        var (code, table, error) = await Run("selective-amnesia-vae", "--quick", "--whole-training", "--threads", "1", "--shared", SharedData.Root!, "--json", file);
        Assert.True(code == 0, error);
        Assert.Contains("| whole job | peer, extrapolated | Lethe | ratio | goal |", table, StringComparison.Ordinal);
        Assert.StartsWith("A smoke run", table, StringComparison.Ordinal);

        using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(file));
        var root = json.RootElement;
        Assert.True(root.GetProperty("quick").GetBoolean());
        var setting = Assert.Single(root.GetProperty("peer").GetProperty("settings").EnumerateArray());
        foreach (var loop in (string[])["fisher_sample", "forgetting_step", "training_step", "loader_batch"])
        {
            Assert.True(setting.GetProperty(loop).GetProperty("seconds").GetDouble() > 0, loop);
            Assert.True(setting.GetProperty(loop).GetProperty("steps").GetInt32() > 0, loop);
        }
        var ratios = root.GetProperty("ratios");
        foreach (var ratio in (string[])["fisher_same_samples", "fisher_same_samples_best", "forgetting", "forgetting_with_fisher", "training_by_rate", "training_whole"])
            Assert.True(double.IsFinite(ratios.GetProperty(ratio).GetDouble()) && ratios.GetProperty(ratio).GetDouble() > 0, ratio);
        var lethe = root.GetProperty("lethe");
        Assert.Equal([50L, 100], lethe.GetProperty("counts").EnumerateArray().Select(count => count.GetProperty("samples").GetInt64()));
        // The published result, by 200 samples of the judge and a twentieth of the test images: near what the models' README says.
        var published = lethe.GetProperty("published");
        Assert.InRange(published.GetProperty("probability").GetProperty("value").GetDouble(), 0.08, 0.095);
        Assert.InRange(published.GetProperty("forgotten_negative_elbo").GetProperty("value").GetDouble(), 510, 580);
        // Five steps of training do not train.
        Assert.True(lethe.GetProperty("whole_training").GetProperty("test_negative_elbo").GetProperty("value").GetDouble() > 97);
    }

    [Fact]
    public async Task An_unknown_option_is_refused()
    {
        var (code, _, error) = await Run("selective-amnesia-vae", "--quik");
        Assert.Equal(2, code);
        Assert.StartsWith("error: '--quik' is no option.", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Fewer_samples_pass_only_if_goals_are_met_and_no_measure_is_worse_beyond_its_error()
    {
        var goals = new Goals(0.096, 2.17, 0.004, 540, 0.36, 0.9);
        ForgettingRun[] Runs(long samples, double seconds, params double[] rises) => [.. rises.Select((rise, seed) => new ForgettingRun((ulong)seed, samples, seconds, 2, 200, true,
            new QualityFigures(Of(0.086), Of(2.18), Of(0), Of(543), Of(rise), Of(0.95))))];
        var most = Runs(50_000, 4, 0.10, 0.12, 0.14);
        SampleCount Count(ForgettingRun[] runs) => Comparison.Of(runs[0].FisherSamples, runs, most, goals);

        var same = Count(Runs(10_000, 1, 0.11, 0.12, 0.15));
        Assert.True(same.MeetsGoals && same.NotWorse);
        // s/√3 of (0.10, 0.12, 0.14) and of (0.11, 0.12, 0.15), squares added.
        Assert.Equal(Math.Sqrt((0.0004 + 0.0013 / 3) / 3), same.Differences["retained_rise"].StandardError!.Value, 9);
        Assert.Equal(0.02 / 3, same.Differences["retained_rise"].Value, 9);
        var worse = Count(Runs(5_000, 0.5, 0.18, 0.20, 0.22));
        Assert.True(worse.MeetsGoals && !worse.NotWorse);
        var bad = Count(Runs(1_000, 0.1, 0.12, 0.12, 0.40));
        Assert.False(bad.MeetsGoals);

        var whole = new PeerBest(0.005, 500, 1, "passive", 50_000);
        var peer = new PeerResult([], whole, whole with { WholeSteps = 10_000 }, whole with { WholeSteps = 100_000 }, whole);
        var own = new OwnResult(2, [4, 6, 5], [bad, worse, same, Count(most)], new Rate(0.01, 500), 20_000, goals, most[0].Quality, Of(0.95), null);
        var ratios = Comparison.Ratios(peer, own)!;
        Assert.Equal(250 / 5.0, ratios.FisherSameSamples, 9);
        Assert.Equal(250 / 4.0, ratios.FisherSameSamplesBest, 9);
        Assert.Equal(10_000, ratios.FisherEqualQualitySamples);
        Assert.Equal(250 / 1.0, ratios.FisherEqualQuality!.Value, 9);
        Assert.Equal(50 / 2.0, ratios.Forgetting, 9);
        Assert.Equal(300 / 7.0, ratios.ForgettingWithFisher, 9);
        Assert.Equal(500 / 200.0, ratios.TrainingByRate, 9);
        Assert.Null(ratios.TrainingWhole);
    }

    private static Figure Of(double value) => new(value, null);

    internal static async Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Lethe.Benchmarks.dll");
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}

/// <summary>A test that runs the peer, and is skipped where the peer cannot run.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PeerFactAttribute : FactAttribute
{
    public PeerFactAttribute()
    {
        if (SharedData.Root is null)
            Skip = SharedData.Missing;
        else if (!HasTorch())
            Skip = "needs /usr/bin/python3 with torch and numpy (Debian: python3-torch)";
    }

    private static bool HasTorch()
    {
        if (!File.Exists("/usr/bin/python3"))
            return false;
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", "import importlib.util as u; raise SystemExit(not (u.find_spec('torch') and u.find_spec('numpy')))"]))!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
